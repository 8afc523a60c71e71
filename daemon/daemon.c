/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/daemon.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <systemd/sd-event.h>

#include "base/log.h"
#include "config.h"
#include "daemon/control/notify.h"
#include "daemon/daemon_state.h"
#include "daemon/parts.h"

/* Makes all parts and puts the first configuration into force. */
static int build(struct daemon *d)
{
    int r = part_table_new(d->parts, d);

    if (r < 0)
        return r;
    r = part_table_set(d->parts, d, d->config, NULL);
    if (r < 0) {
        part_table_free(d->parts, d);
        return r;
    }
    part_table_use(d->parts, d, d->config);
    d->counters.last_reload = d->counters.config_read = clock_real();
    d->counters.last_reload_ok = true;
    return 0;
}

int daemon_new(const struct options *options, struct config *config, const char *config_file,
               struct daemon **ret)
{
    struct daemon *d = calloc(1, sizeof(*d));
    int r;

    if (!d) {
        config_free(config);
        return -ENOMEM;
    }
    d->parts = &parts;
    d->options = options;
    d->config = config;
    d->config_file = config_file;
    r = build(d);
    if (r < 0) {
        log_error("contraced cannot start: %s", strerror(-r));
        config_free(config);
        free(d);
        return r;
    }
    *ret = d;
    return 0;
}

void daemon_free(struct daemon *d)
{
    if (!d)
        return;
    part_table_free(d->parts, d);
    config_free(d->config);
    free(d);
}

static void say_started(const struct daemon *d)
{
    static const struct log_fields fields = {.message_id = MESSAGE_ID_STARTED};

    log_write(LOG_LEVEL_INFO, &fields, "contraced %s: %zu target%s, traces in %s", PACKAGE_VERSION,
              targets_count(d->targets), targets_count(d->targets) == 1 ? "" : "s",
              d->config->storage.path);
}

static void say_stopped(const struct daemon *d)
{
    static const struct log_fields fields = {.message_id = MESSAGE_ID_STOPPED};
    char memory[1024];
    struct buf text;

    buf_over(&text, memory, sizeof(memory));
    counters_describe(&d->counters, &text);
    if (d->config->upload.url)
        uploader_describe(d->uploader, &text);
    log_write(LOG_LEVEL_INFO, &fields, "stopped; %s", buf_str(&text));
}

static bool lists_come_later(const struct config *c)
{
    for (size_t i = 0; i < c->n_jobs; i++) {
        if (c->jobs[i].n_http_sd > 0)
            return true;
    }
    return false;
}

int daemon_run(struct daemon *d)
{
    int r = notify_watchdog(d->event);

    if (r < 0)
        log_warn("the watchdog cannot be fed: %s", strerror(-r));
    d->once_left = targets_scheduled(d->targets);
    say_started(d);
    if (d->options->once && d->once_left == 0) {
        log_error("no targets: %s", lists_come_later(d->config)
                                        ? "--once does not wait for what http_sd_configs list"
                                        : "file_sd_configs found none");
        return EXIT_FAILURE;
    }
    notify_ready();
    daemon_tell_status(d);
    r = sd_event_loop(d->event);
    if (r < 0)
        log_error("the event loop failed: %s", strerror(-r));
    say_stopped(d);
    /* Without the loop nothing that is in flight can be ended, and what it uses cannot be freed. It
     * is left as by a kill, which every start copes with. */
    if (r < 0)
        _exit(EXIT_FAILURE);
    if (d->options->once && !uploader_all_sent(d->uploader))
        d->once_failed = true;
    return d->once_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
