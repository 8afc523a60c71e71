/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/process/beside.h"

#include <string.h>
#include <unistd.h>

#define COMMAND "/contrace"

const char *beside_contrace(char path[static BESIDE_PATH_SIZE])
{
    ssize_t n = readlink("/proc/self/exe", path, BESIDE_PATH_SIZE - sizeof(COMMAND));
    char *slash;

    path[n > 0 ? n : 0] = '\0';
    slash = strrchr(path, '/');
    if (slash) {
        (void)strcpy(slash, COMMAND);
        if (access(path, X_OK) == 0)
            return path;
    }
    return CONTRACE_BINDIR COMMAND;
}
