/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/context/readings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "daemon/context/cgroup.h"
#include "daemon/context/hoststat.h"
#include "daemon/context/kernelfile.h"
#include "daemon/context/pidstat.h"

#define NS_PER_USEC 1000

struct reading {
    usec at; /* boot time */
    struct hoststat host;
    struct pidstat process;
    struct cgroup_reading cgroup;
};

struct readings {
    char *root;
    uint32_t pid;   /* 0: the process cannot be seen */
    bool elsewhere; /* nor is the service on this machine, as far as is known */
    struct cgroup cgroup;
    bool ended; /* there are two */
    struct reading first, second;
};

/* The first reading of the process also finds its cgroup, the second makes sure that it still is
 * the same process. */
static void read_process(struct readings *r, int root, struct reading *ret)
{
    int error = pidstat_read(root, r->pid, &ret->process);

    if (error == 0 && ret->process.forwards)
        r->elsewhere = true;
    if (error < 0 || ret->process.foreign ||
        (ret == &r->second && ret->process.start != r->first.process.start)) {
        r->pid = 0;
        return;
    }
    if (ret == &r->first)
        cgroup_find(root, r->pid, &r->cgroup);
    cgroup_read(root, &r->cgroup, &ret->cgroup);
}

static void take(struct readings *r, struct reading *ret)
{
    _cleanup_close_ int root = open(r->root, O_PATH | O_DIRECTORY | O_CLOEXEC);

    ret->at = clock_boot();
    hoststat_read(root, &ret->host);
    if (r->pid != 0)
        read_process(r, root, ret);
}

struct readings *readings_begin(const char *root, uint32_t pid)
{
    struct readings *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    r->pid = pid;
    r->root = strdup(root);
    if (!r->root) {
        free(r);
        return NULL;
    }
    take(r, &r->first);
    return r;
}

void readings_end(struct readings *r)
{
    take(r, &r->second);
    r->ended = true;
}

void readings_context(const struct readings *r, struct context *ret)
{
    const struct reading *b = r->ended ? &r->first : NULL, *a = r->ended ? &r->second : &r->first;

    context_init(ret);
    if (r->elsewhere)
        return;
    if (b)
        ret->window = kernelfile_scaled((int64_t)(a->at - b->at), NS_PER_USEC);
    hoststat_tell(b ? &b->host : NULL, &a->host, ret);
    if (r->pid == 0)
        return;
    pidstat_tell(b ? &b->process : NULL, &a->process, ret);
    cgroup_tell(&r->cgroup, b ? &b->cgroup : NULL, &a->cgroup, ret);
}

void readings_free(struct readings *r)
{
    if (!r)
        return;
    free(r->root);
    free(r);
}
