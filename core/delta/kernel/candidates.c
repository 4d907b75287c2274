/* Segments of the new image that resemble the old one, found through the old one's suffix array. */
#include "fota_kernel.h"

#include <stdlib.h>
#include <string.h>

enum { LONG_MATCH = 32, BLOCK = 32, LEAST_EQUAL = 3, BRIDGE = 8, BRIDGE_FACTOR = 2, AROUND = 64, WALK = 256 };

typedef struct {
    fota_segment_t at;
    int32_t score;
} scored_t;

typedef struct {
    const fota_candidates_t *task;
    int32_t *bucket; /* Where the suffixes with each pair of first bytes begin. */
    scored_t *segments;
    int32_t count;
    int32_t room;
    int32_t *latest; /* By hash of the shift: its last segment. */
    int32_t latest_mask;
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

static int32_t common(const fota_candidates_t *task, int32_t old_at, int32_t new_at, int32_t from)
{
    int32_t limit = task->old_size - old_at;
    if (task->new_size - new_at < limit) {
        limit = task->new_size - new_at;
    }
    const uint8_t *one = task->old_image + old_at;
    const uint8_t *two = task->new_image + new_at;
    while (from < limit && one[from] == two[from]) {
        from++;
    }
    return from;
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
                   && (old_at + length == task->old_size
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

/* Doubles the table of shifts before it gets crowded. */
static int grow_table(finder_t *finder)
{
    if (2 * finder->count <= finder->latest_mask) {
        return 0;
    }
    int32_t mask = 2 * finder->latest_mask + 1;
    int32_t *latest = malloc(((size_t)mask + 1) * sizeof *latest);
    if (latest == NULL) {
        return -1;
    }
    memset(latest, 0xFF, ((size_t)mask + 1) * sizeof *latest);
    for (int32_t i = 0; i < finder->count; i++) { /* Later segments of a shift replace earlier. */
        uint32_t hash = (uint32_t)finder->segments[i].at.shift * 2654435761u & (uint32_t)mask;
        while (latest[hash] >= 0
               && finder->segments[latest[hash]].at.shift != finder->segments[i].at.shift) {
            hash = (hash + 1) & (uint32_t)mask;
        }
        latest[hash] = i;
    }
    free(finder->latest);
    finder->latest = latest;
    finder->latest_mask = mask;
    return 0;
}

/* Walks one way as long as equal bytes outweigh different ones. */
static int32_t extend(finder_t *finder, int32_t at, int32_t shift, int32_t step, int32_t limit,
                      int32_t *gain)
{
    const fota_candidates_t *task = finder->task;
    int32_t score = 0;
    int32_t best = 0;
    int32_t end = at;
    while (at != limit && score > best - task->drop && finder->work > 0) {
        int32_t here = step > 0 ? at : at - 1;
        score += task->new_image[here] == task->old_image[here + shift] ? 1 : -1;
        at += step;
        finder->work--;
        if (score > best) {
            best = score;
            end = at;
        }
    }
    *gain = best;
    return end;
}

static int try_match(finder_t *finder, int32_t new_at, int32_t old_at, int32_t length)
{
    const fota_candidates_t *task = finder->task;
    int32_t shift = old_at - new_at;
    int32_t floor = shift < 0 ? -shift : 0;
    int32_t ceiling = task->old_size - shift;
    uint32_t hash = (uint32_t)shift * 2654435761u & (uint32_t)finder->latest_mask;
    scored_t *last = NULL;
    while (finder->latest[hash] >= 0 && last == NULL) {
        scored_t *other = &finder->segments[finder->latest[hash]];
        if (other->at.shift == shift) {
            last = other;
        } else {
            hash = (hash + 1) & (uint32_t)finder->latest_mask;
        }
    }
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
    finder->latest[hash] = finder->count;
    scored_t segment = {{begin, end, shift}, score};
    return add_segment(finder, segment) == 0 ? grow_table(finder) : -1;
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
    int32_t hint = 0;
    for (int32_t at = 0; at + 1 < task->new_size; at++) {
        for (; hint < task->hint_count && task->hints[hint].begin <= at; hint++) {
            if (try_match(finder, at, at + task->hints[hint].shift, 0) != 0) {
                return -1;
            }
        }
        if (length > LONG_MATCH) {
            length--; /* Inside a match that was found. */
        } else if (try_neighbours(finder, at, &length) != 0) {
            return -1;
        }
    }
    return 0;
}

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
static int rank_blocks(const finder_t *finder, rank_t *ranks)
{
    const fota_candidates_t *task = finder->task;
    int32_t lanes = task->lanes + task->wide_lanes;
    int32_t *sums = malloc(((size_t)task->new_size / BLOCK + 2) * sizeof *sums);
    if (sums == NULL) {
        return -1;
    }
    for (int32_t i = 0; i < finder->count; i++) {
        fota_segment_t segment = finder->segments[i].at;
        int32_t first = segment.begin / BLOCK;
        int32_t count = 0;
        sums[0] = 0;
        for (int32_t at = segment.begin; at < segment.end; count++) {
            int32_t end = (at / BLOCK + 1) * BLOCK;
            end = end < segment.end ? end : segment.end;
            int32_t equal = 0;
            const uint8_t *shifted = task->old_image + segment.shift;
            for (; at < end; at++) {
                equal += task->new_image[at] == shifted[at];
            }
            sums[count + 1] = sums[count] + equal;
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

static fota_segment_t widened(const finder_t *finder, int32_t index, stretch_t stretch)
{
    const fota_candidates_t *task = finder->task;
    fota_segment_t segment = finder->segments[index].at;
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

/* Keeps the best few of each block, and widens them. Returns their number. */
static int32_t choose(finder_t *finder, fota_segment_t **chosen)
{
    const fota_candidates_t *task = finder->task;
    int32_t blocks = task->new_size / BLOCK + 1;
    int32_t lanes = task->lanes + task->wide_lanes;
    int32_t places = blocks * lanes;
    int32_t count = 0;
    rank_t *ranks = malloc((size_t)places * sizeof *ranks);
    stretch_t *stretches = malloc(((size_t)finder->count + 1) * sizeof *stretches);
    *chosen = malloc(((size_t)places + (size_t)finder->count) * sizeof **chosen);
    if (ranks == NULL || stretches == NULL || *chosen == NULL) {
        free(ranks);
        free(stretches);
        return -1;
    }
    for (int32_t i = 0; i < places; i++) {
        ranks[i] = (rank_t){-1, LEAST_EQUAL};
    }
    for (int32_t i = 0; i < finder->count; i++) {
        stretches[i] = (stretch_t){-1, -1};
    }
    if (finder->count > 0) {
        qsort(finder->segments, (size_t)finder->count, sizeof *finder->segments, by_score);
    }
    if (rank_blocks(finder, ranks) != 0) {
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
            (*chosen)[count++] = widened(finder, ranks[i].segment, *stretch);
            stretch->first = -1;
        }
        if (stretch->first < 0) {
            stretch->first = block;
        }
        stretch->last = block;
    }
    for (int32_t i = 0; i < finder->count && count >= 0; i++) {
        if (stretches[i].first >= 0) {
            (*chosen)[count++] = widened(finder, i, stretches[i]);
        }
    }
    free(ranks);
    free(stretches);
    if (count > 0) {
        qsort(*chosen, (size_t)count, sizeof **chosen, by_place);
    }
    return count;
}

int32_t fota_candidates(const fota_candidates_t *task, fota_segment_t **segments)
{
    finder_t finder = {.task = task, .latest_mask = 255};
    int32_t count = -1;
    finder.work = (int64_t)WALK * task->new_size;
    finder.latest = malloc(((size_t)finder.latest_mask + 1) * sizeof *finder.latest);
    *segments = NULL;
    if (finder.latest != NULL && fill_buckets(&finder) == 0) {
        memset(finder.latest, 0xFF, ((size_t)finder.latest_mask + 1) * sizeof *finder.latest);
        if (find_all(&finder) == 0) {
            count = choose(&finder, segments);
        }
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
