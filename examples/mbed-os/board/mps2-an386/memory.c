/*
 * The four functions that a compiler may call even without a C library. The empty assembly keeps
 * it from turning each loop into a call of the function it stands in.
 */
#include <stddef.h>
#include <stdint.h>

#define NOT_A_LIBRARY_CALL() __asm__ volatile("" ::: "memory")

void *memcpy(void *to, const void *from, size_t length);
void *memmove(void *to, const void *from, size_t length);
void *memset(void *to, int value, size_t length);
int memcmp(const void *left, const void *right, size_t length);

void *memcpy(void *to, const void *from, size_t length)
{
    uint8_t *target = to;
    const uint8_t *source = from;

    while (length-- > 0u) {
        *target++ = *source++;
        NOT_A_LIBRARY_CALL();
    }
    return to;
}

void *memmove(void *to, const void *from, size_t length)
{
    uint8_t *target = to;
    const uint8_t *source = from;

    if ((uintptr_t)to <= (uintptr_t)from) {
        return memcpy(to, from, length);
    }
    while (length-- > 0u) {
        target[length] = source[length];
        NOT_A_LIBRARY_CALL();
    }
    return to;
}

void *memset(void *to, int value, size_t length)
{
    uint8_t *target = to;

    while (length-- > 0u) {
        *target++ = (uint8_t)value;
        NOT_A_LIBRARY_CALL();
    }
    return to;
}

int memcmp(const void *left, const void *right, size_t length)
{
    const uint8_t *a = left;
    const uint8_t *b = right;

    for (; length > 0u; length--, a++, b++) {
        if (*a != *b) {
            return *a < *b ? -1 : 1;
        }
        NOT_A_LIBRARY_CALL();
    }
    return 0;
}
