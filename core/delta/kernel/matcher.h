/* Repetitions inside one string, found while going through it once. */
#ifndef FOTA_MATCHER_H
#define FOTA_MATCHER_H

#include "fota_kernel.h"

enum { MATCHES = 4, MIN_MATCH = 4, HASH_BITS = 11 };

/* Matches that end at a position: offsets rise, and so do the lengths. */
typedef struct {
    uint16_t offset[MATCHES + 1];
    uint16_t length[MATCHES + 1];
    uint16_t count;
} matches_t;

/*
 * The string is text[i] - base[i] modulo 256, or text itself without base. Positions are absolute;
 * bytes before `begin` are not looked at, and those of the last `window` positions are remembered.
 */
typedef struct {
    const uint8_t *text;
    const uint8_t *base;
    int32_t begin;
    int32_t window;
    int32_t depth;
    int32_t done; /* Matches are known for the ends up to here. */
    int32_t run;  /* Equal bytes in front of `done`. */
    int32_t mask;
    int32_t heads[1 << HASH_BITS];
    int32_t *before; /* Ring: the last position with the same hash. */
    uint16_t *runs;  /* Ring: equal bytes in front of each position. */
    uint8_t *bytes;  /* Ring: the string. */
    matches_t *found; /* Ring. */
} matcher_t;

matcher_t *matcher_new(const uint8_t *text, const uint8_t *base, int32_t begin, int32_t window,
                       int32_t depth);
void matcher_free(matcher_t *matcher);
/*
 * Finds the matches that end at `end` or before and begin at `start` or later. Calls come in
 * the order of their starts.
 */
void matcher_run(matcher_t *matcher, int32_t start, int32_t end);

static inline const matches_t *matcher_at(const matcher_t *matcher, int32_t end)
{
    return &matcher->found[end & matcher->mask];
}

#endif
