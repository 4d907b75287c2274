/* Writes what the parser found. */
#include "parser.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    int32_t end;
    int32_t length;
} chosen_t;

static uint8_t *put_length(uint8_t *out, int32_t length)
{
    for (length -= 15; length >= 255; length -= 255) {
        *out++ = 255;
    }
    *out++ = (uint8_t)length;
    return out;
}

static uint8_t *put_literals(uint8_t *out, const uint8_t *literals, int32_t count,
                             int32_t match_nibble)
{
    *out++ = (uint8_t)((count < 15 ? count : 15) << 4 | match_nibble);
    if (count >= 15) {
        out = put_length(out, count);
    }
    memcpy(out, literals, (size_t)count);
    return out + count;
}

/* The nearest match of that length. */
static int32_t offset_of(const matches_t *list, int32_t end, int32_t length)
{
    for (int i = 0; i < MATCHES && list->match[i].length > 0; i++) {
        if (list->match[i].length >= length && end - list->match[i].offset >= length) {
            return list->match[i].offset;
        }
    }
    return 0;
}

/* Collects the matches from the last to the first; returns their number. */
static int32_t walk_back(const states_t *states, int32_t size, chosen_t *chosen)
{
    int32_t count = 0;
    int32_t at;
    block_end(states, size, &at);
    if (at > 0 && at > size - TAIL) { /* What is cheapest there need not end in a match. */
        chosen[count++] = (chosen_t){at, states->match_length[at]};
        at -= states->match_length[at];
    }
    for (at -= states->literals[at]; at > 0; at -= states->literals[at]) {
        chosen[count++] = (chosen_t){at, states->match_length[at]};
        at -= states->match_length[at];
    }
    return count;
}

int states_open(states_t *states, int32_t size)
{
    size_t room = (size_t)size + 1;
    states->cost = malloc(room * sizeof *states->cost);
    states->matched = malloc(room * sizeof *states->matched);
    states->match_length = malloc(room * sizeof *states->match_length);
    states->literals = malloc(room * sizeof *states->literals);
    if (!states->cost || !states->matched || !states->match_length || !states->literals) {
        return -1;
    }
    states->cost[0] = 0;
    states->matched[0] = NEVER;
    states->match_length[0] = 0;
    states->literals[0] = 0;
    return 0;
}

void states_close(states_t *states)
{
    free(states->cost);
    free(states->matched);
    free(states->match_length);
    free(states->literals);
}

/* Writes one frame; returns behind its last byte, NULL without memory. */
static uint8_t *write_block(const uint8_t *text, const uint8_t *base, int32_t size, int32_t depth,
                            uint8_t *out)
{
    matcher_t *matcher = matcher_new(text, base, 0, size, size, depth);
    states_t states;
    int opened = states_open(&states, size);
    chosen_t *chosen = malloc(((size_t)size / MIN_MATCH + 1) * sizeof *chosen);
    uint8_t *end = NULL;
    if (matcher != NULL && opened == 0 && chosen != NULL) {
        int32_t at = 0;
        matcher_run(matcher, 0, size);
        parse(&states, matcher, 0, 0, size);
        for (int32_t i = walk_back(&states, size, chosen) - 1; i >= 0; i--) {
            int32_t length = chosen[i].length;
            int32_t offset = offset_of(matcher_at(matcher, chosen[i].end), chosen[i].end, length);
            int32_t more = length - MIN_MATCH;
            out = put_literals(out, &matcher->bytes[at], chosen[i].end - length - at,
                               more < 15 ? more : 15);
            *out++ = (uint8_t)offset;
            *out++ = (uint8_t)(offset >> 8);
            if (more >= 15) {
                out = put_length(out, more);
            }
            at = chosen[i].end;
        }
        end = put_literals(out, &matcher->bytes[at], size - at, 0);
    }
    matcher_free(matcher);
    states_close(&states);
    free(chosen);
    return end;
}

int32_t fota_blocks(const uint8_t *old_image, const uint8_t *new_image, const fota_frame_t *frames,
                    int32_t count, int32_t depth, uint8_t *blocks, int32_t *ends)
{
    uint8_t *out = blocks;
    for (int32_t i = 0; i < count; i++) {
        const fota_frame_t *frame = &frames[i];
        const uint8_t *base = frame->from < 0 ? NULL : old_image + frame->from;
        out = write_block(new_image + frame->begin, base, frame->end - frame->begin, depth, out);
        if (out == NULL) {
            return -1;
        }
        ends[i] = (int32_t)(out - blocks);
    }
    return 0;
}
