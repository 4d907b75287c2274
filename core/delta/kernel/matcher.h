/* Repetitions inside one string, found while going through it once. */
#ifndef FOTA_MATCHER_H
#define FOTA_MATCHER_H

#include "fota_kernel.h"

enum { MATCHES = 4, MIN_MATCH = 4, LONG_RUN = 64, WORD_BITS = 10, RUN_BITS = 7 };

typedef struct {
    uint16_t offset;
    uint16_t length;
} match_t;

/* Matches that end at a position: offsets rise, and so do the lengths. No length: no more. */
typedef struct {
    match_t match[MATCHES];
} matches_t;

/* A place whose last bytes may come again. */
typedef struct {
    uint32_t key;   /* Its last four bytes, or the last one and how often it stands there. */
    int32_t before; /* The last place with the same hash. */
} place_t;

/*
 * The string is text[i] - base[i - first] modulo 256, or text itself without base. Positions are
 * absolute; bytes before `begin` are not looked at, and those of the last `window` positions are
 * remembered.
 */
typedef struct {
    const uint8_t *text;
    const uint8_t *base;
    int32_t first;
    const uint8_t *bytes; /* The string: from `origin` on, filled up to `ready`. */
    uint8_t *differences; /* The same, if there is a base. */
    int32_t room;
    int32_t origin;
    int32_t ready;
    int32_t limit; /* Where the string ends. */
    int32_t begin;
    int32_t window;
    int32_t depth;
    int32_t done; /* Matches are known for the ends up to here. */
    int32_t run;  /* Equal bytes in front of `done`. */
    int32_t mask;
    place_t *places;  /* Ring. */
    matches_t *found; /* Ring. */
    int32_t words[1 << WORD_BITS]; /* The last place of each hash, for short runs. */
    int32_t runs[1 << RUN_BITS];   /* The same for longer ones. */
} matcher_t;

/* For the bytes from `begin`, the first with a base, to `limit` of a string. */
matcher_t *matcher_new(const uint8_t *text, const uint8_t *base, int32_t begin, int32_t limit,
                       int32_t window, int32_t depth);
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
