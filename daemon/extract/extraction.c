/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/extract/extraction.h"

#include <string.h>

static const char *const views[] = {
    [EXTRACTION_SCHED] = "sched",
    [EXTRACTION_SYNC] = "sync",
    [EXTRACTION_NET] = "net",
    [EXTRACTION_SYSCALL] = "syscall",
};

const char *extraction_view_name(enum extraction_view view)
{
    return views[view];
}

bool extraction_view_find(const char *name, enum extraction_view *ret)
{
    for (unsigned i = 0; i < EXTRACTION_VIEWS; i++) {
        if (strcmp(views[i], name) != 0)
            continue;
        *ret = (enum extraction_view)i;
        return true;
    }
    return false;
}
