/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

size_t utf8_length(const char *p, size_t n)
{
    const unsigned char *u = (const unsigned char *)p;
    unsigned char low = 0x80, high = 0xbf;
    size_t len;

    if (n == 0)
        return 0;
    if (u[0] < 0x80)
        return 1;
    if (u[0] < 0xc2 || u[0] > 0xf4)
        return 0;
    len = u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
    if (n < len)
        return 0;
    /* Second bytes of overlong forms, of surrogates, and of what lies past U+10FFFF. */
    if (u[0] == 0xe0)
        low = 0xa0;
    else if (u[0] == 0xed)
        high = 0x9f;
    else if (u[0] == 0xf0)
        low = 0x90;
    else if (u[0] == 0xf4)
        high = 0x8f;
    for (size_t i = 1; i < len; i++, low = 0x80, high = 0xbf) {
        if (u[i] < low || u[i] > high)
            return 0;
    }
    return len;
}
