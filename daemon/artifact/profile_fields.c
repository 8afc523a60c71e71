/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/artifact/profile_fields.h"

#include <errno.h>

enum { STATE_KEY, STATE_NUMBER, STATE_LENGTH, STATE_SKIP, STATE_BAD };

/* Protobuf's wire types. */
enum { WIRE_VARINT, WIRE_64, WIRE_LENGTH, WIRE_32 = 5 };

/* Numbers of fields. */
enum {
    SAMPLE_TYPE = 1,
    SAMPLE = 2,
    STRING_TABLE = 6,
    DURATION = 10,
    COMMENT = 13, /* a repeated number: packed or not */
    LAST_KNOWN = 14,
};

/* The wire type of each field up to LAST_KNOWN; WIRE_VARINT unless listed. */
static const uint8_t wires[LAST_KNOWN + 1] = {
    [SAMPLE_TYPE] = WIRE_LENGTH,
    [SAMPLE] = WIRE_LENGTH,
    [3] = WIRE_LENGTH, /* mapping, location, function */
    [4] = WIRE_LENGTH,
    [5] = WIRE_LENGTH,
    [STRING_TABLE] = WIRE_LENGTH,
    [11] = WIRE_LENGTH, /* period_type */
};

static int bad(struct profile_fields *p)
{
    p->state = STATE_BAD;
    return -EBADMSG;
}

static void skip(struct profile_fields *p, uint64_t n)
{
    p->left = n;
    p->state = n > 0 ? STATE_SKIP : STATE_KEY;
}

static int take_key(struct profile_fields *p)
{
    unsigned wire = p->number & 7;

    p->field = p->number >> 3;
    if (p->field == 0 || (p->field <= LAST_KNOWN && wire != wires[p->field] &&
                          !(p->field == COMMENT && wire == WIRE_LENGTH)))
        return bad(p);
    p->samples += p->field == SAMPLE;
    p->typed = p->typed || p->field == SAMPLE_TYPE;
    p->named = p->named || p->field == STRING_TABLE;
    switch (wire) {
    case WIRE_VARINT: p->state = STATE_NUMBER; break;
    case WIRE_LENGTH: p->state = STATE_LENGTH; break;
    case WIRE_64: skip(p, 8); break;
    case WIRE_32: skip(p, 4); break;
    default: return bad(p);
    }
    return 0;
}

static int take_number(struct profile_fields *p)
{
    int r = 0;

    if (p->state == STATE_KEY) {
        r = take_key(p);
    } else if (p->state == STATE_LENGTH) {
        skip(p, p->number);
    } else {
        if (p->field == DURATION)
            p->duration = p->number;
        p->state = STATE_KEY;
    }
    p->number = p->shift = 0;
    return r;
}

static int take_byte(struct profile_fields *p, uint8_t byte)
{
    if (p->shift > 63)
        return bad(p);
    p->number |= (uint64_t)(byte & 0x7f) << p->shift;
    p->shift += 7;
    return byte & 0x80 ? 0 : take_number(p);
}

int profile_fields_feed(struct profile_fields *p, const void *data, size_t n)
{
    const uint8_t *at = data, *end = at + n;
    int r = p->state == STATE_BAD ? -EBADMSG : 0;

    while (at < end && r == 0) {
        uint64_t more = (uint64_t)(end - at);

        if (p->state != STATE_SKIP) {
            r = take_byte(p, *at++);
            continue;
        }
        if (more > p->left)
            more = p->left;
        at += more;
        skip(p, p->left - more);
    }
    return r;
}

bool profile_fields_whole(const struct profile_fields *p)
{
    return p->state == STATE_KEY && p->shift == 0 && p->typed && p->named;
}
