/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/artifact/artifact.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRACE_LEAF "/trace"

/* Rounds down, except below one second: a longer window could exceed the server's WriteTimeout. */
usec artifact_window(const struct artifact *a, usec wanted)
{
    if (!a->whole_seconds)
        return wanted;
    return wanted < USEC_PER_SEC ? USEC_PER_SEC : wanted - wanted % USEC_PER_SEC;
}

usec artifact_window_beside(const struct artifact *a, usec window)
{
    usec wanted = window + ARTIFACT_LEAD + ARTIFACT_TAIL;
    usec up = a->whole_seconds ? USEC_PER_SEC - 1 : 0;

    return artifact_window(a, wanted + up);
}

static char *join(const char *directory, size_t n, const char *leaf)
{
    char *path;

    while (n > 0 && directory[n - 1] == '/')
        n--;
    return asprintf(&path, "%.*s/%s", (int)n, directory, leaf) < 0 ? NULL : path;
}

int artifact_path(const struct artifact *a, const char *path, const char *profiles, char **ret)
{
    size_t n = strlen(path), leaf = strlen(TRACE_LEAF);

    if (a->elsewhere)
        return -EINVAL;
    if (!a->sibling)
        *ret = strdup(path);
    else if (profiles)
        *ret = join(profiles, strlen(profiles), a->sibling);
    else if (n >= leaf && strcmp(path + n - leaf, TRACE_LEAF) == 0)
        *ret = join(path, n - leaf, a->sibling);
    else
        return -EINVAL;
    return *ret ? 0 : -ENOMEM;
}
