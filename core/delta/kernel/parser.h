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

/* The cheapest code of the first bytes of a frame. */
typedef struct {
    int32_t cost;
    int32_t literals;     /* Behind the last match. */
    int32_t matched;      /* The cost if a match ends here, and the length of that. */
    int32_t match_length;
} state_t;

/* Bytes behind the token for so many literals, without them. */
static inline int32_t extension(int32_t count)
{
    return count < 15 ? 0 : 1 + (count - 15) / 255;
}

/* Adds one byte, with the matches that end behind it. */
static inline void parse_step(state_t *states, const matches_t *list, int32_t at)
{
    state_t state = {states[at - 1].cost + 1, states[at - 1].literals + 1, NEVER, 0};
    if (state.literals >= 15 && (state.literals - 15) % 255 == 0) {
        state.cost++;
    }
    for (int i = 0; i < list->count; i++) {
        int32_t room = at - list->offset[i];
        int32_t length = list->length[i] < room ? list->length[i] : room;
        if (length < MIN_MATCH) {
            continue;
        }
        int32_t price = states[at - length].cost + 3;
        if (length > SHORT_MATCH) {
            price += 1 + (length - SHORT_MATCH - 1) / 255;
            if (states[at - SHORT_MATCH].cost + 3 < state.matched) {
                state.matched = states[at - SHORT_MATCH].cost + 3;
                state.match_length = SHORT_MATCH;
            }
        }
        if (price < state.matched || (price == state.matched && length > state.match_length)) {
            state.matched = price;
            state.match_length = length;
        }
    }
    if (state.matched <= state.cost) {
        state.cost = state.matched;
        state.literals = 0;
    }
    states[at] = state;
}

/* The size of a block that ends here: its last bytes are literals (delta-patch, section 2). */
static inline int32_t block_size_at(const state_t *states, int32_t at)
{
    if (at <= MATCH_LIMIT) {
        return 1 + at;
    }
    const state_t *state = &states[at - TAIL];
    int32_t best = state->cost + TAIL + extension(state->literals + TAIL) - extension(state->literals);
    for (int32_t tail = LAST_LITERALS; tail < TAIL; tail++) {
        state = &states[at - tail];
        if (state->match_length >= MATCH_LIMIT - tail && state->matched + tail < best) {
            best = state->matched + tail;
        }
    }
    return 1 + best;
}

#endif
