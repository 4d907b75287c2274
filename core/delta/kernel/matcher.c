#include "matcher.h"

#include <stdlib.h>
#include <string.h>

enum { NOWHERE = INT32_MIN / 2, LONG_RUN = 64 };

matcher_t *matcher_new(const uint8_t *text, const uint8_t *base, int32_t begin, int32_t window,
                       int32_t depth)
{
    int32_t size = 64;
    while (size < window + 2) {
        size *= 2;
    }
    matcher_t *matcher = malloc(sizeof *matcher);
    if (matcher == NULL) {
        return NULL;
    }
    matcher->text = text;
    matcher->base = base;
    matcher->begin = matcher->done = begin;
    matcher->window = window;
    matcher->depth = depth;
    matcher->run = 0;
    matcher->mask = size - 1;
    for (size_t i = 0; i < sizeof matcher->heads / sizeof *matcher->heads; i++) {
        matcher->heads[i] = NOWHERE;
    }
    matcher->before = malloc((size_t)size * sizeof *matcher->before);
    matcher->runs = malloc((size_t)size * sizeof *matcher->runs);
    matcher->bytes = malloc((size_t)size);
    matcher->found = malloc((size_t)size * sizeof *matcher->found);
    if (!matcher->before || !matcher->runs || !matcher->bytes || !matcher->found) {
        matcher_free(matcher);
        return NULL;
    }
    matcher->found[begin & matcher->mask].count = 0;
    return matcher;
}

void matcher_free(matcher_t *matcher)
{
    if (matcher != NULL) {
        free(matcher->before);
        free(matcher->runs);
        free(matcher->bytes);
        free(matcher->found);
        free(matcher);
    }
}

/* Takes a match into the list, unless a nearer one is as long. */
static void insert(matches_t *list, int32_t offset, int32_t length)
{
    int at = 0;
    while (at < list->count && list->offset[at] <= offset) {
        if (list->length[at] >= length) {
            return;
        }
        at++;
    }
    int end = at;
    while (end < list->count && list->length[end] <= length) {
        end++;
    }
    int rest = list->count - end;
    memmove(&list->offset[at + 1], &list->offset[end], (size_t)rest * sizeof *list->offset);
    memmove(&list->length[at + 1], &list->length[end], (size_t)rest * sizeof *list->length);
    list->offset[at] = (uint16_t)offset;
    list->length[at] = (uint16_t)length;
    list->count = (uint16_t)(at + 1 + rest);
    if (list->count > MATCHES) { /* The nearest and the longest are worth most. */
        list->count--;
        for (int i = 1; i < list->count; i++) {
            list->offset[i] = list->offset[i + 1];
            list->length[i] = list->length[i + 1];
        }
    }
}

static uint32_t key_of(const matcher_t *matcher, int32_t end, int32_t run)
{
    int32_t mask = matcher->mask;
    const uint8_t *bytes = matcher->bytes;
    uint32_t last = bytes[(end - 1) & mask];
    uint32_t key = run >= MIN_MATCH
                       ? last << 16 | (uint32_t)run
                       : last << 24 | (uint32_t)bytes[(end - 2) & mask] << 16
                             | (uint32_t)bytes[(end - 3) & mask] << 8 | bytes[(end - 4) & mask];
    return (key ^ (run >= MIN_MATCH ? 0x55u : 0u)) * 2654435761u >> (32 - HASH_BITS);
}

static int same_key(const matcher_t *matcher, int32_t one, int32_t two, int32_t run)
{
    int32_t mask = matcher->mask;
    const uint8_t *bytes = matcher->bytes;
    int count = run >= MIN_MATCH ? 1 : MIN_MATCH;
    if (run >= MIN_MATCH && matcher->runs[two & mask] != run) {
        return 0;
    }
    for (int i = 1; i <= count; i++) {
        if (bytes[(one - i) & mask] != bytes[(two - i) & mask]) {
            return 0;
        }
    }
    return 1;
}

static void find_at(matcher_t *matcher, int32_t end)
{
    int32_t mask = matcher->mask;
    int32_t window = matcher->window;
    const uint8_t *bytes = matcher->bytes;
    const matches_t *previous = &matcher->found[(end - 1) & mask];
    matches_t list;
    list.count = 0;
    for (int i = 0; i < previous->count; i++) { /* Matches that go on. */
        int32_t offset = previous->offset[i];
        if (bytes[(end - 1) & mask] == bytes[(end - 1 - offset) & mask]) {
            int32_t length = previous->length[i] + 1;
            list.offset[list.count] = (uint16_t)offset;
            list.length[list.count] = (uint16_t)(length < window ? length : window);
            list.count++;
        }
    }
    if (list.count > 1 && list.length[list.count - 1] == list.length[list.count - 2]) {
        list.count--; /* Both are as long as the window. */
    }
    int32_t run = matcher->run;
    if (run > MIN_MATCH) {
        insert(&list, 1, run - 1);
    }
    if (run > LONG_RUN) { /* What may be found here was found where the run began. */
        matcher->found[end & mask] = list;
        return;
    }
    uint32_t key = key_of(matcher, end, run);
    int32_t left = matcher->depth;
    int32_t lowest = end - window > matcher->begin ? end - window : matcher->begin;
    int32_t other = matcher->heads[key];
    for (; other >= lowest + MIN_MATCH && left > 0; other = matcher->before[other & mask]) {
        if (!same_key(matcher, end, other, run)) {
            continue;
        }
        left--;
        int32_t best = list.count > 0 ? list.length[list.count - 1] : 0;
        if (other - 1 - best < lowest
            || (best > 0 && bytes[(end - 1 - best) & mask] != bytes[(other - 1 - best) & mask])) {
            continue;
        }
        int32_t length = run >= MIN_MATCH ? run : MIN_MATCH;
        while (length < window && other - 1 - length >= lowest
               && bytes[(end - 1 - length) & mask] == bytes[(other - 1 - length) & mask]) {
            length++;
        }
        insert(&list, end - other, length);
    }
    matcher->before[end & mask] = matcher->heads[key];
    matcher->heads[key] = end;
    matcher->found[end & mask] = list;
}

void matcher_run(matcher_t *matcher, int32_t start, int32_t end)
{
    int32_t mask = matcher->mask;
    if (matcher->done < start) { /* Nothing in front of the first frame's start can be used. */
        matcher->begin = matcher->done = start;
        matcher->found[start & mask].count = 0;
    }
    while (matcher->done < end) {
        int32_t at = matcher->done++;
        uint8_t byte = matcher->text[at];
        if (matcher->base != NULL) {
            byte = (uint8_t)(byte - matcher->base[at]);
        }
        int same = at > matcher->begin && byte == matcher->bytes[(at - 1) & mask];
        matcher->bytes[at & mask] = byte;
        matcher->run = same ? matcher->run + (matcher->run < matcher->window) : 1;
        matcher->runs[(at + 1) & mask] = (uint16_t)matcher->run;
        if (at + 1 - matcher->begin >= MIN_MATCH) {
            find_at(matcher, at + 1);
        } else {
            matcher->found[(at + 1) & mask].count = 0;
        }
    }
}
