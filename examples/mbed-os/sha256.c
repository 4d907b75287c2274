#include "sha256.h"

#define BLOCK_LENGTH 64u
#define LENGTH_FIELD_AT 56u

/* First 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t round_constants[64] = {
    0x428a2f98u, 0x71374491u, 0xb5c0fbcfu, 0xe9b5dba5u, 0x3956c25bu, 0x59f111f1u,
    0x923f82a4u, 0xab1c5ed5u, 0xd807aa98u, 0x12835b01u, 0x243185beu, 0x550c7dc3u,
    0x72be5d74u, 0x80deb1feu, 0x9bdc06a7u, 0xc19bf174u, 0xe49b69c1u, 0xefbe4786u,
    0x0fc19dc6u, 0x240ca1ccu, 0x2de92c6fu, 0x4a7484aau, 0x5cb0a9dcu, 0x76f988dau,
    0x983e5152u, 0xa831c66du, 0xb00327c8u, 0xbf597fc7u, 0xc6e00bf3u, 0xd5a79147u,
    0x06ca6351u, 0x14292967u, 0x27b70a85u, 0x2e1b2138u, 0x4d2c6dfcu, 0x53380d13u,
    0x650a7354u, 0x766a0abbu, 0x81c2c92eu, 0x92722c85u, 0xa2bfe8a1u, 0xa81a664bu,
    0xc24b8b70u, 0xc76c51a3u, 0xd192e819u, 0xd6990624u, 0xf40e3585u, 0x106aa070u,
    0x19a4c116u, 0x1e376c08u, 0x2748774cu, 0x34b0bcb5u, 0x391c0cb3u, 0x4ed8aa4au,
    0x5b9cca4fu, 0x682e6ff3u, 0x748f82eeu, 0x78a5636fu, 0x84c87814u, 0x8cc70208u,
    0x90befffau, 0xa4506cebu, 0xbef9a3f7u, 0xc67178f2u,
};

static uint32_t rotate(uint32_t value, uint32_t count)
{
    return (value >> count) | (value << (32u - count));
}

static uint32_t load(const uint8_t *bytes)
{
    return ((uint32_t)bytes[0] << 24) | ((uint32_t)bytes[1] << 16) | ((uint32_t)bytes[2] << 8)
        | (uint32_t)bytes[3];
}

static void store(uint8_t *bytes, uint32_t value)
{
    bytes[0] = (uint8_t)(value >> 24);
    bytes[1] = (uint8_t)(value >> 16);
    bytes[2] = (uint8_t)(value >> 8);
    bytes[3] = (uint8_t)value;
}

/* One round; the working variables a..h stand in v[0..7]. */
static void do_round(uint32_t *v, uint32_t word_and_constant)
{
    const uint32_t sum1 = rotate(v[4], 6u) ^ rotate(v[4], 11u) ^ rotate(v[4], 25u);
    const uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
    const uint32_t sum0 = rotate(v[0], 2u) ^ rotate(v[0], 13u) ^ rotate(v[0], 22u);
    const uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
    const uint32_t t1 = v[7] + sum1 + choice + word_and_constant;
    uint32_t i;

    for (i = 7u; i > 0u; i--) {
        v[i] = v[i - 1u];
    }
    v[4] += t1;
    v[0] = t1 + sum0 + majority;
}

static void take_block(sha256 *hash)
{
    uint32_t words[16]; /* the message schedule, a window of it at a time */
    uint32_t v[8];
    uint32_t i;

    for (i = 0u; i < 16u; i++) {
        words[i] = load(hash->block + 4u * i);
    }
    for (i = 0u; i < 8u; i++) {
        v[i] = hash->state[i];
    }
    for (i = 0u; i < 64u; i++) {
        if (i >= 16u) {
            const uint32_t w15 = words[(i + 1u) % 16u];
            const uint32_t w2 = words[(i + 14u) % 16u];

            words[i % 16u] += (rotate(w15, 7u) ^ rotate(w15, 18u) ^ (w15 >> 3))
                + words[(i + 9u) % 16u] + (rotate(w2, 17u) ^ rotate(w2, 19u) ^ (w2 >> 10));
        }
        do_round(v, words[i % 16u] + round_constants[i]);
    }
    for (i = 0u; i < 8u; i++) {
        hash->state[i] += v[i];
    }
}

void sha256_init(sha256 *hash)
{
    /* First 32 bits of the fractional parts of the square roots of the first 8 primes. */
    static const uint32_t start[8] = {
        0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u, 0xa54ff53au,
        0x510e527fu, 0x9b05688cu, 0x1f83d9abu, 0x5be0cd19u,
    };
    uint32_t i;

    for (i = 0u; i < 8u; i++) {
        hash->state[i] = start[i];
    }
    hash->length = 0u;
}

void sha256_update(sha256 *hash, const uint8_t *bytes, uint32_t length)
{
    while (length-- > 0u) {
        hash->block[hash->length % BLOCK_LENGTH] = *bytes++;
        hash->length++;
        if (hash->length % BLOCK_LENGTH == 0u) {
            take_block(hash);
        }
    }
}

void sha256_finish(sha256 *hash, uint8_t *digest)
{
    static const uint8_t first_padding = 0x80u;
    static const uint8_t padding = 0u;
    const uint64_t bits = hash->length * 8u;
    uint8_t length_field[8];
    uint32_t i;

    sha256_update(hash, &first_padding, 1u);
    while (hash->length % BLOCK_LENGTH != LENGTH_FIELD_AT) {
        sha256_update(hash, &padding, 1u);
    }
    store(length_field, (uint32_t)(bits >> 32));
    store(length_field + 4, (uint32_t)bits);
    sha256_update(hash, length_field, sizeof length_field);
    for (i = 0u; i < 8u; i++) {
        store(digest + 4u * i, hash->state[i]);
    }
}
