/*
 * The example application: says who it is, measures a temperature, and, on the bare board, applies
 * an update to itself when a test asks for it.
 */
#include "app_version.h"
#include "console.h"
#include "crc32.h"
#include "filter.h"
#include "thermometer.h"
#include "update_resources.h"

#ifndef __MBED__
#include "update_selftest.h"
#endif

#define READINGS 32u
#define OUTLIER_REACH 40u          /* converter counts, about one degree */
#define ALARM_CENTIDEGREES 6000    /* a battery must not be charged above 60 degrees */
#define FIRST_VERSION_WITH_FILTER 10100u

/* Enough to see that a device carries the same bytes as a file. */
static void print_checked(const uint8_t *bytes, uint32_t length)
{
    const uint32_t crc = crc32(bytes, length);
    const uint8_t big_endian[] = {
        (uint8_t)(crc >> 24), (uint8_t)(crc >> 16), (uint8_t)(crc >> 8), (uint8_t)crc,
    };

    console_number(length);
    console_text(" bytes, crc32 ");
    console_hex(big_endian, sizeof big_endian);
    console_text("\n");
}

static void print_identity(void)
{
    console_text("fotabuild example " APP_VERSION "\nvendor id ");
    console_uuid(arm_uc_vendor_id);
    console_text("\nclass id ");
    console_uuid(arm_uc_class_id);
    console_text("\nupdate certificate: ");
    print_checked(arm_uc_default_certificate, arm_uc_default_certificate_size);
    console_text("update public key: ");
    print_checked(arm_uc_update_public_key, UPDATE_PUBLIC_KEY_LENGTH);
}

/* What an update client cannot check at compile time, but would fail on in the field. */
static void print_resource_problems(void)
{
    if (arm_uc_vendor_id_size != UPDATE_ID_LENGTH || arm_uc_class_id_size != UPDATE_ID_LENGTH) {
        console_text("problem: vendor and class id must have 16 bytes\n");
    }
    if (arm_uc_default_certificate_size > UPDATE_CERTIFICATE_LIMIT) {
        console_text("problem: the update certificate has more than 600 bytes\n");
    }
    if (arm_uc_default_fingerprint_size == 0u) {
        console_text("problem: the certificate fingerprint is empty\n");
    }
}

static void print_centidegrees(int32_t value)
{
    const uint32_t size = (uint32_t)(value < 0 ? -value : value);

    console_text(value < 0 ? "-" : "");
    console_number(size / 100u);
    console_text(size % 100u < 10u ? ".0" : ".");
    console_number(size % 100u);
    console_text(" C");
}

static void print_mean(const uint16_t *readings)
{
    int32_t sum = 0;
    uint32_t i;

    for (i = 0u; i < READINGS; i++) {
        sum += thermometer_centidegrees(readings[i]);
    }
    console_text("temperature ");
    print_centidegrees(sum / (int32_t)READINGS);
    console_text(", mean of all readings\n");
}

static void print_filtered_mean(uint16_t *readings)
{
    uint32_t outliers;
    int32_t mean;

    filter_sort(readings, READINGS);
    mean = filter_mean(readings, READINGS, OUTLIER_REACH, &outliers);
    console_text("temperature ");
    print_centidegrees(mean);
    console_text(", filtered, ");
    console_number(outliers);
    console_text(outliers == 1u ? " outlier" : " outliers");
    console_text(mean > ALARM_CENTIDEGREES ? ", too hot to charge\n" : ", ready to charge\n");
}

int main(void)
{
    uint16_t readings[READINGS];
    uint32_t i;

    print_identity();
    print_resource_problems();
    for (i = 0u; i < READINGS; i++) {
        readings[i] = thermometer_read();
    }
    if (APP_VERSION_NUMBER >= FIRST_VERSION_WITH_FILTER) {
        print_filtered_mean(readings);
    } else {
        print_mean(readings);
    }
#ifdef __MBED__
    return 0;
#else
    return update_selftest_run();
#endif
}
