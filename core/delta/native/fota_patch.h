/*
 * Streaming decoder of the delta patch format "PELION/BSDIFF001".
 *
 * The same source runs on the device and, as a shared library, on the build host. It accepts what
 * the format allows and nothing more: where deployed devices are lenient (surplus in a frame,
 * bytes after the end, a wrong third header field, long varints, loose LZ4 ends), it refuses, so
 * that a patch accepted here is accepted by all of them.
 *
 * No heap, no globals, no recursion, no standard library; any number of decoders can run at once.
 * RAM: one fota_patch and two buffers of the caller of `block_capacity` bytes each.
 *
 *     fota_patch patch;
 *     fota_patch_init(&patch, frame, plain, sizeof frame, old_size, read_old, write_new, user);
 *     while (more input) {
 *         status = fota_patch_feed(&patch, data, length);
 *         if (status >= FOTA_PATCH_FIRST_ERROR) break;
 *     }
 *     status = fota_patch_finish(&patch);     // FOTA_PATCH_OK: the new image is complete
 *
 * The output is written while the patch arrives, so it must stay unused until fota_patch_finish()
 * returned FOTA_PATCH_OK and its digest was compared with the manifest.
 */
#ifndef FOTA_PATCH_H
#define FOTA_PATCH_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32) && defined(FOTA_PATCH_BUILD_SHARED)
#define FOTA_PATCH_API __declspec(dllexport)
#elif defined(__GNUC__)
#define FOTA_PATCH_API __attribute__((visibility("default")))
#else
#define FOTA_PATCH_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The numbers are part of the interface: programs and exit statuses carry them. */
enum fota_patch_status {
    FOTA_PATCH_OK = 0,   /* the patch ended where it should and the new image is complete */
    FOTA_PATCH_MORE = 1, /* all given input was used, more is needed */
    FOTA_PATCH_DONE = 2, /* the last output byte was written, no more input may come */

    FOTA_PATCH_FIRST_ERROR = 10,
    FOTA_PATCH_ERROR_MAGIC = 10,           /* not a patch of this format and version */
    FOTA_PATCH_ERROR_HEADER = 11,          /* a size in the header is out of its range */
    FOTA_PATCH_ERROR_BLOCK_TOO_LARGE = 12, /* the block size exceeds block_capacity */
    FOTA_PATCH_ERROR_LARGEST_FRAME = 13,   /* the third header field is not what was seen */
    FOTA_PATCH_ERROR_VARINT = 14,          /* a number of 8 bytes, or not in its shortest form */
    FOTA_PATCH_ERROR_OUTPUT_OVERRUN = 15,  /* a string would pass the end of the new image */
    FOTA_PATCH_ERROR_OLD_RANGE = 16,       /* old bytes wanted that the old image lacks */
    FOTA_PATCH_ERROR_FRAME_LENGTH = 17,    /* a frame of 0, or of more bytes than a block */
    FOTA_PATCH_ERROR_FRAME_DATA = 18,      /* a frame that is no LZ4 block of 1..block size */
    FOTA_PATCH_ERROR_FRAME_SURPLUS = 19,   /* a frame holds more than its string still lacks */
    FOTA_PATCH_ERROR_TRAILING = 20,        /* bytes after the end of the patch */
    FOTA_PATCH_ERROR_TRUNCATED = 21,       /* the input ended before the new image did */
    FOTA_PATCH_ERROR_READ = 22,            /* read_old reported a failure */
    FOTA_PATCH_ERROR_WRITE = 23            /* write_new reported a failure */
};

/*
 * Copy `length` bytes of the old image, starting at byte `offset`, into `buffer`.
 * The range always lies inside the old image and length is 1..block size. Returns 0 when done.
 */
typedef int (*fota_patch_read_old)(void *user, uint32_t offset, uint8_t *buffer, uint32_t length);

/*
 * Take the next `length` bytes (1..block size) of the new image; pieces arrive in order, without
 * gaps, and never sum up to more than fota_patch_new_size(). Returns 0 when done.
 */
typedef int (*fota_patch_write_new)(void *user, const uint8_t *data, uint32_t length);

