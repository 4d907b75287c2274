/*
 * The matching of bsdiff with a ready suffix array: the same pieces that the bsdiff4 library finds,
 * in less time.
 */
#include "compare.h"
#include "fota_kernel.h"

#include <stdlib.h>
#include <string.h>

enum { BETTER = 8, PAIRS = 1 << 16, NEAR = 64, FAR = 512, KNOWN_BITS = 12 };

/* How far the images were found to be equal along a shift: bytes of the new image. */
typedef struct {
    int32_t shift;
    int32_t end;
} known_t;

typedef struct {
    const uint8_t *old_image;
    const uint8_t *new_image;
    const int32_t *suffixes;
    int32_t old_size;
    int32_t new_size;
    int32_t *bounds; /* Where the suffixes are that begin with a pair of bytes. */
    int32_t single;  /* Where the last byte is: in front of all pairs that begin with it. */
    known_t *known;  /* By hash of the shift. */
} images_t;

/* The suffix at an index; the empty one stands in front of all. */
static int32_t suffix(const images_t *images, int32_t index)
{
    return index == 0 ? images->old_size : images->suffixes[index - 1];
}

/*
 * How many bytes of a long stretch are equal; the first `from` are known to be. It is compared once:
 * the search comes to most of them again and again, and never goes back in the new image.
 */
static int32_t long_common(const images_t *images, int32_t old_at, int32_t new_at, int32_t from,
                           int32_t limit)
{
    const uint8_t *one = images->old_image + old_at;
    const uint8_t *two = images->new_image + new_at;
    int32_t shift = old_at - new_at;
    known_t *known = &images->known[(uint32_t)shift * 2654435761u >> (32 - KNOWN_BITS)];
    if (known->shift != shift || known->end <= new_at) {
        while (limit - from >= FAR && memcmp(one + from, two + from, FAR) == 0) {
            from += FAR;
        }
        *known = (known_t){shift, new_at + equal_ahead(one, two, from, limit)};
    }
    return known->end - new_at;
}

/* How many bytes are equal; the first `from` are known to be. With an array that is not the old image's
   these may be more than there are: then no byte is read, here or behind them. */
static int32_t common(const images_t *images, int32_t old_at, int32_t new_at, int32_t from)
{
    int32_t limit = images->old_size - old_at;
    if (images->new_size - new_at < limit) {
        limit = images->new_size - new_at;
    }
    int32_t near = limit - from > NEAR ? from + NEAR : limit;
    const uint8_t *one = images->old_image + old_at;
    const uint8_t *two = images->new_image + new_at;
    while (from < near && one[from] == two[from]) { /* Most are short. */
        from++;
    }
    return from < near || near == limit ? from : long_common(images, old_at, new_at, from, limit);
}

static uint32_t pair(const uint8_t *text)
{
    return (uint32_t)text[0] << 8 | text[1];
}

static void find_bounds(images_t *images)
{
    uint32_t last = (uint32_t)images->old_image[images->old_size - 1] << 8;
    memset(images->bounds, 0, (PAIRS + 1) * sizeof *images->bounds);
    for (int32_t at = 0; at < images->old_size - 1; at++) {
        images->bounds[pair(images->old_image + at) + 1]++;
    }
    images->bounds[0]++; /* The empty suffix. */
    images->bounds[last]++;
    for (int32_t i = 0; i < PAIRS; i++) {
        images->bounds[i + 1] += images->bounds[i];
    }
    images->single = images->bounds[last] - 1;
}

/*
 * The longest match, as bsdiff's binary search comes upon it. Among suffixes that begin with other
 * bytes, the search goes where it would go, without a look at them.
 */
