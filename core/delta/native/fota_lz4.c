#include "fota_lz4.h"

/* Constants of the LZ4 block format. */
#define LENGTH_NIBBLE_FULL 15u  /* this nibble value says: length bytes follow */
#define LENGTH_BYTE_FULL 255u   /* this length byte says: another one follows */
#define SHORTEST_MATCH 4u       /* added to the match nibble of a token */
#define LAST_LITERALS 5u        /* a block with matches ends with at least so many literals */
#define LAST_MATCH_DISTANCE 12u /* its last match starts at least so far before the end */

struct block_reader {
    const uint8_t *bytes;
    uint32_t length;
    uint32_t next;
};

/*
 * Add the length bytes that follow a full nibble to *length. Returns 0 when the block ends first
 * or the sum would pass `limit`; the comparison is arranged so that no sum can wrap.
 */
static int extend_length(struct block_reader *in, uint32_t *length, uint32_t limit)
{
    uint32_t byte;

    do {
        if (in->next == in->length) {
            return 0;
        }
        byte = in->bytes[in->next++];
        if (*length > limit || byte > limit - *length) {
            return 0;
        }
        *length += byte;
    } while (byte == LENGTH_BYTE_FULL);
    return 1;
}

/* Forward, byte by byte: a match may overlap its own output, which repeats a pattern. */
static void copy_forward(uint8_t *to, const uint8_t *from, uint32_t length)
{
    while (length-- > 0u) {
        *to++ = *from++;
    }
}

uint32_t fota_lz4_decode(const uint8_t *block, uint32_t block_length, uint8_t *plain,
                         uint32_t capacity)
{
    struct block_reader in = { block, block_length, 0u };
    uint32_t out = 0u;
    uint32_t last_match = 0u;
    int any_match = 0;

    while (in.next < in.length) {
        const uint32_t token = in.bytes[in.next++];
        uint32_t literals = token >> 4;
        uint32_t match = (token & 15u) + SHORTEST_MATCH;
        uint32_t distance;

        if (literals == LENGTH_NIBBLE_FULL && !extend_length(&in, &literals, capacity - out)) {
            return 0u;
        }
        if (literals > in.length - in.next || literals > capacity - out) {
            return 0u;
        }
        copy_forward(plain + out, in.bytes + in.next, literals);
        in.next += literals;
        out += literals;

        if (in.next == in.length) {
            /* Only the last sequence has no match, so this is the proper end of the block. */
            if (any_match && (literals < LAST_LITERALS || out - last_match < LAST_MATCH_DISTANCE)) {
                return 0u;
            }
            return out;
        }

        if (in.length - in.next < 2u) {
            return 0u;
        }
        distance = (uint32_t)in.bytes[in.next] | ((uint32_t)in.bytes[in.next + 1u] << 8);
        in.next += 2u;
        if (distance == 0u || distance > out) {
            return 0u;
        }
        if (match == LENGTH_NIBBLE_FULL + SHORTEST_MATCH
            && !extend_length(&in, &match, capacity - out)) {
            return 0u;
        }
        if (match > capacity - out) {
            return 0u;
        }
        copy_forward(plain + out, plain + out - distance, match);
        last_match = out;
        any_match = 1;
        out += match;
    }
    return 0u; /* no block at all, or it ends with a match */
}
