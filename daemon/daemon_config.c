/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/loop.h"
#include "daemon/control/notify.h"
#include "daemon/daemon_state.h"

static void say_reload_failed(struct daemon *d, int r, struct diags *diags)
{
    static const struct log_fields fields = {.message_id = MESSAGE_ID_RELOAD_FAILED};
    _cleanup_free_ char *text = diags_brief(diags);

    d->counters.reloads_failed++;
    log_write(LOG_LEVEL_ERROR, &fields, "reload failed, the old configuration stays: %s",
              text ? text : strerror(-r));
}

static int load_and_use(struct daemon *d, struct diags *diags)
{
    struct config *fresh = NULL;
    int r = options_load(d->options, &fresh, &d->config_file, diags);

    if (r < 0)
        return r;
    r = part_table_set(d->parts, d, fresh, d->config);
    if (r < 0) {
        config_free(fresh);
        return r;
    }
    part_table_use(d->parts, d, fresh);
    config_free(d->config);
    d->config = fresh;
    return 0;
}

int daemon_reload(struct daemon *d, struct diags *diags)
{
    static const struct log_fields fields = {.message_id = MESSAGE_ID_RELOADED};
    int r;

    notify_reloading();
    r = load_and_use(d, diags);
    d->counters.last_reload = loop_now(d->event, CLOCK_REALTIME);
    d->counters.last_reload_ok = r >= 0;
    if (r < 0) {
        say_reload_failed(d, r, diags);
    } else {
        d->counters.reloads++;
        d->counters.config_read = d->counters.last_reload;
        log_write(LOG_LEVEL_INFO, &fields, "reloaded %s: %zu target%s",
                  d->config_file ? d->config_file : "the command line", targets_count(d->targets),
                  targets_count(d->targets) == 1 ? "" : "s");
    }
    notify_ready();
    daemon_tell_status(d);
    return r;
}
