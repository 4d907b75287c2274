/*
 * The decoder is a state machine that is driven by input bytes. Section numbers in comments are
 * those of the patch format description ("delta patch stream").
 */
#include "fota_patch.h"

#include "fota_lz4.h"

enum state {
    STATE_MAGIC,        /* section 1, bytes 0..15 of the header */
    STATE_NEW_SIZE,     /* section 1, header field at 16 */
    STATE_BLOCK_SIZE,   /* section 1, header field at 24 */
    STATE_LARGEST,      /* section 1, header field at 32 */
    STATE_DIFF_LENGTH,  /* section 3 step 2: first varint of a triple */
    STATE_EXTRA_LENGTH, /* section 3 step 2: second varint */
    STATE_SEEK,         /* section 3 step 2: third, signed varint */
    STATE_FRAME_LENGTH, /* section 3 steps 4 and 6: varint before a frame */
    STATE_FRAME         /* section 3 steps 4 and 6: compressed bytes of a frame */
};

#define SMALLEST_BLOCK_SIZE 64u
#define HEADER_INTEGER_BYTES 8u
#define HEADER_LARGEST_OFFSET 32u
#define VARINT_MAX_BYTES 7u

/*
 * Tools look for this text in an old image to learn which patch format its decoder takes
 * (section 6), so it must stay one piece of constant data.
 */
static const char magic[] = "PELION/BSDIFF001";
#define MAGIC_LENGTH (sizeof magic - 1u)

static void fail(fota_patch *patch, enum fota_patch_status status)
{
    patch->status = (uint8_t)status;
}

static void enter(fota_patch *patch, enum state state)
{
    patch->state = (uint8_t)state;
    patch->number = 0u;
    patch->number_bytes = 0u;
    patch->item_offset = patch->consumed;
}

static void take_magic(fota_patch *patch, uint8_t byte)
{
    if (byte != (uint8_t)magic[patch->item_offset]) {
        fail(patch, FOTA_PATCH_ERROR_MAGIC);
        return;
    }
    enter(patch, patch->consumed < MAGIC_LENGTH ? STATE_MAGIC : STATE_NEW_SIZE);
}

/*
 * Section 1: sign-magnitude, little-endian. The sign is the top bit, so that every negative
 * number, minus zero included, is larger than 32 bits when read as an unsigned one.
 */
static void take_header_integer(fota_patch *patch, uint8_t byte)
{
    uint32_t value;

    patch->number |= (uint64_t)byte << (8u * patch->number_bytes);
    patch->number_bytes++;
    if (patch->number_bytes < HEADER_INTEGER_BYTES) {
        return;
    }
    if (patch->number > UINT32_MAX) {
        fail(patch, FOTA_PATCH_ERROR_HEADER);
        return;
    }
    value = (uint32_t)patch->number;
    if (patch->state == STATE_NEW_SIZE) {
        if (value == 0u) { /* section 3: N = 0 never completes */
            fail(patch, FOTA_PATCH_ERROR_HEADER);
            return;
        }
        patch->new_size = value;
        enter(patch, STATE_BLOCK_SIZE);
    } else if (patch->state == STATE_BLOCK_SIZE) {
        patch->block_size = value;
        if (value < SMALLEST_BLOCK_SIZE) {
            fail(patch, FOTA_PATCH_ERROR_HEADER);
        } else if (value > patch->block_capacity) {
            fail(patch, FOTA_PATCH_ERROR_BLOCK_TOO_LARGE);
        } else {
            enter(patch, STATE_LARGEST);
        }
    } else {
        patch->declared_largest = value; /* compared once all frames were seen */
        enter(patch, STATE_DIFF_LENGTH);
    }
}

/* Section 3 step 7, and the end of the patch. */
static void end_triple(fota_patch *patch)
{
    if (patch->produced < patch->new_size) {
        patch->position = patch->next_position;
        enter(patch, STATE_DIFF_LENGTH);
    } else if (patch->largest_frame != patch->declared_largest) {
        /* Section 3: this client ignores the field, older and newer ones may not. */
        patch->item_offset = HEADER_LARGEST_OFFSET;
        fail(patch, FOTA_PATCH_ERROR_LARGEST_FRAME);
    } else {
        patch->status = FOTA_PATCH_DONE;
    }
}

