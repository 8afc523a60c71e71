/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/common/varint.h"

struct varint varint_long(const uint8_t *p, const uint8_t **end)
{
    struct varint number = {0, NULL};

    number.next = varint_get(p, p + 10, &number.value);
    if (!number.next) {
        *end = NULL;
        number.next = p + 1;
    }
    return number;
}
