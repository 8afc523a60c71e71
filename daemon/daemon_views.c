/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The part "views": what is made of a kept trace when somebody asks, by the program and within the
 * limits of inspections.
 */

#include "daemon/daemon_state.h"
#include "lib/process/beside.h"

static int open_kept(void *userdata, const char *key)
{
    const struct daemon *d = userdata;
    int fd = -1, r = spool_open(d->spool, key, &fd);

    return r < 0 ? r : fd;
}

static int open_scratch(void *userdata)
{
    const struct daemon *d = userdata;
    int fd = -1, r = spool_scratch(d->spool, &fd);

    return r < 0 ? r : fd;
}

int daemon_views_new(struct daemon *d)
{
    static const struct views_handlers handlers = {open_kept, open_scratch};

    return d->options->once ? 0 : views_new(d->event, &handlers, d, &d->views);
}

int daemon_views_set(struct daemon *d, const struct config *c)
{
    char path[BESIDE_PATH_SIZE];
    const struct views_settings settings = {
        .command = c->inspect.command ? c->inspect.command : beside_find("contrace", path),
        .timeout = c->inspect.timeout,
        .memory = c->inspect.max_memory,
    };

    return d->views ? views_set(d->views, &settings) : 0;
}

void daemon_views_drain(struct daemon *d)
{
    if (d->views)
        views_cut(d->views);
}

void daemon_views_free(struct daemon *d)
{
    views_free(d->views);
}
