/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/net/header.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

/* Headers that follow from the URL, the body and the options: a caller's would contradict them. */
static const char *const not_for_callers[] = {
    "Connection", "Content-Length",    "Expect", "Host", "TE",
    "Trailer",    "Transfer-Encoding", "Upgrade"};

/* tchar of RFC 9110, section 5.6.2. */
static bool is_token(const char *s, size_t n)
{
    static const char others[] = "!#$%&'*+-.^_`|~";

    for (size_t i = 0; i < n; i++) {
        char c = s[i];

        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
              (c != '\0' && strchr(others, c))))
            return false;
    }
    return n > 0;
}

static bool is_fit_name(const char *name)
{
    for (size_t i = 0; i < sizeof(not_for_callers) / sizeof(not_for_callers[0]); i++) {
        if (strcasecmp(name, not_for_callers[i]) == 0)
            return false;
    }
    return is_token(name, strlen(name));
}

static bool is_fit_value(const char *value)
{
    for (; *value; value++) {
        if ((unsigned char)*value < 0x20 || *value == 0x7f)
            return false;
    }
    return true;
}

int header_format(struct buf *out, const char *name, const char *value)
{
    int r;

    if (!name || !value || !is_fit_name(name) || !is_fit_value(value))
        return -EINVAL;
    value += strspn(value, " ");
    /* libcurl removes the header for "Name:", and sends an empty one for "Name;". */
    r = *value ? buf_addf(out, "%s: %s", name, value) : buf_addf(out, "%s;", name);
    return r == -E2BIG ? -EINVAL : r;
}

static struct header_piece trim(const char *data, size_t n)
{
    while (n > 0 && (*data == ' ' || *data == '\t')) {
        data++;
        n--;
    }
    while (n > 0 && strchr(" \t\r\n", data[n - 1]))
        n--;
    return (struct header_piece){data, n};
}

bool header_split(const char *line, size_t n, struct header_piece *ret_name,
                  struct header_piece *ret_value)
{
    const char *colon = memchr(line, ':', n);
    size_t name_len = colon ? (size_t)(colon - line) : 0;

    if (!is_token(line, name_len) || memchr(line, '\0', n))
        return false;
    *ret_name = (struct header_piece){line, name_len};
    *ret_value = trim(colon + 1, n - name_len - 1);
    return true;
}

bool header_is(const struct header_piece *piece, const char *text)
{
    return piece->n == strlen(text) && strncasecmp(piece->data, text, piece->n) == 0;
}

int header_status(const char *line, size_t n)
{
    const char *end = line + n, *p;
    int status = 0;

    if (n < 5 || strncmp(line, "HTTP/", 5) != 0)
        return 0;
    p = memchr(line, ' ', n);
    for (unsigned digits = 0; p && digits < 3; digits++) {
        p++;
        if (p >= end || *p < '0' || *p > '9')
            return 0;
        status = status * 10 + (*p - '0');
    }
    return status;
}
