/* SPDX-License-Identifier: Apache-2.0 */
#include "base/segments.h"

#include <string.h>
#include <strings.h>

/* How many dots a segment consists of; 0 if it is empty or has anything else. */
static unsigned dots(const char *part, size_t n, bool escaped)
{
    unsigned count = 0;

    for (size_t i = 0; i < n; count++) {
        if (part[i] == '.')
            i++;
        else if (escaped && n - i >= 3 && strncasecmp(part + i, "%2e", 3) == 0)
            i += 3;
        else
            return 0;
    }
    return count;
}

enum segments segments_check(const char *path, bool escaped)
{
    const char *part = path + (*path == '/');

    for (size_t n; *part; part += n + (part[n] == '/')) {
        unsigned d;

        n = strcspn(part, "/");
        d = dots(part, n, escaped);
        if (n == 0)
            return SEGMENTS_EMPTY;
        if (d == 1 || d == 2)
            return SEGMENTS_DOTS;
    }
    return SEGMENTS_FINE;
}

bool segments_climb(const char *path)
{
    size_t n;

    for (const char *part = path; *part; part += n + (part[n] == '/')) {
        n = strcspn(part, "/");
        if (dots(part, n, false) == 2)
            return true;
    }
    return false;
}

/* Skips slashes and `.` segments. */
static const char *next(const char *path)
{
    while (path[0] == '/' || (path[0] == '.' && (path[1] == '/' || path[1] == '\0')))
        path++;
    return path;
}

bool segments_within(const char *path, const char *dir)
{
    for (dir = next(dir), path = next(path); *dir; dir = next(dir), path = next(path)) {
        size_t n = strcspn(dir, "/");

        if (strcspn(path, "/") != n || strncmp(path, dir, n) != 0)
            return false;
        path += n;
        dir += n;
    }
    return true;
}
