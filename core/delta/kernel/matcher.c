#include "matcher.h"

#include "compare.h"

#include <stdlib.h>
#include <string.h>

enum { NOWHERE = INT32_MIN / 2, STRIDE = 256 };

matcher_t *matcher_new(const uint8_t *text, const uint8_t *base, int32_t begin, int32_t limit,
                       int32_t window, int32_t depth)
{
    int32_t size = 64;
    while (size < window) {
        size *= 2;
    }
    matcher_t *matcher = malloc(sizeof *matcher);
    if (matcher == NULL) {
        return NULL;
    }
    matcher->text = text;
    matcher->base = base;
    matcher->first = begin;
    matcher->origin = base ? begin : 0;
    matcher->ready = base ? begin : limit;
    matcher->limit = limit;
    matcher->begin = matcher->done = begin;
    matcher->window = window;
    matcher->depth = depth;
    matcher->run = 0;
    matcher->mask = size - 1;
    for (size_t i = 0; i < 1 << WORD_BITS; i++) {
        matcher->words[i] = NOWHERE;
    }
    for (size_t i = 0; i < 1 << RUN_BITS; i++) {
        matcher->runs[i] = NOWHERE;
    }
    matcher->room = 4 * window + 2 * STRIDE < limit - begin ? 4 * window + 2 * STRIDE : limit - begin;
    matcher->differences = base ? malloc((size_t)matcher->room + 1) : NULL;
    matcher->bytes = base ? matcher->differences : text;
    matcher->places = malloc((size_t)size * sizeof *matcher->places);
    matcher->found = malloc((size_t)size * sizeof *matcher->found);
    if ((base && !matcher->differences) || !matcher->places || !matcher->found) {
        matcher_free(matcher);
        return NULL;
    }
    matcher->found[begin & matcher->mask] = (matches_t){0};
    return matcher;
}

void matcher_free(matcher_t *matcher)
{
    if (matcher != NULL) {
        free(matcher->differences);
        free(matcher->places);
        free(matcher->found);
        free(matcher);
    }
}

/* Takes a match into the list, unless a nearer one is as long; returns how many there are then. */
static inline int32_t insert(match_t *list, int32_t count, int32_t offset, int32_t length)
{
    int32_t at = 0;
    while (at < count && list[at].offset <= offset) {
        if (list[at].length >= length) {
            return count;
        }
        at++;
    }
    int32_t end = at;
    while (end < count && list[end].length <= length) {
        end++;
    }
    if (end != at + 1) {
        memmove(&list[at + 1], &list[end], (size_t)(count - end) * sizeof *list);
    }
    list[at] = (match_t){(uint16_t)offset, (uint16_t)length};
    count += at + 1 - end;
    if (count > MATCHES) { /* The nearest and the longest are worth most. */
        memmove(&list[1], &list[2], (MATCHES - 1) * sizeof *list);
        count--;
    }
    return count;
}

/* Fills in the string up to a place and a bit further, and drops what is out of sight. */
static void subtract(matcher_t *matcher, int32_t start, int32_t end)
{
    int32_t at = matcher->ready > start ? matcher->ready : start;
    int32_t stop = matcher->limit - end > STRIDE ? end + STRIDE : matcher->limit;
    if (stop - matcher->origin > matcher->room) {
        int32_t kept = matcher->done - matcher->window - 1;
        kept = kept > matcher->begin ? kept : matcher->begin;
        if (kept < at) {
            memmove(matcher->differences, matcher->differences + (kept - matcher->origin),
                    (size_t)(at - kept));
        }
        matcher->origin = kept;
    }
    const uint8_t *text = matcher->text + at;
    const uint8_t *base = matcher->base + (at - matcher->first);
    uint8_t *out = matcher->differences + (at - matcher->origin);
    matcher->ready = stop;
    for (int32_t i = 0; i < stop - at; i++) {
        out[i] = (uint8_t)(text[i] - base[i]);
    }
}

