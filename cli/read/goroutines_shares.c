/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "cli/read/goroutines.h"

const struct goroutines_field goroutines_fields[TIMES_N] = {
    [TIMES_TOTAL] = {"total", "TOTAL", "total_ns"},
    [TIMES_EXEC] = {"exec", "EXEC", "exec_ns"},
    [TIMES_SCHED_WAIT] = {"sched-wait", "SCHED", "sched_wait_ns"},
    [TIMES_BLOCK] = {"block", "BLOCK", "block_ns"},
    [TIMES_SYSCALL] = {"syscall", "SYSCALL", "syscall_ns"},
    [TIMES_SYSCALL_BLOCK] = {"syscall-block", "SYSBLK", "syscall_block_ns"},
    [TIMES_UNKNOWN] = {"unknown", NULL, "unknown_ns"},
    [TIMES_ASSIST] = {"assist", NULL, "assist_ns"},
    [TIMES_SWEEP] = {"sweep", NULL, "sweep_ns"},
    [TIMES_STW] = {"stw", NULL, "stw_ns"},
};

static int larger(const void *a, const void *b)
{
    const struct goroutines_share *x = a, *y = b;

    if (x->ns != y->ns)
        return x->ns > y->ns ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* Go's names of ranges; blocking has its reason. */
static void put_name(const struct column *c, struct goroutines_share *share)
{
    static const struct {
        const char *before, *after;
    } forms[] = {
        [COLUMN_BLOCK] = {"", ""},
        [COLUMN_ASSIST] = {"GC mark assist", ""},
        [COLUMN_SWEEP] = {"GC incremental sweep", ""},
        [COLUMN_STW] = {"stop-the-world (", ")"},
    };

    (void)snprintf(share->name, sizeof(share->name), "%s%s%s", forms[c->kind].before, c->text,
                   forms[c->kind].after);
}

size_t goroutines_shares(const struct goroutines_result *g, const struct times *t, bool ranges,
                         struct goroutines_share ret[COLUMNS_MAX])
{
    size_t n = 0;

    for (uint32_t i = t->shares; i != SHARES_NONE; i = g->shares->list[i].next) {
        const struct share *share = &g->shares->list[i];
        const struct column *c = &g->columns->list[share->column];

        if (share->ns == 0 || (c->kind != COLUMN_BLOCK) != ranges)
            continue;
        put_name(c, &ret[n]);
        ret[n++].ns = share->ns;
    }
    qsort(ret, n, sizeof(*ret), larger);
    return n;
}
