/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Unsigned LEB128 as encoding/binary reads it: ten bytes at most, 64 bits, padded or not. */

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* So many bytes past what varint_padded is given must be readable. */
#define VARINT_PADDING 8

/* Reads a number within [p, end). Returns what follows it, or NULL if it does not end or fit. */
static inline const uint8_t *varint_get(const uint8_t *p, const uint8_t *end, uint64_t *ret) {
    uint64_t v = 0;

    for (unsigned shift = 0; p < end && shift < 70; shift += 7) {
        uint8_t byte = *p++;

        if (shift == 63 && byte > 1)
            return NULL;
        v |= (uint64_t) (byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *ret = v;
            return p;
        }
    }
    return NULL;
}

/*
 * The same where the caller checks afterwards that the number ended within its bounds. Numbers of
 * two to eight bytes take the same steps: their lengths change from one to the next, and a branch
 * on them would be mispredicted all the time.
 */
static inline const uint8_t *varint_padded(const uint8_t *p, uint64_t *ret) {
    const uint64_t tops = 0x8080808080808080U;
    uint64_t v, stop;

    if (__builtin_expect(*p < 0x80, 1)) {
        *ret = *p;
        return p + 1;
    }
    memcpy(&v, p, sizeof(v));
    v = le64toh(v);
    stop = ~v & tops;
    if (__builtin_expect(stop == 0, 0))
        return varint_get(p, p + 10, ret);
    v &= (stop ^ (stop - 1)) & ~tops;
    v = (v & 0x007f007f007f007fU) | (v & 0x7f007f007f007f00U) >> 1;
    v = (v & 0x00003fff00003fffU) | (v & 0x3fff00003fff0000U) >> 2;
    *ret = (v & 0x000000000fffffffU) | (v & 0x0fffffff00000000U) >> 4;
    return p + ((unsigned) __builtin_ctzll(stop) >> 3) + 1;
}
