/* Segments of the new image that resemble the old one, found through the old one's suffix array. */
#include "candidates.h"
#include "compare.h"

#include <stdlib.h>
#include <string.h>

enum { LONG_MATCH = 32, WALK = 256, PLACES_AT_ONCE = 4096 };

/* What eight bytes of a walk do to its score: in all, at best, and how many bytes until then. */
typedef struct {
    int8_t sum;
    int8_t peak;
    int8_t place;
} stride_t;

/* The last segment with a shift; -1 for none. */
typedef struct {
    int32_t shift;
    int32_t segment;
} latest_t;

typedef struct {
    const fota_candidates_t *task;
    int32_t *bucket; /* Where the suffixes with each pair of first bytes begin. */
    scored_t *segments;
    int32_t count;
    int32_t room;
    latest_t *latest; /* By hash of the shift. */
    int32_t latest_bits;
    stride_t strides[2][256]; /* By direction, and which of the bytes are equal. */
    int64_t work; /* Bytes that may still be looked at in walks: a bound on repetitive images. */
} finder_t;

static int fill_buckets(finder_t *finder)
{
    const uint8_t *old_image = finder->task->old_image;
    int32_t size = finder->task->old_size;
    finder->bucket = calloc(65537, sizeof *finder->bucket);
    if (finder->bucket == NULL) {
        return -1;
    }
    for (int32_t at = 0; at + 1 < size; at++) {
        finder->bucket[(old_image[at] << 8 | old_image[at + 1]) + 1]++;
    }
    /* The last byte alone is smaller than all pairs that begin with it. */
    finder->bucket[old_image[size - 1] << 8]++;
    int32_t sum = 0;
    for (int32_t pair = 0; pair <= 65536; pair++) {
        sum += finder->bucket[pair];
        finder->bucket[pair] = sum;
    }
    return 0;
}

/* How many bytes are equal; the first `from` are known to be. With an array that is not the old image's
   these may be more than there are: then no byte is read. */
static int32_t common(const fota_candidates_t *task, int32_t old_at, int32_t new_at, int32_t from)
{
    int32_t limit = task->old_size - old_at;
    if (task->new_size - new_at < limit) {
        limit = task->new_size - new_at;
    }
    return equal_ahead(task->old_image + old_at, task->new_image + new_at, from, limit);
}

/* The first suffix in the array that is not smaller than the rest of the new image. */
static int32_t insertion_point(const finder_t *finder, int32_t new_at, int32_t *low_common,
                               int32_t *high_common)
{
    const fota_candidates_t *task = finder->task;
    int32_t pair = task->new_image[new_at] << 8 | task->new_image[new_at + 1];
    int32_t low = finder->bucket[pair] - 1;
    int32_t high = finder->bucket[pair + 1];
    /* The lone last byte of the old image is counted in the bucket in front of its pairs. */
    *low_common = *high_common = 0;
    while (high - low > 1) {
        int32_t middle = low + (high - low) / 2;
        int32_t old_at = task->suffixes[middle];
        int32_t from = *low_common < *high_common ? *low_common : *high_common;
        int32_t length = common(task, old_at, new_at, from);
        int less = new_at + length < task->new_size
                   && (old_at + length >= task->old_size
                       || task->old_image[old_at + length] < task->new_image[new_at + length]);
        if (less) {
            low = middle;
            *low_common = length;
        } else {
            high = middle;
            *high_common = length;
        }
    }
    return high;
}

static int add_segment(finder_t *finder, scored_t segment)
{
    if (finder->count == finder->room) {
        int32_t room = 2 * finder->room + 64;
        scored_t *segments = realloc(finder->segments, (size_t)room * sizeof *segments);
        if (segments == NULL) {
            return -1;
        }
        finder->segments = segments;
        finder->room = room;
    }
    finder->segments[finder->count++] = segment;
    return 0;
}

/* The place of a shift in the table, or the free one where it belongs. */
static latest_t *find_latest(const finder_t *finder, int32_t shift)
{
    uint32_t mask = (1u << finder->latest_bits) - 1;
    uint32_t hash = (uint32_t)shift * 2654435761u >> (32 - finder->latest_bits);
    while (finder->latest[hash].segment >= 0 && finder->latest[hash].shift != shift) {
        hash = (hash + 1) & mask;
    }
    return &finder->latest[hash];
}

/* Makes a table of shifts with room for all segments, and for as many again. */
static int grow_table(finder_t *finder)
{
    while (2 * finder->count >= 1 << finder->latest_bits) {
        finder->latest_bits++;
    }
    free(finder->latest);
    finder->latest = malloc(sizeof *finder->latest << finder->latest_bits);
    if (finder->latest == NULL) {
        return -1;
    }
    memset(finder->latest, 0xFF, sizeof *finder->latest << finder->latest_bits);
    for (int32_t i = 0; i < finder->count; i++) { /* Later segments of a shift replace earlier. */
        *find_latest(finder, finder->segments[i].at.shift)
            = (latest_t){finder->segments[i].at.shift, i};
    }
    return 0;
}

/* Fills the table of what eight bytes of a walk do to its score. */
static void fill_strides(finder_t *finder)
{
    for (int32_t mask = 0; mask < 256; mask++) {
        for (int back = 0; back < 2; back++) {
            stride_t stride = {0, 0, 0};
            for (int8_t i = 0; i < WORD; i++) {
                stride.sum += mask >> (back ? WORD - 1 - i : i) & 1 ? 1 : -1;
                if (stride.sum > stride.peak) {
                    stride.peak = stride.sum;
                    stride.place = (int8_t)(i + 1);
                }
            }
            finder->strides[back][mask] = stride;
        }
    }
}

