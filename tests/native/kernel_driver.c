/*
 * Runs the whole kernel on random pairs of images. Meant for address and undefined-behaviour
 * sanitizers: every buffer has exactly the size that the kernel was told.
 *
 *     kernel_driver FIRST COUNT FAILING FORGERY
 *
 * Pairs have numbers; COUNT of them are tried. Each FAILING-th pair is tried once more for every
 * allocation, which then fails: the kernel has to say so. FORGERY says what is done to the suffix
 * arrays, as somebody may who can write into a cache: 0 nothing, 1 they are shuffled, 2 some suffixes
 * stand there several times, 3 few stand in all places. Prints the number of runs and of those that
 * ran out of memory; a result that is wrong ends the program with 1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fota_kernel.h"

enum { LARGEST = 1 << 14, REACHES = 100 };

static long allocations;
static long failing;
static uint32_t state;
static long forgery;

void *driver_malloc(size_t size);
void *driver_calloc(size_t count, size_t size);
void *driver_realloc(void *memory, size_t size);

void *driver_malloc(size_t size)
{
    return ++allocations == failing ? NULL : malloc(size);
}

void *driver_calloc(size_t count, size_t size)
{
    return ++allocations == failing ? NULL : calloc(count, size);
}

void *driver_realloc(void *memory, size_t size)
{
    return ++allocations == failing ? NULL : realloc(memory, size);
}

static int32_t chance(int32_t below)
{
    state = state * 1664525u + 1013904223u;
    return (int32_t)((state >> 8) % (uint32_t)below);
}

static void *allocate(size_t size)
{
    void *memory = malloc(size);
    if (memory == NULL) {
        exit(2);
    }
    return memory;
}

static void require(int truth, const char *what)
{
    if (!truth) {
        fprintf(stderr, "wrong: %s\n", what);
        exit(1);
    }
}

/* Noise of few or many letters, runs, repetitions of what is there, pieces of another image. */
static int32_t fill(uint8_t *image, int32_t size, const uint8_t *other, int32_t other_size)
{
    int32_t letters = chance(3) == 0 ? 2 : 256;
    int32_t at = 0;
    while (at < size) {
        int32_t length = 1 + chance(chance(4) == 0 ? size : 60);
        int32_t kind = chance(other_size > 0 ? 6 : 3);
        int32_t back = at > 0 ? 1 + chance(at) : 0;
        int32_t from = other_size > 0 ? chance(other_size) : 0;
        uint8_t letter = (uint8_t)chance(letters);
        for (int32_t i = 0; i < length && at < size; i++, at++) {
            if (kind == 1) {
                image[at] = letter;
            } else if (kind == 2 && back > 0) {
                image[at] = image[at - back];
            } else if (kind > 2 && from + i < other_size) {
                image[at] = other[from + i];
            } else {
                image[at] = (uint8_t)chance(letters);
            }
        }
    }
    return size;
}

/* Makes an array that points into the image, and mostly is not its suffix array. */
static void forge(int32_t *suffixes, int32_t size)
{
    int32_t few[3] = {0, size / 2, size - 1};
    for (int32_t i = 0; i < size; i++) {
        int32_t other = chance(size);
        int32_t suffix = suffixes[i];
        if (forgery == 1) {
            suffixes[i] = suffixes[other];
            suffixes[other] = suffix;
        } else if (forgery == 2 && chance(3) == 0) {
            suffixes[i] = chance(2) == 0 ? size - 1 - chance(size < 12 ? size : 12) : other;
        } else if (forgery == 3) {
            suffixes[i] = few[chance(3)];
        }
    }
}

