#include "update_selftest.h"

#include "console.h"
#include "fota_patch.h"
#include "semihosting.h"
#include "sha256.h"

#define BLOCK_CAPACITY 512u /* as much as the clients with static buffers have */
#define READ_LENGTH 512u    /* one network block */
#define COMMAND_LINE_LENGTH 1024u
#define WORDS 4u

/* The image in flash, set by link.ld: exactly the bytes of the .bin file, initial data included. */
extern const uint8_t application_start[];
extern const uint8_t application_end[];

struct update {
    int new_file;
    uint32_t written;
    sha256 digest;
};

static int read_flash(void *user, uint32_t offset, uint8_t *buffer, uint32_t length)
{
    uint32_t i;

    (void)user;
    for (i = 0u; i < length; i++) {
        buffer[i] = application_start[offset + i];
    }
    return 0;
}

static int write_file(void *user, const uint8_t *data, uint32_t length)
{
    struct update *update = user;

    sha256_update(&update->digest, data, length);
    update->written += length;
    return semihosting_write(update->new_file, data, length);
}

/* Feed the whole patch file; returns a decoder status or one of update_selftest.h. */
static int feed_file(fota_patch *patch, int patch_file)
{
    static uint8_t chunk[READ_LENGTH];
    int32_t count;

    while ((count = semihosting_read(patch_file, chunk, sizeof chunk)) > 0) {
        if (fota_patch_feed(patch, chunk, (uint32_t)count) >= FOTA_PATCH_FIRST_ERROR) {
            break;
        }
    }
    return count < 0 ? UPDATE_SELFTEST_PATCH_READ : fota_patch_finish(patch);
}

static void print_success(struct update *update)
{
    uint8_t digest[SHA256_LENGTH];

    sha256_finish(&update->digest, digest);
    console_text("update: ok, ");
    console_number(update->written);
    console_text(" bytes, sha256 ");
    console_hex(digest, sizeof digest);
    console_text("\n");
}

static void print_failure(const fota_patch *patch, int status)
{
    console_text("update: ");
    console_text(status == UPDATE_SELFTEST_PATCH_READ ? "cannot read the patch file"
                                                      : fota_patch_status_name(status));
    console_text(" at patch byte ");
    console_number((uint32_t)fota_patch_input_offset(patch));
    console_text("\n");
}

static int apply(int patch_file, int new_file)
{
    static uint8_t frame[BLOCK_CAPACITY];
    static uint8_t plain[BLOCK_CAPACITY];
    static struct update update;
    static fota_patch patch;
    int status;

    update.new_file = new_file;
    update.written = 0u;
    sha256_init(&update.digest);
    fota_patch_init(&patch, frame, plain, BLOCK_CAPACITY,
                    (uint32_t)(application_end - application_start), read_flash, write_file,
                    &update);
    status = feed_file(&patch, patch_file);
    if (status == FOTA_PATCH_OK) {
        print_success(&update);
    } else {
        print_failure(&patch, status);
    }
    return status;
}

static int apply_files(const char *patch_name, const char *new_name)
{
    const int patch_file = semihosting_open(patch_name, SEMIHOSTING_READ);
    int new_file;
    int status;

    if (patch_file < 0) {
        console_text("update: cannot open the patch file\n");
        return UPDATE_SELFTEST_NO_PATCH;
    }
    new_file = semihosting_open(new_name, SEMIHOSTING_WRITE);
    if (new_file < 0) {
        console_text("update: cannot create the new file\n");
        semihosting_close(patch_file);
        return UPDATE_SELFTEST_NO_NEW_FILE;
    }
    status = apply(patch_file, new_file);
    semihosting_close(patch_file);
    if (semihosting_close(new_file) != 0 && status == FOTA_PATCH_OK) {
        status = FOTA_PATCH_ERROR_WRITE;
    }
    if (status != FOTA_PATCH_OK) {
        semihosting_remove(new_name);
    }
    return status;
}

/* Cut a line into words in place; returns their number, at most `limit` + 1. */
static uint32_t split(char *line, char **words, uint32_t limit)
{
    uint32_t count = 0u;

    while (*line != '\0') {
        if (*line == ' ') {
            *line++ = '\0';
            continue;
        }
        if (count == limit) {
            return limit + 1u;
        }
        words[count++] = line;
        while (*line != '\0' && *line != ' ') {
            line++;
        }
    }
    return count;
}

static int is_apply(const char *word)
{
    static const char apply_word[] = "apply";
    uint32_t i;

    for (i = 0u; i < sizeof apply_word; i++) {
        if (word[i] != apply_word[i]) {
            return 0;
        }
    }
    return 1;
}

int update_selftest_run(void)
{
    static char line[COMMAND_LINE_LENGTH];
    char *words[WORDS];
    uint32_t count;

    if (semihosting_command_line(line, sizeof line) != 0) {
        return UPDATE_SELFTEST_OK;
    }
    /* Without arguments QEMU gives the path of the image instead, which may be anything. */
    count = split(line, words, WORDS);
    if (count < 2u || !is_apply(words[1])) {
        return UPDATE_SELFTEST_OK;
    }
    if (count != WORDS) {
        console_text("update: usage: apply <patch-file> <new-file>\n");
        return UPDATE_SELFTEST_USAGE;
    }
    return apply_files(words[2], words[3]);
}