static int32_t search(const images_t *images, int32_t new_at, int32_t *old_at)
{
    int32_t low = 0;
    int32_t high = images->old_size;
    int32_t low_common = 0;
    int32_t high_common = 0;
    int32_t begin = 0;
    int32_t end = high + 1;
    int32_t least = 0;
    if (new_at + 2 <= images->new_size) {
        uint32_t wanted = pair(images->new_image + new_at);
        begin = images->bounds[wanted];
        end = images->bounds[wanted + 1];
        least = 2;
    }
    while (high - low >= 2) {
        int32_t middle = low + (high - low) / 2;
        int32_t from = 0;
        if (middle != images->single) {
            if (middle < begin) {
                low = middle;
                continue;
            }
            if (middle >= end) {
                high = middle;
                continue;
            }
            from = low_common < high_common ? low_common : high_common;
            from = from < least ? least : from;
        }
        int32_t at = suffix(images, middle);
        int32_t length = common(images, at, new_at, from);
        if (at + length < images->old_size && new_at + length < images->new_size
            && images->old_image[at + length] < images->new_image[new_at + length]) {
            low = middle;
            low_common = length;
        } else {
            high = middle;
            high_common = length;
        }
    }
    if (low_common == 0) {
        low_common = common(images, suffix(images, low), new_at, 0);
    }
    if (high_common == 0) {
        high_common = common(images, suffix(images, high), new_at, 0);
    }
    *old_at = suffix(images, low_common > high_common ? low : high);
    return low_common > high_common ? low_common : high_common;
}

static int equal(const images_t *images, int64_t old_at, int32_t new_at)
{
    return old_at >= 0 && old_at < images->old_size
           && images->old_image[old_at] == images->new_image[new_at];
}

int32_t fota_bsdiff(const uint8_t *old_image, int32_t old_size, const uint8_t *new_image,
                    int32_t new_size, const int32_t *suffixes, fota_piece_t **pieces)
{
    images_t images = {old_image, new_image, suffixes, old_size, new_size, NULL, 0, NULL};
    int32_t count = 0;
    int32_t room = 0;
    int32_t scan = 0;
    int32_t length = 0;
    int32_t position = 0;
    int32_t last_scan = 0;
    int32_t last_position = 0;
    int64_t last_offset = 0;
    *pieces = NULL;
    images.bounds = malloc((PAIRS + 1) * sizeof *images.bounds);
    images.known = calloc((size_t)1 << KNOWN_BITS, sizeof *images.known);
    if (images.bounds == NULL || images.known == NULL) {
        free(images.bounds);
        free(images.known);
        return -1;
    }
    find_bounds(&images);
    while (scan < new_size) {
        int32_t old_score = 0;
        scan += length;
        for (int32_t counted = scan; scan < new_size; scan++) {
            length = search(&images, scan, &position);
            for (; counted < scan + length; counted++) {
                old_score += equal(&images, counted + last_offset, counted);
            }
            if ((length == old_score && length != 0) || length > old_score + BETTER) {
                break;
            }
            old_score -= equal(&images, scan + last_offset, scan);
        }
        if (length == old_score && scan != new_size) {
            continue;
        }
        int32_t forward = 0;
        int32_t best = 0;
        for (int32_t i = 0, score = 0; last_scan + i < scan && last_position + i < old_size;) {
            score += old_image[last_position + i] == new_image[last_scan + i];
            i++;
            if (2 * score - i > best) {
                best = 2 * score - i;
                forward = i;
            }
        }
        int32_t backward = 0;
        if (scan < new_size) {
            best = 0;
            for (int32_t i = 1, score = 0; scan >= last_scan + i && position >= i; i++) {
                score += old_image[position - i] == new_image[scan - i];
                if (2 * score - i > best) {
                    best = 2 * score - i;
                    backward = i;
                }
            }
        }
        int32_t overlap = last_scan + forward - (scan - backward);
        if (overlap > 0) {
            int32_t kept = 0;
            best = 0;
            for (int32_t i = 0, score = 0; i < overlap; i++) {
                score += new_image[last_scan + forward - overlap + i]
                         == old_image[last_position + forward - overlap + i];
                score -= new_image[scan - backward + i] == old_image[position - backward + i];
                if (score > best) {
                    best = score;
                    kept = i + 1;
                }
            }
            forward += kept - overlap;
            backward -= kept;
        }
        if (count == room) {
            room = 2 * room + 64;
            fota_piece_t *more = realloc(*pieces, (size_t)room * sizeof *more);
            if (more == NULL) {
                free(*pieces);
                free(images.bounds);
                free(images.known);
                *pieces = NULL;
                return -1;
            }
            *pieces = more;
        }
        (*pieces)[count++] = (fota_piece_t){last_scan, last_position, forward};
        last_scan = scan - backward;
        last_position = position - backward;
        last_offset = (int64_t)position - scan;
    }
    free(images.bounds);
    free(images.known);
    return count;
}
