/*
 * LZ4 block decoder of the patch format: one independent raw block in, plain bytes out.
 *
 * Private to the patch decoder. No heap, no globals, no recursion, no library calls.
 */
#ifndef FOTA_LZ4_H
#define FOTA_LZ4_H

#include <stdint.h>

/*
 * Decode one LZ4 block.
 *
 * Never reads outside block[0..block_length) nor writes outside plain[0..capacity), whatever the
 * block holds. The end-of-block rules of the LZ4 format are enforced, because devices enforce
 * them only sometimes: a block that breaks them installs on one device and fails on the next.
 *
 * block         compressed bytes
 * block_length  their number, in bytes
 * plain         receives the plain bytes; must not overlap block
 * capacity      room in plain, in bytes
 *
 * Returns the number of plain bytes, or 0 when the block is malformed, does not fit or is empty
 * (the patch format allows none of the three).
 */
uint32_t fota_lz4_decode(const uint8_t *block, uint32_t block_length, uint8_t *plain,
                         uint32_t capacity);

#endif
