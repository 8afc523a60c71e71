/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/foreign.h"

#include <stdio.h>
#include <string.h>

#define HEADER_SIZE 16
#define QUOTED 32

bool foreign_header(const uint8_t *p, unsigned *ret_minor)
{
    static const char tail[] = " trace\0\0\0";
    unsigned minor = 0;
    size_t i = 5;

    if (memcmp(p, "go 1.", 5) != 0)
        return false;
    for (; i < 7 && p[i] >= '0' && p[i] <= '9'; i++)
        minor = minor * 10 + (unsigned)(p[i] - '0');
    if (i == 5 || memcmp(p + i, tail, i == 7 ? 9 : 10) != 0)
        return false;
    *ret_minor = minor;
    return true;
}

const char *foreign_name(const uint8_t *p, size_t n, char ret[static FOREIGN_TEXT_SIZE])
{
    size_t text = 0, line;
    unsigned minor;

    if (n >= HEADER_SIZE && foreign_header(p, &minor)) {
        (void)snprintf(ret, FOREIGN_TEXT_SIZE,
                       "another trace begins here, of go 1.%u: there are two in one file", minor);
        return ret;
    }
    while (text < n && foreign_is_text(p[text]))
        text++;
    if (text < FOREIGN_TEXT_MIN && text < n) {
        (void)snprintf(ret, FOREIGN_TEXT_SIZE, "expected a batch, found event type %u", p[0]);
        return ret;
    }
    for (line = 0; line < text && line < QUOTED && p[line] >= ' ';)
        line++;
    (void)snprintf(ret, FOREIGN_TEXT_SIZE,
                   "text in the trace, as if the program printed into it: \"%.*s\"%s", (int)line,
                   (const char *)p, line < text ? "..." : "");
    return ret;
}
