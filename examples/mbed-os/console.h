/* Text for people: the UART of the bare board, or the standard output of Mbed OS. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stdint.h>

void console_text(const char *text);

/* Decimal, without leading zeros. */
void console_number(uint32_t number);

/* Two lower-case hexadecimal digits per byte. */
void console_hex(const uint8_t *bytes, uint32_t length);

/* A UUID of 16 bytes in its usual form with hyphens. */
void console_uuid(const uint8_t *bytes);

#endif
