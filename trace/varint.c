/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/varint.h"

const uint8_t *varint_long(const uint8_t *p, uint64_t *ret, const uint8_t **end) {
    const uint8_t *next = varint_get(p, p + 10, ret);

    if (next)
        return next;
    *ret = 0;
    *end = NULL;
    return p + 1;
}
