/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/artifact/profile_fields.h"

#include <errno.h>
#include <string.h>

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

#define VALUE_TYPE 1 /* of message ValueType */

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

static bool is_type(const struct profile_fields *p, uint64_t string)
{
    for (size_t i = 0; i < p->n_types; i++) {
        if (p->types[i] == string)
            return true;
    }
    return false;
}

/* The varint at *at in the text, and *at moves behind it. False: the text ends before. */
static bool read_varint(const struct profile_fields *p, size_t *at, uint64_t *ret)
{
    *ret = 0;
    for (unsigned shift = 0; shift <= 63 && *at < p->n_text; shift += 7) {
        uint8_t byte = p->text[(*at)++];

        *ret |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return true;
    }
    return false;
}

/* A sample type: message ValueType, whose first field is the string that names it. */
static void take_type(struct profile_fields *p)
{
    uint64_t key, value, type = 0;
    size_t at = 0;

    while (read_varint(p, &at, &key) && (key & 7) == WIRE_VARINT && read_varint(p, &at, &value)) {
        if (key >> 3 == VALUE_TYPE)
            type = value;
    }
    if (p->n_types < PROFILE_FIELDS_TYPES)
        p->types[p->n_types++] = type;
}

static void take_string(struct profile_fields *p)
{
    size_t n = strlen(p->wanted);

    if (n == p->n_text && memcmp(p->text, p->wanted, n) == 0 && !profile_fields_matches(p))
        p->wanted_at = p->strings;
    if (p->n_types > 0 && p->types[p->n_types - 1] == p->strings) {
        n = strnlen((const char *)p->text, p->n_text);
        n = n < sizeof(p->type) ? n : sizeof(p->type) - 1;
        memcpy(p->type, p->text, n);
        p->type[n] = '\0';
    }
    p->strings++;
}

static void end_field(struct profile_fields *p)
{
    p->state = STATE_KEY;
    if (p->field == SAMPLE_TYPE)
        take_type(p);
    else if (p->field == STRING_TABLE)
        take_string(p);
    p->n_text = 0;
}

static void skip(struct profile_fields *p, uint64_t n)
{
    p->left = n;
    p->state = STATE_SKIP;
    if (n == 0)
        end_field(p);
}

/* Keeps the beginning of a field that is looked at when it ends. */
static void keep(struct profile_fields *p, const uint8_t *data, uint64_t n)
{
    size_t room = sizeof(p->text) - p->n_text;

    if (p->field != SAMPLE_TYPE && p->field != STRING_TABLE)
        return;
    if (n > room)
        n = room;
    memcpy(p->text + p->n_text, data, n);
    p->n_text += n;
}

static int take_key(struct profile_fields *p)
{
    unsigned wire = p->number & 7;

    p->field = p->number >> 3;
    if (p->field == 0 || (p->field <= LAST_KNOWN && wire != wires[p->field] &&
                          !(p->field == COMMENT && wire == WIRE_LENGTH)))
        return bad(p);
    p->samples += p->field == SAMPLE;
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
            p->duration = (int64_t)p->number;
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
        keep(p, at, more);
        at += more;
        skip(p, p->left - more);
    }
    return r;
}

bool profile_fields_whole(const struct profile_fields *p)
{
    return p->state == STATE_KEY && p->shift == 0 && p->n_types > 0 && p->strings > 0;
}

bool profile_fields_matches(const struct profile_fields *p)
{
    return p->wanted_at > 0 && is_type(p, p->wanted_at);
}
