/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/loop.h"
#include "config.h"
#include "daemon/artifact/artifacts.h"
#include "daemon/control/notify.h"
#include "daemon/daemon_state.h"
#include "daemon/settings/settings.h"
#include "lib/config/equal.h"
#include "lib/store/kinds.h"

int daemon_update_targets(struct daemon *d, const struct config *config)
{
    struct target_list *lists = calloc(config->n_jobs + 1, sizeof(*lists));
    const struct target_list **views = calloc(config->n_jobs + 1, sizeof(struct target_list *));
    struct targets_change change;
    size_t total = 0;
    int r = lists && views ? 0 : -ENOMEM;

    for (size_t i = 0; r == 0 && i < config->n_jobs; i++) {
        r = discovery_targets(d->discovery, config, i, &lists[i]);
        views[i] = &lists[i];
        total += lists[i].n * n_artifacts;
    }
    if (r == 0)
        r = timetable_reserve(d->timetable, total);
    if (r == 0)
        r = targets_update(d->targets, config, views, loop_now(d->event, CLOCK_REALTIME),
                           loop_now(d->event, CLOCK_BOOTTIME), &change);
    if (r == 0) {
        timetable_update(d->timetable, &change);
        for (size_t i = 0; i < change.n_removed; i++)
            daemon_count_failing(d, change.removed[i]->target);
        for (size_t i = 0; i < config->n_jobs; i++)
            meters_expect(d->meters, config->jobs[i].name, config->jobs[i].artifacts);
    }
    for (size_t i = 0; lists && i < config->n_jobs; i++)
        free(lists[i].items);
    free(lists);
    free(views);
    return r;
}

/* NULL without upload.url. The first one brings the connections that all of them use. */
static int make_store(struct daemon *d, const struct upload_config *u, struct store **ret)
{
    _cleanup_free_ char *memory = NULL;
    int r = 0;

    *ret = NULL;
    if (!u->url)
        return 0;
    if (!d->store_http)
        r = http_new(d->event, "contraced/" PACKAGE_VERSION, &d->store_http);
    if (r < 0)
        return r;
    if (asprintf(&memory, "%s/destination", d->config->storage.path) < 0) {
        memory = NULL;
        return -ENOMEM;
    }
    return store_new(
        &(struct store_context){
            .event = d->event, .http = d->store_http, .disk = d->disk, .memory = memory},
        u, ret);
}

static void use_store(struct daemon *d, const struct upload_config *u, struct store *store)
{
    spool_set_upload(d->spool, store);
    uploader_set(d->uploader, store, u->concurrency, u->keep_local);
}

int daemon_use_store(struct daemon *d)
{
    struct store *store = NULL;
    int r = make_store(d, &d->config->upload, &store);

    if (r >= 0)
        use_store(d, &d->config->upload, store);
    return r;
}

static void say_reload_failed(struct daemon *d, int r, struct diags *diags)
{
    static const struct log_fields fields = {.message_id = MESSAGE_ID_RELOAD_FAILED};
    _cleanup_free_ char *text = diags_brief(diags);

    d->counters.reloads_failed++;
    log_write(LOG_LEVEL_ERROR, &fields, "reload failed, the old configuration stays: %s",
              text ? text : strerror(-r));
}

/* What the spool's place and this machine's name in keys depend on is not changed under way. */
static void warn_of_fixed(const struct config *old, const struct config *new)
{
    if (strcmp(old->storage.path, new->storage.path) != 0)
        log_warn("storage.path stays %s until contraced is restarted", old->storage.path);
    if (strcmp(old->host ? old->host : "", new->host ? new->host : "") != 0)
        log_warn("global.host stays what it was until contraced is restarted");
}

int daemon_set_suspension(struct daemon *d, const struct config *config)
{
    return d->options->once ? 0 : suspension_set(d->suspension, &config->suspend);
}

/* Everything that may fail for want of memory; what is there already stays as it is. */
static int prepare(struct daemon *d, const struct config *c)
{
    int r = discovery_set(d->discovery, c);

    if (r == 0)
        r = daemon_update_targets(d, c);
    if (r == 0)
        r = labelling_set(d->labelling, &c->inspect);
    if (r == 0)
        r = daemon_set_suspension(d, c);
    if (r == 0 && d->admin)
        r = admin_set(d->admin, &c->web);
    return r;
}

/* What cannot fail; takes the store and the configuration. */
static void apply(struct daemon *d, struct config *fresh, bool new_store, struct store *store)
{
    const struct retention_limits limits = settings_limits(fresh);

    if (new_store)
        use_store(d, &fresh->upload, store);
    else
        uploader_try_again(d->uploader);
    warn_of_fixed(d->config, fresh);
    confinement_check(d->confinement, fresh);
    spool_set_limits(d->spool, &limits);
    pipeline_set_concurrency(d->pipeline, fresh->max_concurrent_captures);
    log_set_level(fresh->log_level);
    log_set_format(fresh->log_format);
    config_free(d->config);
    d->config = fresh;
}

static int load_and_apply(struct daemon *d, struct diags *diags)
{
    struct config *fresh = NULL;
    struct store *store = NULL;
    bool new_store;
    int r = settings_load(d->options, &fresh, &d->config_file, diags);

    if (r < 0)
        return r;
    new_store = !upload_equal(&fresh->upload, &d->config->upload);
    if (new_store)
        r = make_store(d, &fresh->upload, &store);
    if (r == 0)
        r = prepare(d, fresh);
    if (r < 0) {
        (void)prepare(d, d->config);
        store_free(store);
        config_free(fresh);
        return r;
    }
    apply(d, fresh, new_store, store);
    return 0;
}

int daemon_reload(struct daemon *d, struct diags *diags)
{
    static const struct log_fields fields = {.message_id = MESSAGE_ID_RELOADED};
    int r;

    notify_reloading();
    r = load_and_apply(d, diags);
    d->counters.last_reload = loop_now(d->event, CLOCK_REALTIME);
    d->counters.last_reload_ok = r >= 0;
    if (r < 0) {
        say_reload_failed(d, r, diags);
    } else {
        d->counters.reloads++;
        d->counters.config_read = d->counters.last_reload;
        log_write(LOG_LEVEL_INFO, &fields, "reloaded %s: %zu targets",
                  d->config_file ? d->config_file : "the command line", targets_count(d->targets));
    }
    notify_ready();
    daemon_tell_status(d);
    return r;
}
