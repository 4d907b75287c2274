/* Temperature of a 10 kOhm thermistor (B = 3950 K) that a 10 kOhm resistor feeds. */
#ifndef THERMISTOR_TABLE_H
#define THERMISTOR_TABLE_H

#include <stdint.h>

#define THERMISTOR_STEP 4u /* converter counts between two entries */

/* Hundredths of a degree Celsius at 0, 4, 8 ... 4096 counts. */
extern const int16_t thermistor_table[4096u / THERMISTOR_STEP + 1u];

#endif
