/* Writes what the parser found. */
#include "parser.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    int32_t end; /* Of the match. */
    int32_t length;
} step_t;

static uint8_t *put_length(uint8_t *out, int32_t length)
{
    for (length -= 15; length >= 255; length -= 255) {
        *out++ = 255;
    }
    *out++ = (uint8_t)length;
    return out;
}

static uint8_t *put_literals(uint8_t *out, const matcher_t *matcher, int32_t at, int32_t count,
                             int32_t match_nibble)
{
    *out++ = (uint8_t)((count < 15 ? count : 15) << 4 | match_nibble);
    if (count >= 15) {
        out = put_length(out, count);
    }
    for (int32_t i = 0; i < count; i++) {
        *out++ = matcher->bytes[(at + i) & matcher->mask];
    }
    return out;
}

/* The nearest match of that length. */
static int32_t offset_of(const matches_t *list, int32_t end, int32_t length)
{
    for (int i = 0; i < list->count; i++) {
        if (list->length[i] >= length && end - list->offset[i] >= length) {
            return list->offset[i];
        }
    }
    return 0;
}

/* Collects the matches from the last to the first; returns their number. */
static int32_t walk_back(const state_t *states, int32_t size, step_t *steps)
{
    int32_t count = 0;
    int32_t at = size > MATCH_LIMIT ? size - TAIL : 0;
    if (size > MATCH_LIMIT) {
        int32_t best = states[at].cost + TAIL + extension(states[at].literals + TAIL)
                       - extension(states[at].literals);
        for (int32_t tail = LAST_LITERALS; tail < TAIL; tail++) {
            const state_t *state = &states[size - tail];
            if (state->match_length >= MATCH_LIMIT - tail && state->matched + tail < best) {
                best = state->matched + tail;
                at = size - tail;
            }
        }
        if (at != size - TAIL) {
            steps[count++] = (step_t){at, states[at].match_length};
            at -= states[at].match_length;
        }
    }
    for (at -= states[at].literals; at > 0; at -= states[at].literals) {
        steps[count++] = (step_t){at, states[at].match_length};
        at -= states[at].match_length;
    }
    return count;
}

int32_t fota_block(const uint8_t *text, const uint8_t *base, int32_t size, int32_t depth,
                   uint8_t *block)
{
    matcher_t *matcher = matcher_new(text, base, 0, size, depth);
    state_t *states = malloc(((size_t)size + 1) * sizeof *states);
    step_t *steps = malloc(((size_t)size / MIN_MATCH + 1) * sizeof *steps);
    int32_t written = -1;
    if (matcher != NULL && states != NULL && steps != NULL) {
        uint8_t *out = block;
        int32_t at = 0;
        states[0] = (state_t){0, 0, NEVER, 0};
        matcher_run(matcher, 0, size);
        for (int32_t i = 1; i <= size; i++) {
            parse_step(states, matcher_at(matcher, i), i);
        }
        for (int32_t i = walk_back(states, size, steps) - 1; i >= 0; i--) {
            int32_t length = steps[i].length;
            int32_t offset = offset_of(matcher_at(matcher, steps[i].end), steps[i].end, length);
            int32_t more = length - MIN_MATCH;
            out = put_literals(out, matcher, at, steps[i].end - length - at, more < 15 ? more : 15);
            *out++ = (uint8_t)offset;
            *out++ = (uint8_t)(offset >> 8);
            if (more >= 15) {
                out = put_length(out, more);
            }
            at = steps[i].end;
        }
        out = put_literals(out, matcher, at, size - at, 0);
        written = (int32_t)(out - block);
    }
    matcher_free(matcher);
    free(states);
    free(steps);
    return written;
}
