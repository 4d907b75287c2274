#include "filter.h"

#include "thermometer.h"

void filter_sort(uint16_t *readings, uint32_t count)
{
    uint32_t i;

    for (i = 1u; i < count; i++) {
        const uint16_t moving = readings[i];
        uint32_t at = i;

        while (at > 0u && readings[at - 1u] > moving) {
            readings[at] = readings[at - 1u];
            at--;
        }
        readings[at] = moving;
    }
}

int32_t filter_mean(const uint16_t *readings, uint32_t count, uint16_t reach, uint32_t *outliers)
{
    const int32_t median = readings[count / 2u];
    int32_t sum = 0;
    int32_t kept = 0;
    uint32_t i;

    for (i = 0u; i < count; i++) {
        const int32_t distance = (int32_t)readings[i] - median;

        if (distance >= -(int32_t)reach && distance <= (int32_t)reach) {
            sum += thermometer_centidegrees(readings[i]);
            kept++;
        }
    }
    *outliers = count - (uint32_t)kept;
    return sum / kept; /* the median itself is always kept */
}
