/* SHA-256 (FIPS 180-4) of a stream, for the digest that an update manifest promises. */
#ifndef SHA256_H
#define SHA256_H

#include <stdint.h>

#define SHA256_LENGTH 32u

typedef struct sha256 {
    uint32_t state[8];
    uint64_t length; /* bytes taken so far */
    uint8_t block[64];
} sha256;

void sha256_init(sha256 *hash);
void sha256_update(sha256 *hash, const uint8_t *bytes, uint32_t length);

/* Write the digest of SHA256_LENGTH bytes; the state cannot be used after it without init. */
void sha256_finish(sha256 *hash, uint8_t *digest);

#endif
