/*
 * The identity that makes a device updatable. The definitions are in update_default_resources.c,
 * which the build generates from fotabuild.yaml; update clients declare them like this themselves.
 */
#ifndef UPDATE_RESOURCES_H
#define UPDATE_RESOURCES_H

#include <stdint.h>

#define UPDATE_ID_LENGTH 16u          /* vendor and class id, UUID in network byte order */
#define UPDATE_CERTIFICATE_LIMIT 600u /* a client copies more than this over its heap */
#define UPDATE_PUBLIC_KEY_LENGTH 65u  /* uncompressed P-256 point */

extern const uint8_t arm_uc_vendor_id[];
extern const uint16_t arm_uc_vendor_id_size;
extern const uint8_t arm_uc_class_id[];
extern const uint16_t arm_uc_class_id_size;
extern const uint8_t arm_uc_default_fingerprint[];
extern const uint16_t arm_uc_default_fingerprint_size;
extern const uint8_t arm_uc_default_certificate[];
extern const uint16_t arm_uc_default_certificate_size;
extern const uint8_t arm_uc_update_public_key[];

#endif
