/* What the two steps of the search for segments share: finding them, and choosing the best. */
#ifndef FOTA_CANDIDATES_H
#define FOTA_CANDIDATES_H

#include "fota_kernel.h"

typedef struct {
    fota_segment_t at;
    int32_t score;
} scored_t;

/* Keeps the best few of each block of the new image, and widens them. Returns their number, -1
   without memory; `chosen` is to be freed. Sorts what it gets. */
int32_t choose_segments(const fota_candidates_t *task, scored_t *segments, int32_t count,
                        fota_segment_t **chosen);

#endif
