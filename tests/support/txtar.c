/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/txtar.h"

#include <string.h>

/* The end of the line at `line`, after its newline. */
static const char *line_end(const char *line, const char *end)
{
    const char *newline = memchr(line, '\n', (size_t)(end - line));

    return newline ? newline + 1 : end;
}

static bool is_header(const char *line, const char *end)
{
    size_t n = (size_t)(line_end(line, end) - line);

    return n > strlen("-- ") + strlen(" --\n") && memcmp(line, "-- ", 3) == 0 &&
           memcmp(line + n - 4, " --\n", 4) == 0;
}

/* The next header at or after `at`, or the end. */
static const char *find_header(const char *at, const char *end)
{
    while (at < end && !is_header(at, end))
        at = line_end(at, end);
    return at;
}

bool txtar_next(const char **at, const char *end, struct txtar_file *ret)
{
    const char *header = find_header(*at, end);
    size_t n;

    if (header == end)
        return false;
    ret->data = line_end(header, end);
    n = (size_t)(ret->data - header) - strlen("-- ") - strlen(" --\n");
    n = n < sizeof(ret->name) ? n : sizeof(ret->name) - 1;
    memcpy(ret->name, header + strlen("-- "), n);
    ret->name[n] = '\0';
    *at = find_header(ret->data, end);
    ret->len = (size_t)(*at - ret->data);
    return true;
}
