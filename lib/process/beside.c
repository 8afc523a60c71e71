/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/process/beside.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *beside_find(const char *name, char path[static BESIDE_PATH_SIZE])
{
    ssize_t n = readlink("/proc/self/exe", path, BESIDE_PATH_SIZE - 1);
    char *slash;
    size_t room;

    path[n > 0 ? n : 0] = '\0';
    slash = strrchr(path, '/');
    if (slash) {
        room = BESIDE_PATH_SIZE - (size_t)(slash + 1 - path);
        if ((size_t)snprintf(slash + 1, room, "%s", name) < room && access(path, X_OK) == 0)
            return path;
    }
    (void)snprintf(path, BESIDE_PATH_SIZE, "%s/%s", CONTRACE_BINDIR, name);
    return path;
}