/* Looks where the same bytes stand, and remembers that they stand here. */
static inline int32_t search(matcher_t *matcher, const uint8_t *here, int32_t end, match_t *list,
                             int32_t count)
{
    int32_t mask = matcher->mask;
    int32_t window = matcher->window;
    int32_t run = matcher->run;
    uint32_t key;
    int32_t *head;
    int32_t known = MIN_MATCH;
    if (run < MIN_MATCH) {
        memcpy(&key, here - MIN_MATCH, sizeof key);
        head = &matcher->words[key * 2654435761u >> (32 - WORD_BITS)];
    } else {
        known = run;
        key = (uint32_t)here[-1] | (uint32_t)run << 8;
        head = &matcher->runs[key * 2654435761u >> (32 - RUN_BITS)];
    }
    int32_t left = matcher->depth;
    int32_t lowest = end - window > matcher->begin ? end - window : matcher->begin;
    const place_t *places = matcher->places;
    int32_t other = *head;
    for (; other >= lowest + MIN_MATCH; other = places[other & mask].before) {
        if (places[other & mask].key != key) {
            continue;
        }
        int32_t best = count > 0 ? list[count - 1].length : 0;
        const uint8_t *there = here - (end - other);
        if (other - 1 - best >= lowest && (best == 0 || here[-1 - best] == there[-1 - best])) {
            int32_t room = other - lowest < window ? other - lowest : window;
            count = insert(list, count, end - other, equal_before(here, there, known, room));
        }
        if (--left == 0) {
            break;
        }
    }
    matcher->places[end & mask] = (place_t){key, *head};
    *head = end;
    return count;
}

static void find_at(matcher_t *matcher, const uint8_t *here, int32_t end)
{
    int32_t mask = matcher->mask;
    int32_t window = matcher->window;
    int32_t run = matcher->run;
    const match_t *previous = matcher->found[(end - 1) & mask].match;
    match_t list[MATCHES + 1];
    int32_t count = 0;
    for (int i = 0; i < MATCHES && previous[i].length > 0; i++) { /* Matches that go on. */
        int32_t offset = previous[i].offset;
        if (here[-1] == here[-1 - offset]) {
            int32_t length = previous[i].length + 1;
            list[count++] = (match_t){(uint16_t)offset, (uint16_t)(length < window ? length : window)};
        }
    }
    if (count > 1 && list[count - 1].length == list[count - 2].length) {
        count--; /* Both are as long as the window. */
    }
    if (run > MIN_MATCH) {
        count = insert(list, count, 1, run - 1);
    }
    if (run <= LONG_RUN) { /* Else, what may be found here was found where the run began. */
        count = search(matcher, here, end, list, count);
    }
    list[count < MATCHES ? count : MATCHES].length = 0;
    memcpy(matcher->found[end & mask].match, list, sizeof matcher->found->match);
}

void matcher_run(matcher_t *matcher, int32_t start, int32_t end)
{
    int32_t mask = matcher->mask;
    if (matcher->done < start) { /* Nothing in front of the first frame's start can be used. */
        matcher->begin = matcher->done = start;
        matcher->found[start & mask].match[0].length = 0;
    }
    if (matcher->done < end && matcher->ready < end) {
        subtract(matcher, start, end);
    }
    while (matcher->done < end) {
        int32_t at = matcher->done++;
        const uint8_t *here = matcher->bytes + (at - matcher->origin);
        int same = at > matcher->begin && here[0] == here[-1];
        matches_t *found = &matcher->found[(at + 1) & mask];
        const match_t *last = matcher->found[at & mask].match;
        matcher->run = same ? matcher->run + (matcher->run < matcher->window) : 1;
        if (at + 1 - matcher->begin < MIN_MATCH) {
            found->match[0].length = 0;
        } else if (matcher->run > LONG_RUN && last[0].offset == 1 && last[1].length == 0) {
            int32_t length = last[0].length + 1 < matcher->window ? last[0].length + 1 : matcher->window;
            found->match[0] = (match_t){1, (uint16_t)length};
            found->match[1].length = 0;
        } else {
            find_at(matcher, here + 1, at + 1);
        }
    }
}
