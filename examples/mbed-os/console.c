#include "console.h"

#ifdef __MBED__
#include <stdio.h>
#else
#include "uart.h"
#endif

void console_text(const char *text)
{
#ifdef __MBED__
    fputs(text, stdout);
    fflush(stdout);
#else
    uart_write(text);
#endif
}

void console_number(uint32_t number)
{
    char digits[11];
    char *first = digits + sizeof digits - 1;

    *first = '\0';
    do {
        *--first = (char)('0' + number % 10u);
        number /= 10u;
    } while (number > 0u);
    console_text(first);
}

void console_hex(const uint8_t *bytes, uint32_t length)
{
    static const char digits[] = "0123456789abcdef";
    uint32_t i;

    for (i = 0u; i < length; i++) {
        char pair[3];

        pair[0] = digits[bytes[i] >> 4];
        pair[1] = digits[bytes[i] & 15u];
        pair[2] = '\0';
        console_text(pair);
    }
}

void console_uuid(const uint8_t *bytes)
{
    static const uint8_t group_ends[] = { 4u, 6u, 8u, 10u, 16u };
    uint32_t group;
    uint32_t start = 0u;

    for (group = 0u; group < sizeof group_ends; group++) {
        if (group > 0u) {
            console_text("-");
        }
        console_hex(bytes + start, group_ends[group] - start);
        start = group_ends[group];
    }
}
