/*
 * Damages a patch in every single byte, cuts it everywhere and drops every byte, and applies each
 * result. Meant for address and undefined-behaviour sanitizers: every buffer has exactly the size
 * the decoder was told, so a single byte too far is seen.
 *
 *     sanitizer_driver OLD PATCH BLOCK_CAPACITY STEP
 *
 * STEP 1 tries all 255 other values of each byte, STEP 85 only three of them. Prints the number of
 * runs and of accepted ones; a status that lies ends the program with 1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fota_patch.h"

static uint8_t *old_image, *patch, *frame, *plain;
static uint32_t old_size, patch_size, capacity, written, runs, accepted;

static uint8_t *allocate(uint32_t size)
{
    uint8_t *memory = malloc(size);

    if (memory == NULL) {
        exit(2);
    }
    return memory;
}

static uint8_t *load(const char *path, uint32_t *size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes;

    if (file == NULL || fseek(file, 0L, SEEK_END) != 0) {
        exit(2);
    }
    *size = (uint32_t)ftell(file);
    rewind(file);
    bytes = allocate(*size);
    if (fread(bytes, 1u, *size, file) != *size) {
        exit(2);
    }
    fclose(file);
    return bytes;
}

static int read_old(void *user, uint32_t offset, uint8_t *buffer, uint32_t length)
{
    (void)user;
    memcpy(buffer, old_image + offset, length);
    return 0;
}

static int write_new(void *user, const uint8_t *data, uint32_t length)
{
    volatile uint8_t sum = 0u;
    uint32_t i;

    (void)user;
    for (i = 0u; i < length; i++) { /* so that the sanitizer sees each byte read */
        sum = (uint8_t)(sum + data[i]);
    }
    written += length;
    return 0;
}

/* Apply bytes[0..length) in pieces, each piece in memory of exactly its size. */
static void run(const uint8_t *bytes, uint32_t length, uint32_t chunk)
{
    fota_patch decoder;
    uint32_t used, count;
    int status;

    written = 0u;
    fota_patch_init(&decoder, frame, plain, capacity, old_size, read_old, write_new, NULL);
    for (used = 0u; used < length; used += count) {
        uint8_t *piece;

        count = length - used < chunk ? length - used : chunk;
        piece = allocate(count);
        memcpy(piece, bytes + used, count);
        status = fota_patch_feed(&decoder, piece, count);
        free(piece);
        if (status >= FOTA_PATCH_FIRST_ERROR) {
            break;
        }
    }
    status = fota_patch_finish(&decoder);
    runs++;
    accepted += status == FOTA_PATCH_OK;
    if (written > fota_patch_new_size(&decoder)
        || (status == FOTA_PATCH_OK && written != fota_patch_new_size(&decoder))) {
        fprintf(stderr, "status %d after %u bytes\n", status, (unsigned)written);
        exit(1);
    }
}

static void run_both_ways(const uint8_t *bytes, uint32_t length)
{
    run(bytes, length, 5u);
    run(bytes, length, 4096u);
}

int main(int argc, char **argv)
{
    uint32_t i, step, delta;

    if (argc != 5) {
        return 2;
    }
    old_image = load(argv[1], &old_size);
    patch = load(argv[2], &patch_size);
    capacity = (uint32_t)strtoul(argv[3], NULL, 10);
    step = (uint32_t)strtoul(argv[4], NULL, 10);
    frame = allocate(capacity);
    plain = allocate(capacity);

    run_both_ways(patch, patch_size);
    if (accepted != 2u) {
        fprintf(stderr, "the undamaged patch was refused\n");
        return 1;
    }
    for (i = 0u; i < patch_size; i++) {
        const uint8_t original = patch[i];

        for (delta = step; delta < 256u; delta += step) {
            patch[i] = (uint8_t)(original + delta);
            run_both_ways(patch, patch_size);
        }
        patch[i] = original;
    }
    delta = accepted;
    for (i = 0u; i < patch_size; i++) {
        run_both_ways(patch, i);
    }
    if (accepted != delta) {
        fprintf(stderr, "a cut patch was accepted\n");
        return 1;
    }
    for (i = patch_size - 1u; i > 0u; i--) { /* drops byte i of the original, keeps its tail */
        const uint8_t dropped = patch[i];

        memmove(patch + i, patch + i + 1u, patch_size - 1u - i);
        run_both_ways(patch, patch_size - 1u);
        memmove(patch + i + 1u, patch + i, patch_size - 1u - i);
        patch[i] = dropped;
    }
    printf("%u %u\n", (unsigned)runs, (unsigned)accepted);
    free(old_image);
    free(patch);
    free(frame);
    free(plain);
    return 0;
}
