/*
 * Suffix array by induced sorting (Nong, Zhang, Chan: SA-IS), linear in time on every input.
 *
 * A text is an array of integers of 1 or 4 bytes. Behind its end stands a virtual suffix that is
 * smaller than all others and is not part of the result.
 */
#include "fota_kernel.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const void *symbols;
    int32_t size;
    int32_t alphabet;
    int wide;
} text_t;

static int32_t symbol(const text_t *text, int32_t at)
{
    return text->wide ? ((const int32_t *)text->symbols)[at] : ((const uint8_t *)text->symbols)[at];
}

/* One bit a suffix: set when it is smaller than the one behind it ("S type"). */
#define IS_S(types, at) ((types)[(at) >> 3] >> ((at) & 7) & 1)
#define IS_LMS(types, at) ((at) > 0 && IS_S(types, at) && !IS_S(types, (at) - 1))

static void classify(const text_t *text, uint8_t *types)
{
    int32_t at = text->size - 1;
    int smaller = 0; /* The last suffix is larger than the virtual one. */
    int32_t next = symbol(text, at);
    memset(types, 0, (size_t)text->size / 8 + 1);
    for (at--; at >= 0; at--) {
        int32_t value = symbol(text, at);
        smaller = value < next || (value == next && smaller);
        if (smaller) {
            types[at >> 3] |= (uint8_t)(1u << (at & 7));
        }
        next = value;
    }
}

/* Where the bucket of each symbol begins, or ends. */
static void buckets(const text_t *text, const int32_t *counts, int32_t *bounds, int ends)
{
    int32_t sum = 0;
    for (int32_t value = 0; value < text->alphabet; value++) {
        sum += counts[value];
        bounds[value] = ends ? sum : sum - counts[value];
    }
}

static void induce(const text_t *text, const uint8_t *types, const int32_t *counts, int32_t *bounds,
                   int32_t *array)
{
    int32_t size = text->size;
    buckets(text, counts, bounds, 0);
    array[bounds[symbol(text, size - 1)]++] = size - 1; /* Induced by the virtual suffix. */
    for (int32_t i = 0; i < size; i++) {
        int32_t at = array[i] - 1;
        if (at >= 0 && !IS_S(types, at)) {
            array[bounds[symbol(text, at)]++] = at;
        }
    }
    buckets(text, counts, bounds, 1);
    for (int32_t i = size - 1; i >= 0; i--) {
        int32_t at = array[i] - 1;
        if (at >= 0 && IS_S(types, at)) {
            array[--bounds[symbol(text, at)]] = at;
        }
    }
}

static int equal_lms(const text_t *text, const uint8_t *types, int32_t one, int32_t two)
{
    for (int32_t i = 0;; i++) {
        if (one + i >= text->size || two + i >= text->size) {
            return 0;
        }
        if (symbol(text, one + i) != symbol(text, two + i)
            || IS_S(types, one + i) != IS_S(types, two + i)) {
            return 0;
        }
        if (i > 0) {
            int ends = IS_LMS(types, one + i);
            if (ends != IS_LMS(types, two + i)) {
                return 0;
            }
            if (ends) {
                return 1;
            }
        }
    }
}

static int sort_suffixes(const text_t *text, int32_t *array);

/* Names the LMS substrings in array[0..count), sorts the LMS suffixes by them. */
static int sort_lms(const text_t *text, const uint8_t *types, int32_t *array, int32_t count)
{
    int32_t *names = array + count; /* Half of the LMS positions, at most size / 2 entries. */
    int32_t distinct = 0;
    int32_t last = -1;
    int32_t room = text->size - count;
    for (int32_t i = 0; i < room; i++) {
        names[i] = -1;
    }
    for (int32_t i = 0; i < count; i++) {
        if (last < 0 || !equal_lms(text, types, last, array[i])) {
            distinct++;
        }
        last = array[i];
        names[last / 2] = distinct - 1;
    }
    int32_t *reduced = array + text->size - count;
    for (int32_t i = room - 1, j = count - 1; i >= 0; i--) {
        if (names[i] >= 0) {
            reduced[j--] = names[i];
        }
    }
    if (distinct < count) {
        text_t shorter = {reduced, count, distinct, 1};
        if (sort_suffixes(&shorter, array) != 0) {
            return -1;
        }
    } else {
        for (int32_t i = 0; i < count; i++) {
            array[reduced[i]] = i;
        }
    }
    for (int32_t at = 1, j = 0; at < text->size; at++) {
        if (IS_LMS(types, at)) {
            reduced[j++] = at;
        }
    }
    for (int32_t i = 0; i < count; i++) {
        array[i] = reduced[array[i]];
    }
    return 0;
}

static int sort_suffixes(const text_t *text, int32_t *array)
{
    int32_t size = text->size;
    if (size == 1) {
        array[0] = 0;
        return 0;
    }
    uint8_t *types = malloc((size_t)size / 8 + 1);
    int32_t *counts = calloc((size_t)text->alphabet, sizeof *counts);
    int32_t *bounds = malloc((size_t)text->alphabet * sizeof *bounds);
    int status = -1;
    if (types != NULL && counts != NULL && bounds != NULL) {
        int32_t count = 0;
        classify(text, types);
        for (int32_t at = 0; at < size; at++) {
            counts[symbol(text, at)]++;
            array[at] = -1;
        }
        buckets(text, counts, bounds, 1);
        for (int32_t at = size - 1; at > 0; at--) {
            if (IS_LMS(types, at)) {
                array[--bounds[symbol(text, at)]] = at;
            }
        }
        induce(text, types, counts, bounds, array);
        for (int32_t i = 0; i < size; i++) {
            if (IS_LMS(types, array[i])) {
                array[count++] = array[i];
            }
        }
        status = count > 0 ? sort_lms(text, types, array, count) : 0;
        if (status == 0) {
            for (int32_t i = count; i < size; i++) {
                array[i] = -1;
            }
            buckets(text, counts, bounds, 1);
            for (int32_t i = count - 1; i >= 0; i--) {
                int32_t at = array[i];
                array[i] = -1;
                array[--bounds[symbol(text, at)]] = at;
            }
            induce(text, types, counts, bounds, array);
        }
    }
    free(types);
    free(counts);
    free(bounds);
    return status;
}

int fota_suffix_array(const uint8_t *text, int32_t size, int32_t *array)
{
    text_t whole = {text, size, 256, 0};
    return size > 0 ? sort_suffixes(&whole, array) : 0;
}

/*
 * Two suffixes that begin with the same byte have the order of those behind it: with that from each to
 * the next, the order is right, and none can stand there twice.
 */
int fota_is_suffix_array(const uint8_t *text, int32_t size, const int32_t *array)
{
    int32_t *ranks = malloc(((size_t)size + 1) * sizeof *ranks);
    int right = ranks == NULL ? FOTA_NO_MEMORY : 1;
    for (int32_t i = 0; i < size && right == 1; i++) {
        right = array[i] >= 0 && array[i] < size;
    }
    if (right == 1) {
        memset(ranks, 0xFF, ((size_t)size + 1) * sizeof *ranks); /* The virtual one is the first. */
        for (int32_t i = 0; i < size; i++) {
            ranks[array[i]] = i;
        }
    }
    for (int32_t i = 1; i < size && right == 1; i++) {
        int32_t one = array[i - 1];
        int32_t two = array[i];
        right = text[one] < text[two] || (text[one] == text[two] && ranks[one + 1] < ranks[two + 1]);
    }
    free(ranks);
    return right;
}
