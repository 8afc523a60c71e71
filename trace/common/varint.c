/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/common/varint.h"

/* Joins seven bits of each byte to a number. */
static uint64_t gather(uint64_t bytes)
{
    bytes = (bytes & 0x007f007f007f007fU) | (bytes & 0x7f007f007f007f00U) >> 1;
    bytes = (bytes & 0x00003fff00003fffU) | (bytes & 0x3fff00003fff0000U) >> 2;
    return (bytes & 0x0fffffffU) | (bytes & 0x0fffffff00000000U) >> 4;
}

/* Up to eight bytes are read as one word; the first byte without the top bit is the last one. Most
 * of these numbers are sizes of the heap and have four. */
struct varint varint_long(const uint8_t *p, const uint8_t **end)
{
    struct varint number = {0, NULL};
    uint64_t word, ends;

    if (__builtin_expect(p[3] < 0x80, 1)) {
        number.next = varint_four(p, &number.value, end);
        return number;
    }

    memcpy(&word, p, sizeof(word));
    word = le64toh(word);
    ends = ~word & 0x8080808080808080U;
    if (ends != 0) {
        uint64_t within = ends ^ (ends - 1); /* all bits up to the first */

        number.value = gather(word & within);
        number.next = p + (unsigned)__builtin_ctzll(ends) / 8 + 1;
        return number;
    }

    number.next = varint_get(p, p + 10, &number.value);
    if (!number.next) {
        *end = NULL;
        number.next = p + 1;
    }
    return number;
}
