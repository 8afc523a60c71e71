/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Unsigned LEB128 as encoding/binary reads it: ten bytes at most, 64 bits, padded or not. */

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* This many bytes behind the argument of varint_padded must be readable. */
#define VARINT_PADDING 10

/* Reads a number within [p, end). Returns what follows it, or NULL if it does not end or fit. */
static inline const uint8_t *varint_get(const uint8_t *p, const uint8_t *end, uint64_t *ret)
{
    uint64_t v = 0;

    for (unsigned shift = 0; p < end && shift < 70; shift += 7) {
        uint8_t byte = *p++;

        if (shift == 63 && byte > 1)
            return NULL;
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *ret = v;
            return p;
        }
    }
    return NULL;
}

/* A number and the position behind it: both are returned in registers. */
struct varint {
    uint64_t value;
    const uint8_t *next;
};

/* The slow path of varint_padded: numbers of four and more bytes. */
struct varint varint_long(const uint8_t *p, const uint8_t **end) __attribute__((noinline));

/*
 * Reads a number without a look at the bound, for callers that compare the position with *end once,
 * after several numbers. A number of more than 64 bits sets *end to NULL: every position is beyond
 * that. Nearly all numbers have one to three bytes.
 */
static inline const uint8_t *varint_padded(const uint8_t *p, uint64_t *ret, const uint8_t **end)
{
    uint64_t v = p[0];
    struct varint other;

    if (v < 0x80) {
        *ret = v;
        return p + 1;
    }
    if (p[1] < 0x80) {
        *ret = (v - 0x80) | (uint64_t)p[1] << 7;
        return p + 2;
    }
    if (__builtin_expect(p[2] < 0x80, 1)) {
        *ret = (v - 0x80) | (p[1] & 0x7fU) << 7 | (uint64_t)p[2] << 14;
        return p + 3;
    }
    other = varint_long(p, end);
    *ret = other.value;
    return other.next;
}

/* As varint_padded, for numbers that mostly have four bytes: program counters. */
static inline const uint8_t *varint_four(const uint8_t *p, uint64_t *ret, const uint8_t **end)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    v = le32toh(v);
    if (__builtin_expect((v & 0x80808080U) != 0x00808080U, 0))
        return varint_padded(p, ret, end);
    v = (v & 0x007f007fU) | (v & 0x7f007f00U) >> 1;
    *ret = (v & 0x3fffU) | (v & 0x3fff0000U) >> 2;
    return p + 4;
}

/* Skips three numbers of together at most eight bytes; NULL if they have more. */
static inline const uint8_t *varint_skip_three(const uint8_t *p)
{
    uint64_t v, ends;

    memcpy(&v, p, sizeof(v));
    ends = ~le64toh(v) & 0x8080808080808080U;
    ends &= ends - 1;
    ends &= ends - 1;
    return __builtin_expect(ends != 0, 1) ? p + (unsigned)__builtin_ctzll(ends) / 8 + 1 : NULL;
}

/* As varint_padded, for numbers that mostly have one byte. */
static inline const uint8_t *varint_small(const uint8_t *p, uint64_t *ret, const uint8_t **end)
{
    if (__builtin_expect(p[0] >= 0x80, 0))
        return varint_padded(p, ret, end);
    *ret = p[0];
    return p + 1;
}
