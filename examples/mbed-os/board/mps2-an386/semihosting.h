/*
 * Arm semihosting: files, command line and exit status of the host that runs the emulator or the
 * debugger. Without such a host the first call ends in a hard fault.
 */
#ifndef SEMIHOSTING_H
#define SEMIHOSTING_H

#include <stdint.h>

enum semihosting_mode {
    SEMIHOSTING_READ = 1, /* "rb" */
    SEMIHOSTING_WRITE = 5 /* "wb", an existing file is emptied */
};

/* Returns a handle, or a negative number. */
int semihosting_open(const char *name, enum semihosting_mode mode);

/* Returns 0 when done. */
int semihosting_close(int file);

/* Returns the number of bytes read, 0 at the end of the file, negative on failure. */
int32_t semihosting_read(int file, uint8_t *buffer, uint32_t length);

/* Returns 0 when all bytes were written. */
int semihosting_write(int file, const uint8_t *data, uint32_t length);

/* Returns 0 when done. */
int semihosting_remove(const char *name);

/* Get the words of the command line, one space between two. Returns 0 when they fit into line. */
int semihosting_command_line(char *line, uint32_t capacity);

/* End the emulation with this exit status, 0..255. */
void semihosting_exit(int status) __attribute__((noreturn));

#endif
