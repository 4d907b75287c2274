/* CRC-32 as in zip and Ethernet, to compare what lies in a device with a file by eye. */
#ifndef CRC32_H
#define CRC32_H

#include <stdint.h>

uint32_t crc32(const uint8_t *bytes, uint32_t length);

#endif
