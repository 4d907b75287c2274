/* The cheapest LZ4 code of a string and of all its beginnings. */
#ifndef FOTA_PARSER_H
#define FOTA_PARSER_H

#include "matcher.h"

enum {
    NEVER = INT32_MAX / 2,
    TAIL = 8, /* So far from the end of a block, every match may have ended. */
    LAST_LITERALS = 5,
    MATCH_LIMIT = 12,
    SHORT_MATCH = 18, /* The longest match without a length byte. */
};

/* The cheapest codes of the first bytes of a frame: an element for each number of bytes. */
typedef struct {
    int32_t *cost;
    int32_t *matched;       /* The cost if a match ends here, and the length of that. */
    uint16_t *match_length;
    uint16_t *literals;     /* Behind the last match. */
} states_t;

/* For frames of `size` bytes at most; 0, or -1 without memory. To be closed in any case. */
int states_open(states_t *states, int32_t size);
void states_close(states_t *states);

/* Bytes behind the token for so many literals, without them. */
static inline int32_t extension(int32_t count)
{
    return count < 15 ? 0 : 1 + (count - 15) / 255;
}

/* Goes on from `at` to `end` with a frame that begins at `start`. */
static inline void parse(const states_t *states, const matcher_t *matcher, int32_t start, int32_t at,
                         int32_t end)
{
    int32_t *costs = states->cost;
    int32_t cost = costs[at];
    int32_t literals = states->literals[at];
    while (at < end) {
        at++;
        const match_t *match = matcher_at(matcher, start + at)->match;
        int32_t matched = NEVER;
        int32_t match_length = 0;
        for (const match_t *last = match + MATCHES; match < last; match++) {
            int32_t room = at - match->offset;
            int32_t length = match->length < room ? match->length : room;
            if (length < MIN_MATCH) {
                break; /* There is none, or it does not fit; the next one is further away. */
            }
            int32_t price = costs[at - length] + 3;
            if (length > SHORT_MATCH) {
                int32_t short_price = costs[at - SHORT_MATCH] + 3;
                price += 1 + (length - SHORT_MATCH - 1) / 255;
                if (short_price < matched) {
                    matched = short_price;
                    match_length = SHORT_MATCH;
                }
            }
            if (price < matched || (price == matched && length > match_length)) {
                matched = price;
                match_length = length;
            }
        }
        cost++;
        literals++;
        if (literals >= 15 && (literals - 15) % 255 == 0) {
            cost++;
        }
        if (matched <= cost) {
            cost = matched;
            literals = 0;
        }
        costs[at] = cost;
        states->literals[at] = (uint16_t)literals;
        states->matched[at] = matched;
        states->match_length[at] = (uint16_t)match_length;
    }
}

/*
 * The size of a block that ends here, and where its last match may end: its last bytes are literals
 * (delta-patch, section 2).
 */
static inline int32_t block_end(const states_t *states, int32_t size, int32_t *end)
{
    *end = 0;
    if (size <= MATCH_LIMIT) {
        return 1 + size;
    }
    int32_t at = size - TAIL;
    int32_t literals = states->literals[at];
    int32_t best = states->cost[at] + TAIL + extension(literals + TAIL) - extension(literals);
    *end = at;
    for (at = size - LAST_LITERALS; at > size - TAIL; at--) {
        int32_t tail = size - at;
        if (states->match_length[at] >= MATCH_LIMIT - tail && states->matched[at] + tail < best) {
            best = states->matched[at] + tail;
            *end = at;
        }
    }
    return 1 + best;
}

#endif