/* Walks one way as long as equal bytes outweigh different ones. */
static int32_t extend(finder_t *finder, int32_t at, int32_t shift, int32_t step, int32_t limit,
                      int32_t *gain)
{
    const uint8_t *new_image = finder->task->new_image;
    const uint8_t *old_image = finder->task->old_image;
    const stride_t *strides = finder->strides[step < 0];
    int32_t drop = finder->task->drop;
    int32_t score = 0;
    int32_t best = 0;
    int32_t end = at;
    int32_t left = step > 0 ? limit - at : at - limit;
    left = finder->work < left ? (int32_t)finder->work : left;
    finder->work -= left;
    while (left > 0 && score > best - drop) {
        if (left >= WORD && score - WORD > best - drop) {
            int32_t low = step > 0 ? at : at - WORD;
            stride_t stride = strides[equal_mask(new_image + low, old_image + (low + shift))];
            if (score + stride.peak > best) {
                best = score + stride.peak;
                end = at + step * stride.place;
            }
            score += stride.sum;
            at += step * WORD;
            left -= WORD;
            continue;
        }
        int32_t here = step > 0 ? at : at - 1;
        score += new_image[here] == old_image[here + shift] ? 1 : -1;
        at += step;
        left--;
        if (score > best) {
            best = score;
            end = at;
        }
    }
    finder->work += left; /* What was not looked at. */
    *gain = best;
    return end;
}

static int try_match(finder_t *finder, int32_t new_at, int32_t old_at, int32_t length)
{
    const fota_candidates_t *task = finder->task;
    int32_t shift = old_at - new_at;
    int32_t floor = shift < 0 ? -shift : 0;
    int32_t ceiling = task->old_size - shift;
    latest_t *latest = find_latest(finder, shift);
    scored_t *last = latest->segment < 0 ? NULL : &finder->segments[latest->segment];
    if (last != NULL && new_at < last->at.end) {
        return 0;
    }
    if (ceiling > task->new_size) {
        ceiling = task->new_size;
    }
    if (last != NULL && last->at.end > floor) {
        floor = last->at.end;
    }
    int32_t left;
    int32_t right;
    int32_t begin = extend(finder, new_at, shift, -1, floor, &left);
    int32_t end = extend(finder, new_at + length, shift, 1, ceiling, &right);
    int32_t score = left + length + right;
    if (score < task->least_score) {
        return 0;
    }
    if (last != NULL && begin - last->at.end <= task->margin) {
        last->at.end = end;
        last->score += score;
        return 0;
    }
    *latest = (latest_t){shift, finder->count};
    if (add_segment(finder, (scored_t){{begin, end, shift}, score}) != 0) {
        return -1;
    }
    return 2 * finder->count < 1 << finder->latest_bits ? 0 : grow_table(finder);
}

/* Tries what the suffixes around the insertion point have in common with the new image. */
static int try_neighbours(finder_t *finder, int32_t at, int32_t *best_length)
{
    const fota_candidates_t *task = finder->task;
    int32_t shared[2];
    int32_t point = insertion_point(finder, at, &shared[0], &shared[1]);
    *best_length = 0;
    for (int32_t side = 0; side < 2; side++) {
        for (int32_t i = 0; i < task->neighbours; i++) {
            int32_t index = side == 0 ? point - 1 - i : point + i;
            if (index < 0 || index >= task->old_size) {
                break;
            }
            int32_t old_at = task->suffixes[index];
            int32_t length = common(task, old_at, at, i == 0 ? shared[side] : 0);
            if (length < task->least_match) {
                break;
            }
            if (length > task->old_size - old_at) {
                length = task->old_size - old_at; /* The array is not the old image's. */
            }
            if (length > *best_length) {
                *best_length = length;
            }
            if (at > 0 && old_at > 0 && task->new_image[at - 1] == task->old_image[old_at - 1]) {
                continue; /* It began earlier. */
            }
            if (try_match(finder, at, old_at, length) != 0) {
                return -1;
            }
        }
    }
    return 0;
}

static int find_all(finder_t *finder)
{
    const fota_candidates_t *task = finder->task;
    int32_t length = 0;
    for (int32_t at = 0; at + 1 < task->new_size; at++) {
        if (task->stop != NULL && at % PLACES_AT_ONCE == 0 && task->stop() != 0) {
            return FOTA_STOPPED;
        }
        if (length > LONG_MATCH) {
            length--; /* Inside a match that was found. */
        } else if (try_neighbours(finder, at, &length) != 0) {
            return -1;
        }
    }
    return 0;
}

int32_t fota_candidates(const fota_candidates_t *task, fota_segment_t **segments)
{
    finder_t finder = {.task = task, .latest_bits = 8};
    int32_t count = FOTA_NO_MEMORY;
    finder.work = (int64_t)WALK * task->new_size;
    *segments = NULL;
    fill_strides(&finder);
    if (grow_table(&finder) == 0 && fill_buckets(&finder) == 0) {
        count = find_all(&finder);
    }
    if (count == 0) {
        count = choose_segments(task, finder.segments, finder.count, segments);
    }
    free(finder.latest);
    free(finder.bucket);
    free(finder.segments);
    return count;
}

void fota_free(void *memory)
{
    free(memory);
}
