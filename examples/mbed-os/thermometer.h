/* The sensor of the example: a 10 kOhm thermistor at a 12-bit converter. */
#ifndef THERMOMETER_H
#define THERMOMETER_H

#include <stdint.h>

#define THERMOMETER_ADC_MAX 4095u

/* One reading of the (simulated) converter, 0..THERMOMETER_ADC_MAX; now and then a spike. */
uint16_t thermometer_read(void);

/* The temperature of a reading in hundredths of a degree Celsius. */
int32_t thermometer_centidegrees(uint16_t reading);

#endif
