/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ask/escape.h"

#include <string.h>

static bool is_plain(char c, bool path)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("-._~", c)) || (path && c == '/');
}

int escape_add(struct buf *b, const char *text, bool path)
{
    int r = 0;

    for (; *text && r == 0; text++) {
        if (is_plain(*text, path))
            r = buf_add(b, text, 1);
        else
            r = buf_addf(b, "%%%02X", (unsigned)(unsigned char)*text);
    }
    return r;
}

int escape_query(struct buf *b, const struct escape_pair *pairs, size_t n)
{
    int r = 0;

    for (size_t i = 0; i < n && r == 0; i++) {
        if (!pairs[i].value)
            continue;
        r = buf_addf(b, "&%s=", pairs[i].name);
        if (r == 0)
            r = escape_add(b, pairs[i].value, false);
    }
    return r;
}