/* Go on with the next frame of the triple's strings, diff first (section 1), or end the triple. */
static void next_frame(fota_patch *patch)
{
    if (patch->diff_left > 0u || patch->extra_left > 0u) {
        enter(patch, STATE_FRAME_LENGTH);
    } else {
        end_triple(patch);
    }
}

/* Section 3 step 3. The whole range in the old image is known here, so it is checked here. */
static void begin_diff(fota_patch *patch, uint64_t length)
{
    if (length > patch->new_size - patch->produced) {
        fail(patch, FOTA_PATCH_ERROR_OUTPUT_OVERRUN);
        return;
    }
    /* Section 4: a position outside the old image is fine as long as nothing is read there. */
    if (length > 0u
        && (patch->position < 0 || patch->position > (int64_t)patch->old_size
            || length > (uint64_t)((int64_t)patch->old_size - patch->position))) {
        fail(patch, FOTA_PATCH_ERROR_OLD_RANGE);
        return;
    }
    patch->diff_left = (uint32_t)length;
    enter(patch, STATE_EXTRA_LENGTH);
}

/* Section 3 step 5, checked before any output of the triple. */
static void begin_extra(fota_patch *patch, uint64_t length)
{
    if (length > patch->new_size - patch->produced - patch->diff_left) {
        fail(patch, FOTA_PATCH_ERROR_OUTPUT_OVERRUN);
        return;
    }
    patch->extra_left = (uint32_t)length;
    enter(patch, STATE_SEEK);
}

/* Section 1: bit 0 is the sign. Minus zero is a second form of zero, hence not the shortest. */
static void begin_strings(fota_patch *patch, uint64_t number)
{
    const int64_t magnitude = (int64_t)(number >> 1);
    const int64_t seek = (number & 1u) != 0u ? -magnitude : magnitude;
    int64_t base;

    if (number == 1u) {
        fail(patch, FOTA_PATCH_ERROR_VARINT);
        return;
    }
    /* The last triple's seek is never used (section 1), so it may lead anywhere. */
    if (patch->new_size - patch->produced - patch->diff_left != patch->extra_left) {
        /* No overflow: diff_left > 0 only while the range lies inside the old image. */
        base = patch->position + (int64_t)patch->diff_left;
        if (seek > 0 ? base > INT64_MAX - seek : base < INT64_MIN - seek) {
            fail(patch, FOTA_PATCH_ERROR_OLD_RANGE);
            return;
        }
        patch->next_position = base + seek;
    }
    next_frame(patch);
}

/* Section 1: 1 <= frame_len <= B. */
static void begin_frame(fota_patch *patch, uint64_t length)
{
    if (length == 0u || length > patch->block_size) {
        fail(patch, FOTA_PATCH_ERROR_FRAME_LENGTH);
        return;
    }
    patch->frame_length = (uint32_t)length;
    patch->frame_filled = 0u;
    if (patch->frame_length > patch->largest_frame) {
        patch->largest_frame = patch->frame_length;
    }
    enter(patch, STATE_FRAME);
}

/* Section 1: little-endian base-128, at most 7 bytes; the shortest form is required. */
static void take_varint(fota_patch *patch, uint8_t byte)
{
    uint64_t value;

    patch->number |= (uint64_t)(byte & 0x7fu) << (7u * patch->number_bytes);
    patch->number_bytes++;
    if ((byte & 0x80u) != 0u) {
        if (patch->number_bytes == VARINT_MAX_BYTES) {
            fail(patch, FOTA_PATCH_ERROR_VARINT);
        }
        return;
    }
    if (byte == 0u && patch->number_bytes > 1u) {
        fail(patch, FOTA_PATCH_ERROR_VARINT);
        return;
    }
    value = patch->number;
    switch (patch->state) {
    case STATE_DIFF_LENGTH:
        begin_diff(patch, value);
        break;
    case STATE_EXTRA_LENGTH:
        begin_extra(patch, value);
        break;
    case STATE_SEEK:
        begin_strings(patch, value);
        break;
    default:
        begin_frame(patch, value);
        break;
    }
}

