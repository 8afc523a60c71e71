/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/view/view.h"

#include <string.h>

static const struct view rows[] = {
    {"timeline", {"timeline", "--json", "--lines=250"}, "application/json", NULL},
    {"perfetto", {"timeline", "--output=-"}, "application/octet-stream", ".pftrace"},
    {"sched", {"pprof", "--sched", "--labels"}, "application/octet-stream", ".sched.pb.gz"},
    {"sync", {"pprof", "--sync", "--labels"}, "application/octet-stream", ".sync.pb.gz"},
    {"net", {"pprof", "--net", "--labels"}, "application/octet-stream", ".net.pb.gz"},
    {"syscall", {"pprof", "--syscall", "--labels"}, "application/octet-stream", ".syscall.pb.gz"},
};

const struct view *view_at(size_t i)
{
    return i < sizeof(rows) / sizeof(rows[0]) ? &rows[i] : NULL;
}

const struct view *view_named(const char *name)
{
    const struct view *view;

    for (size_t i = 0; (view = view_at(i)); i++)
        if (strcmp(view->name, name) == 0)
            return view;
    return NULL;
}
