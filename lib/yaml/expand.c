/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/yaml/expand.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "lib/yaml/text.h"

static const char name_letters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";

__attribute__((format(printf, 2, 3))) static int refuse(char **ret_why, const char *fmt, ...)
{
    char *why;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vasprintf(&why, fmt, ap);
    va_end(ap);
    *ret_why = n < 0 ? NULL : why;
    return -EINVAL;
}

/* The inside of ${…}: NAME or NAME:-text, `len` bytes. */
static int expand_one(const char *inside, size_t len, struct buf *out, char **ret_why)
{
    size_t name_len = strspn(inside, name_letters);
    const char *value, *fallback = NULL;
    _cleanup_free_ char *name = NULL;

    if (name_len < len && strncmp(inside + name_len, ":-", 2) == 0 && name_len + 2 <= len)
        fallback = inside + name_len + 2;
    if (name_len == 0 || (inside[0] >= '0' && inside[0] <= '9') || (name_len < len && !fallback))
        return refuse(ret_why,
                      "`${%.*s}` is not an environment variable; write ${NAME} or "
                      "${NAME:-default}, and $$ for a dollar sign",
                      (int)(len < 60 ? len : 60), inside);
    name = strndup(inside, name_len);
    if (!name)
        return -ENOMEM;
    value = getenv(name);
    if (fallback && (!value || *value == '\0'))
        return buf_add(out, fallback, len - (size_t)(fallback - inside));
    if (!value)
        return refuse(ret_why,
                      "the environment variable `%.60s` is not set; ${%.60s:-default} gives it a "
                      "default",
                      name, name);
    if (!text_is_utf8(value))
        return refuse(ret_why, "the environment variable `%.60s` is not UTF-8", name);
    return buf_adds(out, value);
}

int expand_text(const char *text, struct buf *out, char **ret_why)
{
    int r = 0;

    while (*text && r == 0) {
        size_t plain = strcspn(text, "$");
        const char *end;

        r = buf_add(out, text, plain);
        text += plain;
        if (r < 0 || *text == '\0')
            break;
        if (text[1] == '{') {
            end = strchr(text, '}');
            if (!end)
                return refuse(ret_why,
                              "`${` without its closing brace; write $$ for a dollar sign");
            r = expand_one(text + 2, (size_t)(end - text) - 2, out, ret_why);
            text = end + 1;
        } else {
            r = buf_adds(out, "$");
            text += text[1] == '$' ? 2 : 1;
        }
    }
    return r;
}
