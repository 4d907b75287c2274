/* Comparing strings eight bytes at a time. */
#ifndef FOTA_COMPARE_H
#define FOTA_COMPARE_H

#include <stdint.h>

enum { WORD = 8 };

/* Eight bytes, the first one lowest; compilers make one load of it. */
static inline uint64_t load_word(const uint8_t *at)
{
    return (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 | (uint64_t)at[3] << 24
           | (uint64_t)at[4] << 32 | (uint64_t)at[5] << 40 | (uint64_t)at[6] << 48
           | (uint64_t)at[7] << 56;
}

/* 0x80 for each byte that is the same, 0 for the others. */
static inline uint64_t equal_flags(const uint8_t *one, const uint8_t *two)
{
    const uint64_t low = 0x7F7F7F7F7F7F7F7Fu;
    uint64_t different = load_word(one) ^ load_word(two);
    return ~(((different & low) + low) | different | low);
}

/* Which of eight bytes are the same: the lowest bit for the first of them. */
static inline uint32_t equal_mask(const uint8_t *one, const uint8_t *two)
{
    return (uint32_t)((equal_flags(one, two) >> 7) * 0x0102040810204080u >> 56);
}

/* How many bytes are equal from two places on; `from` are known to be. */
static inline int32_t equal_ahead(const uint8_t *one, const uint8_t *two, int32_t from,
                                  int32_t limit)
{
    while (from + WORD <= limit && load_word(one + from) == load_word(two + from)) {
        from += WORD;
    }
#ifdef __GNUC__
    if (from + WORD <= limit) {
        return from + (__builtin_ctzll(load_word(one + from) ^ load_word(two + from)) >> 3);
    }
#endif
    while (from < limit && one[from] == two[from]) {
        from++;
    }
    return from;
}

/* The same in front of two places. */
static inline int32_t equal_before(const uint8_t *one, const uint8_t *two, int32_t from,
                                   int32_t limit)
{
    while (from + WORD <= limit && load_word(one - from - WORD) == load_word(two - from - WORD)) {
        from += WORD;
    }
#ifdef __GNUC__
    if (from + WORD <= limit) {
        uint64_t different = load_word(one - from - WORD) ^ load_word(two - from - WORD);
        return from + (__builtin_clzll(different) >> 3);
    }
#endif
    while (from < limit && one[-1 - from] == two[-1 - from]) {
        from++;
    }
    return from;
}

/* How many of the next bytes are equal. */
static inline int32_t equal_count(const uint8_t *one, const uint8_t *two, int32_t size)
{
    int32_t count = 0;
    int32_t at = 0;
    for (; at + WORD <= size; at += WORD) {
        count += (int32_t)((equal_flags(one + at, two + at) >> 7) * 0x0101010101010101u >> 56);
    }
    for (; at < size; at++) {
        count += one[at] == two[at];
    }
    return count;
}

#endif
