#include "thermometer.h"

#include "thermistor_table.h"

/* Not constant on purpose: an image has initialised data, and a patch must carry it too. */
static uint32_t noise = 0x2545f491u;
static uint16_t drift[8] = { 2010u, 2012u, 2015u, 2019u, 2024u, 2030u, 2037u, 2045u };
static uint32_t next_drift;

static uint32_t next_noise(void)
{
    noise ^= noise << 13;
    noise ^= noise >> 17;
    noise ^= noise << 5;
    return noise;
}

uint16_t thermometer_read(void)
{
    const uint32_t random = next_noise();
    uint16_t *base = &drift[next_drift];

    next_drift = (next_drift + 1u) % (sizeof drift / sizeof drift[0]);
    *base = (uint16_t)(*base + 1u);
    if (random % 29u == 0u) {
        return THERMOMETER_ADC_MAX; /* a loose wire */
    }
    return (uint16_t)(*base + (random >> 8) % 9u);
}

int32_t thermometer_centidegrees(uint16_t reading)
{
    const uint32_t step = (uint32_t)reading / THERMISTOR_STEP;
    const int32_t part = (int32_t)(reading % THERMISTOR_STEP);
    const int32_t low = thermistor_table[step];
    const int32_t high = thermistor_table[step + 1u];

    return low + (high - low) * part / (int32_t)THERMISTOR_STEP;
}
