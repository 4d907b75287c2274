#include "fota_patch.h"

const char *fota_patch_status_name(int status)
{
    switch (status) {
    case FOTA_PATCH_OK:
        return "ok";
    case FOTA_PATCH_MORE:
        return "more";
    case FOTA_PATCH_DONE:
        return "done";
    case FOTA_PATCH_ERROR_MAGIC:
        return "error_magic";
    case FOTA_PATCH_ERROR_HEADER:
        return "error_header";
    case FOTA_PATCH_ERROR_BLOCK_TOO_LARGE:
        return "error_block_too_large";
    case FOTA_PATCH_ERROR_LARGEST_FRAME:
        return "error_largest_frame";
    case FOTA_PATCH_ERROR_VARINT:
        return "error_varint";
    case FOTA_PATCH_ERROR_OUTPUT_OVERRUN:
        return "error_output_overrun";
    case FOTA_PATCH_ERROR_OLD_RANGE:
        return "error_old_range";
    case FOTA_PATCH_ERROR_FRAME_LENGTH:
        return "error_frame_length";
    case FOTA_PATCH_ERROR_FRAME_DATA:
        return "error_frame_data";
    case FOTA_PATCH_ERROR_FRAME_SURPLUS:
        return "error_frame_surplus";
    case FOTA_PATCH_ERROR_TRAILING:
        return "error_trailing";
    case FOTA_PATCH_ERROR_TRUNCATED:
        return "error_truncated";
    case FOTA_PATCH_ERROR_READ:
        return "error_read";
    case FOTA_PATCH_ERROR_WRITE:
        return "error_write";
    default:
        return "unknown";
    }
}
