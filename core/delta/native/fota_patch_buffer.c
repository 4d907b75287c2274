/*
 * The whole patch in memory, for hosts: a test of the streaming decoder from a language where a
 * callback per frame would cost more than the decoding. Devices do not need this file.
 */
#include "fota_patch.h"

struct images {
    const uint8_t *old_image;
    uint8_t *new_image;
    uint32_t new_capacity;
    uint32_t written;
};

/* Plain loops instead of memcpy: this folder needs no standard library. */
static void copy(uint8_t *to, const uint8_t *from, uint32_t length)
{
    uint32_t i;

    for (i = 0u; i < length; i++) {
        to[i] = from[i];
    }
}

static int read_old(void *user, uint32_t offset, uint8_t *buffer, uint32_t length)
{
    const struct images *images = (const struct images *)user;

    copy(buffer, images->old_image + offset, length);
    return 0;
}

static int write_new(void *user, const uint8_t *data, uint32_t length)
{
    struct images *images = (struct images *)user;

    if (length > images->new_capacity - images->written) {
        return 1;
    }
    copy(images->new_image + images->written, data, length);
    images->written += length;
    return 0;
}

int fota_patch_apply_buffer(const uint8_t *old_image, uint32_t old_size, const uint8_t *patch,
                            uint32_t patch_size, uint32_t chunk_size, uint8_t *new_image,
                            uint32_t new_capacity, uint8_t *work, uint32_t block_capacity,
                            uint32_t *new_size, uint64_t *error_offset)
{
    struct images images = { old_image, new_image, new_capacity, 0u };
    fota_patch decoder;
    uint32_t used = 0u;
    int status = FOTA_PATCH_MORE;

    fota_patch_init(&decoder, work, work + block_capacity, block_capacity, old_size, read_old,
                    write_new, &images);
    while (used < patch_size && status < FOTA_PATCH_FIRST_ERROR) {
        const uint32_t left = patch_size - used;
        const uint32_t count = chunk_size > 0u && chunk_size < left ? chunk_size : left;

        status = fota_patch_feed(&decoder, patch + used, count);
        used += count;
    }
    status = fota_patch_finish(&decoder);
    *new_size = images.written;
    *error_offset = fota_patch_input_offset(&decoder);
    return status;
}
