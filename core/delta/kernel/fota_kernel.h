/* Compiled parts of the delta encoder: the hot loops of the Python modules beside this folder. */
#ifndef FOTA_KERNEL_H
#define FOTA_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32) && defined(FOTA_KERNEL_BUILD)
#define FOTA_KERNEL_API __declspec(dllexport)
#elif defined(__GNUC__)
#define FOTA_KERNEL_API __attribute__((visibility("default")))
#else
#define FOTA_KERNEL_API
#endif

/* What functions return that do not succeed. */
enum {
    FOTA_NO_MEMORY = -1,
    FOTA_NO_WAY = -2,  /* No frames lead from the first node to the last. */
    FOTA_STOPPED = -3, /* The caller's time was up. */
};

/* Asked now and then: other than 0 ends the work. NULL for never. */
typedef int (*fota_stop_t)(void);

/* Fills `array` with the starts of all suffixes in their order; 0, or FOTA_NO_MEMORY. */
FOTA_KERNEL_API int fota_suffix_array(const uint8_t *text, int32_t size, int32_t *array);
/* Whether an array from elsewhere is what the function above gives: 1 or 0, or FOTA_NO_MEMORY. */
FOTA_KERNEL_API int fota_is_suffix_array(const uint8_t *text, int32_t size, const int32_t *array);

/* A stretch of the new image that may be made from the old one: old = new + shift. */
typedef struct {
    int32_t begin;
    int32_t end;
    int32_t shift;
} fota_segment_t;

/* A frame: bytes of the new image, and what they are a difference to. */
typedef struct {
    int32_t begin;
    int32_t end;
    int32_t from; /* First byte of the old image; -1 for inserted bytes. */
} fota_frame_t;

typedef struct {
    const uint8_t *old_image;
    const uint8_t *new_image;
    const fota_segment_t *segments; /* By their beginning. */
    const int32_t *nodes;           /* Where frames may end; 0 first, the image's size last. */
    int32_t segment_count;
    int32_t node_count;
    int32_t block_size;
    int32_t window;  /* Most plain bytes in a frame. */
    int32_t depth;   /* Earlier places to look at for each match. */
    int32_t slack;   /* Bytes by which a way may be dearer for a while. */
    int32_t gain;    /* Bytes by which a way must be cheaper than the same a bit further on. */
    int32_t settled; /* So many equal bytes ahead let the other ways rest; 0 for never. */
    int32_t promise; /* Of the eight bytes behind the beginning of a diff, so many are equal. */
    int32_t position; /* In the old image, where a diff at the first node would go on. */
    fota_stop_t stop;
} fota_plan_t;

/* Fills `frames` (room for node_count of them), returns their number, or what went wrong. */
FOTA_KERNEL_API int32_t fota_plan(const fota_plan_t *plan, fota_frame_t *frames, int32_t *cost);

typedef struct {
    const uint8_t *old_image;
    const uint8_t *new_image;
    const int32_t *suffixes; /* The suffix array of the old image. */
    int32_t old_size;
    int32_t new_size;
    int32_t neighbours;  /* Suffixes to look at on both sides. */
    int32_t least_match; /* Equal bytes from which on a place is looked at. */
    int32_t least_score; /* Equal bytes less different ones of a segment. */
    int32_t drop;        /* How far the score may sink on the way. */
    int32_t margin;      /* Segments of one shift that are so near are one. */
    int32_t lanes;       /* Segments that are kept at each place for their equal bytes there. */
    int32_t wide_lanes;  /* Segments that are kept for their equal bytes around there. */
    int32_t widen;       /* Bytes that are added to them at both ends. */
    fota_stop_t stop;
} fota_candidates_t;

/* Finds segments, sorted by beginning and shift; to be freed. Their number, or what went wrong. */
FOTA_KERNEL_API int32_t fota_candidates(const fota_candidates_t *task, fota_segment_t **segments);
FOTA_KERNEL_API void fota_free(void *memory);

/* Bytes of the new image that are near those of the old one. */
typedef struct {
    int32_t new_at;
    int32_t old_at;
    int32_t size;
} fota_piece_t;

/* Finds the pieces that bsdiff finds, to be freed; FOTA_NO_MEMORY without. */
FOTA_KERNEL_API int32_t fota_bsdiff(const uint8_t *old_image, int32_t old_size,
                                    const uint8_t *new_image, int32_t new_size,
                                    const int32_t *suffixes, fota_piece_t **pieces);

typedef struct {
    const uint8_t *old_image;
    const uint8_t *new_image;
    const fota_piece_t *pieces;
    int32_t old_size;
    int32_t new_size;
    int32_t piece_count;
    int32_t block_size;
    int32_t literal_limit; /* Most incompressible bytes in a frame. */
    int level;
    /* Of liblz4: LZ4_createStreamHC and so on. */
    void *(*create)(void);
    void (*reset)(void *stream, int level);
    int (*compress)(void *stream, const char *plain, char *block, int size, int room);
    int (*destroy)(void *stream);
} fota_fill_t;

/* Fills frames from one piece to the next, returns their number, or what went wrong. There must be
   room for new_size / literal_limit + 2 * piece_count + 1 frames, and in `blocks` for new_size and
   block_size, a 255th of both, and 16 bytes for each frame and one more. */
FOTA_KERNEL_API int32_t fota_fill(const fota_fill_t *task, fota_frame_t *frames, uint8_t *blocks,
                                  int32_t *ends);

/* Writes frames as LZ4 blocks as short as the planner's prices, and where each ends; 0,
   or FOTA_NO_MEMORY. `blocks` has room for size + size / 255 + 16 bytes of each. */
FOTA_KERNEL_API int32_t fota_blocks(const uint8_t *old_image, const uint8_t *new_image,
                                    const fota_frame_t *frames, int32_t count, int32_t depth,
                                    uint8_t *blocks, int32_t *ends);

#endif
