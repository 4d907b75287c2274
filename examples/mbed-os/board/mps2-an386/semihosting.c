#include "semihosting.h"

/* Operation numbers of the Arm semihosting specification. */
enum operation {
    SYS_OPEN = 0x01,
    SYS_CLOSE = 0x02,
    SYS_WRITE = 0x05,
    SYS_READ = 0x06,
    SYS_REMOVE = 0x0e,
    SYS_GET_CMDLINE = 0x15,
    SYS_EXIT_EXTENDED = 0x20
};

#define STOPPED_APPLICATION_EXIT 0x20026u

/* Fields are words: addresses, handles, lengths. */
static int32_t call(enum operation operation, const uint32_t *fields)
{
    register uint32_t r0 __asm__("r0") = (uint32_t)operation;
    register const uint32_t *r1 __asm__("r1") = fields;

    /* The host reads and writes memory behind the compiler's back. */
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return (int32_t)r0;
}

static uint32_t text_length(const char *text)
{
    uint32_t length = 0u;

    while (text[length] != '\0') {
        length++;
    }
    return length;
}

int semihosting_open(const char *name, enum semihosting_mode mode)
{
    const uint32_t fields[] = { (uint32_t)name, (uint32_t)mode, text_length(name) };

    return call(SYS_OPEN, fields);
}

int semihosting_close(int file)
{
    const uint32_t fields[] = { (uint32_t)file };

    return call(SYS_CLOSE, fields);
}

int32_t semihosting_read(int file, uint8_t *buffer, uint32_t length)
{
    const uint32_t fields[] = { (uint32_t)file, (uint32_t)buffer, length };
    const int32_t missing = call(SYS_READ, fields);

    return missing < 0 || (uint32_t)missing > length ? -1 : (int32_t)(length - (uint32_t)missing);
}

int semihosting_write(int file, const uint8_t *data, uint32_t length)
{
    const uint32_t fields[] = { (uint32_t)file, (uint32_t)data, length };

    return call(SYS_WRITE, fields);
}

int semihosting_remove(const char *name)
{
    const uint32_t fields[] = { (uint32_t)name, text_length(name) };

    return call(SYS_REMOVE, fields);
}

int semihosting_command_line(char *line, uint32_t capacity)
{
    const uint32_t fields[] = { (uint32_t)line, capacity };

    return call(SYS_GET_CMDLINE, fields);
}

void semihosting_exit(int status)
{
    const uint32_t fields[] = { STOPPED_APPLICATION_EXIT, (uint32_t)status };

    for (;;) {
        call(SYS_EXIT_EXTENDED, fields);
    }
}