/* Section 3 steps 4 and 6: decompress, add the old bytes in a diff string, emit. */
static void end_frame(fota_patch *patch)
{
    const int is_diff = patch->diff_left > 0u;
    const uint32_t wanted = is_diff ? patch->diff_left : patch->extra_left;
    const uint32_t length
        = fota_lz4_decode(patch->frame, patch->frame_length, patch->plain, patch->block_size);
    uint32_t i;

    if (length == 0u) {
        fail(patch, FOTA_PATCH_ERROR_FRAME_DATA);
        return;
    }
    if (length > wanted) { /* section 3: devices do not notice this and write a corrupt image */
        fail(patch, FOTA_PATCH_ERROR_FRAME_SURPLUS);
        return;
    }
    if (is_diff) {
        /* The compressed bytes are used up, so their buffer takes the old ones. */
        if (patch->read_old(patch->user, (uint32_t)patch->position, patch->frame, length) != 0) {
            fail(patch, FOTA_PATCH_ERROR_READ);
            return;
        }
        for (i = 0u; i < length; i++) {
            patch->plain[i] = (uint8_t)(patch->plain[i] + patch->frame[i]);
        }
        patch->position += (int64_t)length;
        patch->diff_left -= length;
    } else {
        patch->extra_left -= length;
    }
    if (patch->write_new(patch->user, patch->plain, length) != 0) {
        fail(patch, FOTA_PATCH_ERROR_WRITE);
        return;
    }
    patch->produced += length;
    next_frame(patch);
}

/* Take as many of `available` bytes as the frame still lacks; returns their number. */
static uint32_t take_frame(fota_patch *patch, const uint8_t *data, uint32_t available)
{
    const uint32_t missing = patch->frame_length - patch->frame_filled;
    const uint32_t count = available < missing ? available : missing;
    uint8_t *to = patch->frame + patch->frame_filled;
    uint32_t i;

    for (i = 0u; i < count; i++) {
        to[i] = data[i];
    }
    patch->frame_filled += count;
    patch->consumed += count;
    if (count == missing) {
        end_frame(patch);
    }
    return count;
}

static void take_byte(fota_patch *patch, uint8_t byte)
{
    patch->consumed++;
    switch (patch->state) {
    case STATE_MAGIC:
        take_magic(patch, byte);
        break;
    case STATE_NEW_SIZE:
    case STATE_BLOCK_SIZE:
    case STATE_LARGEST:
        take_header_integer(patch, byte);
        break;
    default:
        take_varint(patch, byte);
        break;
    }
}

void fota_patch_init(fota_patch *patch, uint8_t *frame_buffer, uint8_t *plain_buffer,
                     uint32_t block_capacity, uint32_t old_size, fota_patch_read_old read_old,
                     fota_patch_write_new write_new, void *user)
{
    /* All other members are zero. */
    *patch = (fota_patch) {
        .read_old = read_old,
        .write_new = write_new,
        .user = user,
        .frame = frame_buffer,
        .plain = plain_buffer,
        .block_capacity = block_capacity,
        .old_size = old_size,
        .status = FOTA_PATCH_MORE,
    };
    enter(patch, STATE_MAGIC);
}

int fota_patch_feed(fota_patch *patch, const uint8_t *data, uint32_t length)
{
    uint32_t used = 0u;

    while (patch->status == FOTA_PATCH_MORE && used < length) {
        if (patch->state == STATE_FRAME) {
            used += take_frame(patch, data + used, length - used);
        } else {
            take_byte(patch, data[used]);
            used++;
        }
    }
    if (patch->status == FOTA_PATCH_DONE && used < length) {
        patch->item_offset = patch->consumed;
        fail(patch, FOTA_PATCH_ERROR_TRAILING);
    }
    return patch->status;
}

int fota_patch_finish(fota_patch *patch)
{
    if (patch->status == FOTA_PATCH_DONE) {
        return FOTA_PATCH_OK;
    }
    if (patch->status == FOTA_PATCH_MORE) {
        patch->item_offset = patch->consumed;
        fail(patch, FOTA_PATCH_ERROR_TRUNCATED);
    }
    return patch->status;
}

uint64_t fota_patch_input_offset(const fota_patch *patch)
{
    return patch->status >= FOTA_PATCH_FIRST_ERROR ? patch->item_offset : patch->consumed;
}

uint32_t fota_patch_new_size(const fota_patch *patch)
{
    return patch->new_size;
}

uint32_t fota_patch_block_size(const fota_patch *patch)
{
    return patch->block_size;
}

size_t fota_patch_context_size(void)
{
    return sizeof(fota_patch);
}