/* State of one decoder. All members are private; the type is complete so that it can be static. */
typedef struct fota_patch {
    fota_patch_read_old read_old;
    fota_patch_write_new write_new;
    void *user;
    uint8_t *frame; /* compressed frame; holds old bytes once the frame is decompressed */
    uint8_t *plain; /* decompressed frame, turned into new bytes in place */
    uint64_t consumed;      /* input bytes taken so far */
    uint64_t item_offset;   /* input offset of the field, varint or frame being read */
    uint64_t number;        /* header integer or varint being put together */
    int64_t position;       /* in the old image; may lie outside while nothing is read there */
    int64_t next_position;  /* where the next triple starts in the old image */
    uint32_t block_capacity;
    uint32_t old_size;
    uint32_t new_size;
    uint32_t block_size;
    uint32_t declared_largest; /* third header field */
    uint32_t largest_frame;    /* the largest frame length seen */
    uint32_t produced;         /* bytes of the new image written so far */
    uint32_t diff_left;        /* bytes that the triple's diff string still lacks */
    uint32_t extra_left;       /* bytes that the triple's extra string still lacks */
    uint32_t frame_length;
    uint32_t frame_filled;
    uint8_t number_bytes; /* bytes of `number` taken so far */
    uint8_t state;
    uint8_t status;
} fota_patch;

/*
 * Prepare a decoder. Nothing is read or written yet.
 *
 * patch           state, supplied by the caller, any content
 * frame_buffer    block_capacity bytes
 * plain_buffer    block_capacity bytes, another buffer
 * block_capacity  size of each buffer in bytes; a patch with a larger block size is refused
 * old_size        size of the old image in bytes; nothing is read at or after it
 * read_old        delivers old bytes
 * write_new       takes new bytes
 * user            handed to both callbacks unchanged
 */
FOTA_PATCH_API void fota_patch_init(fota_patch *patch, uint8_t *frame_buffer,
                                    uint8_t *plain_buffer, uint32_t block_capacity,
                                    uint32_t old_size, fota_patch_read_old read_old,
                                    fota_patch_write_new write_new, void *user);

/*
 * Take the next `length` bytes of the patch, any number, also 0; `data` may then be NULL.
 *
 * Returns FOTA_PATCH_MORE, FOTA_PATCH_DONE or an error. An error is final: every later call
 * returns it again. After FOTA_PATCH_DONE a call with length > 0 is FOTA_PATCH_ERROR_TRAILING.
 */
FOTA_PATCH_API int fota_patch_feed(fota_patch *patch, const uint8_t *data, uint32_t length);

/*
 * Say that the input is over.
 *
 * Returns FOTA_PATCH_OK when the new image is complete, the earlier error if there was one, else
 * FOTA_PATCH_ERROR_TRUNCATED.
 */
FOTA_PATCH_API int fota_patch_finish(fota_patch *patch);

/*
 * Name of a status: that of the enumerator without its prefix and in lower case, for example
 * "error_magic"; "unknown" for other numbers.
 */
FOTA_PATCH_API const char *fota_patch_status_name(int status);

/*
 * After an error: input offset in bytes of the start of the header field, varint or frame that
 * was refused, of the first wrong byte of the magic, of the first trailing byte, or of the missing
 * byte. The same for every chunk size. Without an error: the number of input bytes taken.
 */
FOTA_PATCH_API uint64_t fota_patch_input_offset(const fota_patch *patch);

/* Size of the new image in bytes as the header says; 0 before that field was read. */
FOTA_PATCH_API uint32_t fota_patch_new_size(const fota_patch *patch);

/* Block size of the patch in bytes as the header says; 0 before that field was read. */
FOTA_PATCH_API uint32_t fota_patch_block_size(const fota_patch *patch);

/* sizeof(fota_patch), for callers that cannot see the type. */
FOTA_PATCH_API size_t fota_patch_context_size(void);

/*
 * Apply a patch that lies in memory to an image in memory, through the streaming decoder above.
 *
 * old_image       old image; may be NULL when old_size is 0
 * old_size        its size in bytes
 * patch           whole patch
 * patch_size      its size in bytes
 * chunk_size      bytes per fota_patch_feed() call; 0 feeds the patch in one piece
 * new_image       receives the new image; after an error its content is undefined
 * new_capacity    room in new_image in bytes; a larger image ends with FOTA_PATCH_ERROR_WRITE
 * work            2 * block_capacity bytes
 * block_capacity  as for fota_patch_init()
 * new_size        receives the bytes written to new_image, also after an error
 * error_offset    receives fota_patch_input_offset()
 *
 * Returns FOTA_PATCH_OK or an error.
 */
FOTA_PATCH_API int fota_patch_apply_buffer(const uint8_t *old_image, uint32_t old_size,
                                           const uint8_t *patch, uint32_t patch_size,
                                           uint32_t chunk_size, uint8_t *new_image,
                                           uint32_t new_capacity, uint8_t *work,
                                           uint32_t block_capacity, uint32_t *new_size,
                                           uint64_t *error_offset);

#ifdef __cplusplus
}
#endif

#endif
