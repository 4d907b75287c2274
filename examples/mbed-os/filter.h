/* New in 1.1.0: readings of a loose wire no longer reach the mean. */
#ifndef FILTER_H
#define FILTER_H

#include <stdint.h>

/* Sort readings in place. */
void filter_sort(uint16_t *readings, uint32_t count);

/*
 * Mean temperature, in hundredths of a degree Celsius, of the readings within `reach` counts of
 * their median. The readings must be sorted and at least one. *outliers receives the number of the
 * others.
 */
int32_t filter_mean(const uint16_t *readings, uint32_t count, uint16_t reach, uint32_t *outliers);

#endif
