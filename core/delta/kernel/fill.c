/*
 * Cuts pieces of the new image, and what is between them, into frames as full as possible. liblz4
 * compresses them with a state that it clears once: for short frames clearing is most of the work.
 */
#include "fota_kernel.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const fota_fill_t *task;
    void *stream;
    uint8_t *difference; /* The plain bytes of a frame that old bytes are added to. */
    fota_frame_t *frames;
    uint8_t *blocks;
    int32_t *ends;
    int32_t count;
    int32_t written;
    /* The last frame of zeros: in a small update most frames are the same. */
    int32_t last_size;
    int32_t last_length;
    int32_t last_at;
} filling_t;

static int32_t write_literals(uint8_t *block, const uint8_t *plain, int32_t size)
{
    int32_t length = 0;
    block[length++] = (uint8_t)((size < 15 ? size : 15) << 4);
    if (size >= 15) {
        int32_t rest = size - 15;
        for (; rest >= 255; rest -= 255) {
            block[length++] = 255;
        }
        block[length++] = (uint8_t)rest;
    }
    memcpy(block + length, plain, (size_t)size);
    return length + size;
}

/* Whether all bytes are zero: a difference between equal images. */
static int is_zero(const uint8_t *plain, int32_t size)
{
    return plain[0] == 0 && memcmp(plain, plain + 1, (size_t)size - 1) == 0;
}

static int32_t compress(filling_t *filling, const uint8_t *plain, int32_t size)
{
    const fota_fill_t *task = filling->task;
    uint8_t *block = filling->blocks + filling->written;
    int zero = is_zero(plain, size);
    if (zero && size == filling->last_size) {
        memcpy(block, filling->blocks + filling->last_at, (size_t)filling->last_length);
        return filling->last_length;
    }
    task->reset(filling->stream, task->level);
    int32_t length = task->compress(filling->stream, (const char *)plain, (char *)block, size,
                                    size + size / 255 + 16);
    if (zero) {
        filling->last_size = size;
        filling->last_length = length;
        filling->last_at = filling->written;
    }
    return length;
}

/* Fills frames with a string of a record; `from` is where old bytes are taken from, or -1. */
static int fill(filling_t *filling, int32_t begin, int32_t end, int32_t from)
{
    const fota_fill_t *task = filling->task;
    while (begin < end) {
        int32_t size = end - begin < task->block_size ? end - begin : task->block_size;
        const uint8_t *plain = task->new_image + begin;
        if (from >= 0) {
            for (int32_t i = 0; i < size; i++) {
                filling->difference[i] = (uint8_t)(plain[i] - task->old_image[from + i]);
            }
            plain = filling->difference;
        }
        int32_t length = compress(filling, plain, size);
        if (length > task->block_size) {
            size = size < task->literal_limit ? size : task->literal_limit;
            length = compress(filling, plain, size);
        }
        if (length > task->block_size) {
            length = write_literals(filling->blocks + filling->written, plain, size);
        }
        if (length <= 0) {
            return FOTA_NO_MEMORY;
        }
        filling->written += length;
        filling->ends[filling->count] = filling->written;
        filling->frames[filling->count++] = (fota_frame_t){begin, begin + size, from};
        begin += size;
        from += from >= 0 ? size : 0;
    }
    return 0;
}

static int fill_all(filling_t *filling)
{
    const fota_fill_t *task = filling->task;
    int32_t done = 0;
    int status = 0;
    for (int32_t i = 0; i < task->piece_count && status == 0; i++) {
        const fota_piece_t piece = task->pieces[i];
        if (piece.new_at < done || piece.old_at < 0 || piece.size < 0
            || piece.size > task->new_size - piece.new_at
            || piece.size > task->old_size - piece.old_at) {
            return FOTA_NO_WAY;
        }
        status = fill(filling, done, piece.new_at, -1);
        done = piece.new_at + piece.size;
        if (status == 0) {
            status = fill(filling, piece.new_at, done, piece.old_at);
        }
    }
    return status == 0 ? fill(filling, done, task->new_size, -1) : status;
}

int32_t fota_fill(const fota_fill_t *task, fota_frame_t *frames, uint8_t *blocks, int32_t *ends)
{
    filling_t filling = {task, task->create(), NULL, frames, blocks, ends, 0, 0, 0, 0, 0};
    int status = FOTA_NO_MEMORY;
    filling.difference = malloc((size_t)task->block_size);
    if (filling.stream != NULL && filling.difference != NULL) {
        status = fill_all(&filling);
    }
    free(filling.difference);
    if (filling.stream != NULL) {
        task->destroy(filling.stream);
    }
    return status == 0 ? filling.count : status;
}