/* All parts of the kernel in turn; 0, or -1 when one of them had no memory. */
static int run(const uint8_t *old_image, int32_t old_size, const uint8_t *new_image,
               int32_t new_size, uint32_t seed)
{
    fota_piece_t *pieces = NULL;
    fota_segment_t *segments = NULL;
    int32_t *suffixes = allocate((size_t)old_size * sizeof *suffixes);
    int32_t *nodes = allocate(((size_t)new_size + 1) * sizeof *nodes);
    fota_frame_t *frames = allocate(((size_t)new_size + 1) * sizeof *frames);
    int32_t *ends = NULL;
    uint8_t *blocks = NULL;
    int status = -1;
    int32_t node_count = 0;
    state = seed;
    if (fota_suffix_array(old_image, old_size, suffixes) != 0) {
        goto done;
    }
    int right = fota_is_suffix_array(old_image, old_size, suffixes);
    if (right < 0) {
        goto done;
    }
    require(right == 1, "suffixes");
    if (forgery != 0) {
        forge(suffixes, old_size);
    }
    int32_t count
        = fota_bsdiff(old_image, old_size, new_image, new_size, suffixes, &pieces);
    if (count < 0) {
        goto done;
    }
    for (int32_t i = 0; i < count; i++) {
        require(pieces[i].size >= 0 && pieces[i].new_at >= 0 && pieces[i].old_at >= 0
                    && pieces[i].new_at + pieces[i].size <= new_size
                    && pieces[i].old_at + pieces[i].size <= old_size,
                "a piece");
    }
    fota_candidates_t task = {.old_image = old_image, .new_image = new_image,
                              .suffixes = suffixes, .old_size = old_size, .new_size = new_size};
    task.neighbours = 1 + chance(3);
    task.least_match = 2 + chance(6);
    task.least_score = chance(12);
    task.drop = 1 + chance(40);
    task.margin = chance(70);
    task.lanes = 1 + chance(3);
    task.wide_lanes = chance(3);
    task.widen = chance(200);
    count = fota_candidates(&task, &segments);
    if (count < 0) {
        goto done;
    }
    for (int32_t at = 0, step = 1 + chance(30); at < new_size; at += 1 + chance(step)) {
        nodes[node_count++] = at;
    }
    nodes[node_count++] = new_size;
    fota_plan_t plan = {.old_image = old_image, .new_image = new_image, .segments = segments,
                        .nodes = nodes, .segment_count = count, .node_count = node_count};
    static const int32_t block_sizes[] = {64, 65, 127, 512, 4096, 65535};
    plan.block_size = plan.window = block_sizes[chance(6)];
    plan.depth = 1 + chance(16);
    plan.slack = chance(40);
    plan.gain = chance(2);
    plan.settled = 8 * chance(3);
    plan.promise = chance(8);
    int32_t cost = 0;
    count = fota_plan(&plan, frames, &cost);
    if (count < 0) {
        goto done;
    }
    int32_t done = 0;
    size_t room = 0;
    for (int32_t i = 0; i < count; i++) {
        int32_t size = frames[i].end - frames[i].begin;
        require(frames[i].begin == done && size > 0 && frames[i].from >= -1
                    && frames[i].from + size <= old_size + (frames[i].from < 0 ? size : 0),
                "a frame");
        done = frames[i].end;
        room += (size_t)(size + size / 255 + 16);
    }
    require(done == new_size && cost > 0, "the plan");
    blocks = allocate(room);
    ends = allocate((size_t)count * sizeof *ends);
    status = fota_blocks(old_image, new_image, frames, count, 1 + chance(64), blocks, ends);
    require(status != 0 || (size_t)ends[count - 1] <= room, "the blocks");
done:
    fota_free(pieces);
    fota_free(segments);
    free(suffixes);
    free(nodes);
    free(frames);
    free(ends);
    free(blocks);
    return status;
}

int main(int argc, char **argv)
{
    long runs = 0;
    long short_of_memory = 0;
    if (argc != 5) {
        return 2;
    }
    forgery = atol(argv[4]);
    long first = atol(argv[1]);
    long last = first + atol(argv[2]);
    for (long number = first; number < last; number++) {
        state = (uint32_t)number * 2654435761u;
        int32_t largest = chance(8) == 0 ? LARGEST : 600;
        int32_t old_size = 1 + chance(largest);
        int32_t new_size = 1 + chance(largest);
        uint8_t *old_image = allocate((size_t)old_size);
        uint8_t *new_image = allocate((size_t)new_size);
        fill(old_image, old_size, NULL, 0);
        fill(new_image, new_size, old_image, old_size);
        uint32_t seed = state;
        allocations = failing = 0;
        require(run(old_image, old_size, new_image, new_size, seed) == 0, "memory");
        runs++;
        long total = allocations;
        long step = 1 + total / REACHES;
        for (failing = 1; number % atol(argv[3]) == 0 && failing <= total; failing += step) {
            allocations = 0;
            require(run(old_image, old_size, new_image, new_size, seed) == -1, "no memory");
            runs++;
            short_of_memory++;
        }
        failing = 0;
        free(old_image);
        free(new_image);
    }
    printf("%ld %ld\n", runs, short_of_memory);
    return 0;
}
