/* The best segments of each block of the new image. */
#include "candidates.h"
#include "compare.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 32, LEAST_EQUAL = 3, BRIDGE = 8, BRIDGE_FACTOR = 2, AROUND = 64 };

static int by_score(const void *one, const void *two)
{
    const scored_t *a = one;
    const scored_t *b = two;
    if (a->score != b->score) {
        return a->score > b->score ? -1 : 1;
    }
    if (a->at.begin != b->at.begin) {
        return a->at.begin < b->at.begin ? -1 : 1;
    }
    return (a->at.shift > b->at.shift) - (a->at.shift < b->at.shift);
}

static int by_place(const void *one, const void *two)
{
    const fota_segment_t *a = one;
    const fota_segment_t *b = two;
    if (a->begin != b->begin) {
        return a->begin < b->begin ? -1 : 1;
    }
    if (a->shift != b->shift) {
        return a->shift < b->shift ? -1 : 1;
    }
    return (a->end > b->end) - (a->end < b->end);
}

/* The stretch of a segment's blocks that is being collected. */
typedef struct {
    int32_t first;
    int32_t last;
} stretch_t;

/* One of the best segments of a block. */
typedef struct {
    int32_t segment;
    int32_t equal;
} rank_t;

/* Takes a segment among the best of a block; earlier ones win when equal. */
static void rank(rank_t *ranks, int32_t count, int32_t segment, int32_t equal)
{
    int32_t slot = count;
    while (slot > 0 && equal > ranks[slot - 1].equal) {
        slot--;
    }
    if (slot < count) {
        memmove(&ranks[slot + 1], &ranks[slot], (size_t)(count - 1 - slot) * sizeof *ranks);
        ranks[slot] = (rank_t){segment, equal};
    }
}

/* Ranks each segment in all its blocks: by its equal bytes there, and by those around. */
static int rank_blocks(const fota_candidates_t *task, const scored_t *segments, int32_t segment_count,
                       rank_t *ranks)
{
    int32_t lanes = task->lanes + task->wide_lanes;
    int32_t *sums = malloc(((size_t)task->new_size / BLOCK + 2) * sizeof *sums);
    if (sums == NULL) {
        return -1;
    }
    for (int32_t i = 0; i < segment_count; i++) {
        fota_segment_t segment = segments[i].at;
        int32_t first = segment.begin / BLOCK;
        int32_t count = 0;
        sums[0] = 0;
        for (int32_t at = segment.begin; at < segment.end; count++) {
            int32_t end = (at / BLOCK + 1) * BLOCK;
            end = end < segment.end ? end : segment.end;
            sums[count + 1] = sums[count]
                              + equal_count(task->old_image + (at + segment.shift),
                                            task->new_image + at, end - at);
            at = end;
        }
        for (int32_t block = 0; block < count; block++) {
            int32_t low = block > AROUND ? block - AROUND : 0;
            int32_t high = block + 1 + AROUND < count ? block + 1 + AROUND : count;
            rank_t *place = &ranks[(first + block) * lanes];
            rank(place, task->lanes, i, sums[block + 1] - sums[block]);
            rank(place + task->lanes, task->wide_lanes, i, sums[high] - sums[low]);
        }
    }
    free(sums);
    return 0;
}

static fota_segment_t widened(const fota_candidates_t *task, fota_segment_t segment,
                                stretch_t stretch)
{
    int32_t begin = stretch.first * BLOCK;
    int32_t end = (stretch.last + 1) * BLOCK;
    int32_t floor = segment.shift < 0 ? -segment.shift : 0;
    int32_t ceiling = task->old_size - segment.shift;
    begin = (begin > segment.begin ? begin : segment.begin) - task->widen;
    end = (end < segment.end ? end : segment.end) + task->widen;
    ceiling = ceiling < task->new_size ? ceiling : task->new_size;
    segment.begin = begin > floor ? begin : floor;
    segment.end = end < ceiling ? end : ceiling;
    return segment;
}

int32_t choose_segments(const fota_candidates_t *task, scored_t *segments, int32_t segment_count,
                        fota_segment_t **chosen)
{
    int32_t blocks = task->new_size / BLOCK + 1;
    int32_t lanes = task->lanes + task->wide_lanes;
    int32_t places = blocks * lanes;
    int32_t count = 0;
    rank_t *ranks = malloc((size_t)places * sizeof *ranks);
    stretch_t *stretches = malloc(((size_t)segment_count + 1) * sizeof *stretches);
    *chosen = malloc(((size_t)places + (size_t)segment_count) * sizeof **chosen);
    if (ranks == NULL || stretches == NULL || *chosen == NULL) {
        free(ranks);
        free(stretches);
        return -1;
    }
    for (int32_t i = 0; i < places; i++) {
        ranks[i] = (rank_t){-1, LEAST_EQUAL};
    }
    for (int32_t i = 0; i < segment_count; i++) {
        stretches[i] = (stretch_t){-1, -1};
    }
    if (segment_count > 0) {
        qsort(segments, (size_t)segment_count, sizeof *segments, by_score);
    }
    if (rank_blocks(task, segments, segment_count, ranks) != 0) {
        places = 0;
        count = -1;
    }
    for (int32_t i = 0; i < places; i++) {
        int32_t block = i / lanes;
        stretch_t *stretch = &stretches[ranks[i].segment < 0 ? 0 : ranks[i].segment];
        if (ranks[i].segment < 0) {
            continue;
        }
        int32_t bridge = BRIDGE + BRIDGE_FACTOR * (stretch->last - stretch->first);
        if (stretch->first >= 0 && block - stretch->last > bridge) {
            (*chosen)[count++] = widened(task, segments[ranks[i].segment].at, *stretch);
            stretch->first = -1;
        }
        if (stretch->first < 0) {
            stretch->first = block;
        }
        stretch->last = block;
    }
    for (int32_t i = 0; i < segment_count && count >= 0; i++) {
        if (stretches[i].first >= 0) {
            (*chosen)[count++] = widened(task, segments[i].at, stretches[i]);
        }
    }
    free(ranks);
    free(stretches);
    if (count > 0) {
        qsort(*chosen, (size_t)count, sizeof **chosen, by_place);
    }
    return count;
}

