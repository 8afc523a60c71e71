/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Makes the API, with the functions by which it asks the daemon.
 */

#include <errno.h>

#include "daemon/daemon_state.h"

static const struct config *present_config(void *userdata)
{
    return ((const struct daemon *)userdata)->config;
}

static const char *present_config_file(void *userdata)
{
    return ((const struct daemon *)userdata)->config_file;
}

static bool is_stopping(void *userdata)
{
    return ((const struct daemon *)userdata)->stage != STAGE_RUNNING;
}

static int on_reload(void *userdata, struct diags *diags)
{
    return daemon_reload(userdata, diags);
}

int daemon_api_new(struct daemon *d)
{
    const struct api_context context = {
        .event = d->event,
        .targets = d->targets,
        .desk = d->desk,
        .incidents = d->incidents,
        .pushes = d->pushes,
        .views = d->views,
        .pipeline = d->pipeline,
        .spool = d->spool,
        .extractor = d->extractor,
        .uploader = d->uploader,
        .suspension = d->suspension,
        .triggers = d->triggers,
        .counters = &d->counters,
        .failing = &d->failing,
        .host = daemon_host(d),
        .start = clock_real(),
        .userdata = d,
        .config = present_config,
        .config_file = present_config_file,
        .stopping = is_stopping,
        .reload = on_reload,
        .metrics = daemon_on_scrape,
    };

    if (d->options->once)
        return 0;
    d->api = api_new(&context);
    return d->api ? 0 : -ENOMEM;
}
