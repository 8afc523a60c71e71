/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli/read/alive.h"
#include "trace/goroutines/groups.h"

const char *alive_state(enum gotrace_go_state state)
{
    static const char *const names[] = {
        [GOTRACE_GO_UNDETERMINED] = "undetermined", [GOTRACE_GO_NOT_EXIST] = "gone",
        [GOTRACE_GO_RUNNABLE] = "runnable",         [GOTRACE_GO_RUNNING] = "running",
        [GOTRACE_GO_WAITING] = "waiting",           [GOTRACE_GO_SYSCALL] = "syscall",
    };

    return names[state];
}

bool alive_is_shown(const struct whereabouts_group *g, const struct alive_view *view)
{
    return !view->name || strstr(groups_shown_name(g->name), view->name);
}
