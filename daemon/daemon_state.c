/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/daemon_state.h"

#include <stdio.h>

#include "base/parse.h"
#include "daemon/control/notify.h"

/* Counts as states change, and not all targets each time: with thousands of targets a capture ends
 * often. */
void daemon_count_failing(struct daemon *d, struct target *t)
{
    bool failing = !t->gone && target_lane_fails(target_primary(t));

    if (failing != t->counted_failing)
        d->failing += failing ? 1 : (size_t)-1;
    t->counted_failing = failing;
}

void daemon_tell_status(const struct daemon *d)
{
    struct spool_stats stats;
    char when[CLOCK_RFC3339_SIZE], size[PARSE_TEXT_SIZE], uploads[64] = "";
    char causes[SUSPENSION_NAMES_SIZE];
    bool suspended = suspension_active(d->suspension);

    spool_stats(d->spool, &stats);
    if (d->config->upload.url)
        (void)snprintf(uploads, sizeof(uploads), ", %llu to upload%s",
                       (unsigned long long)stats.pending_files,
                       uploader_failing(d->uploader) ? " (failing)" : "");
    notify_status("%s%s%s%zu target%s (%zu failing), last capture %s, %llu traces kept, %s%s",
                  suspended ? "suspended (" : "", suspension_names(d->suspension, causes),
                  suspended ? "), " : "", targets_count(d->targets),
                  targets_count(d->targets) == 1 ? "" : "s", d->failing,
                  d->counters.last_success ? clock_rfc3339(d->counters.last_success, when)
                                           : "never",
                  (unsigned long long)(stats.archive_files + stats.pending_files),
                  format_size(stats.archive_bytes + stats.pending_bytes, size), uploads);
}

struct retention_limits daemon_limits(const struct config *c)
{
    return (struct retention_limits){
        .max_bytes = c->storage.max_bytes,
        .max_age = c->storage.max_age,
        .max_files = c->storage.max_files,
        .min_free = c->storage.min_free,
        .keep_worst = (unsigned)c->storage.keep_worst,
        .keep_incidents = c->incidents.keep,
    };
}

const char *daemon_host(struct daemon *d)
{
    if (d->config->host)
        return d->config->host;
    return uname(&d->uname) == 0 ? d->uname.nodename : "localhost";
}

uint64_t daemon_random_seed(void)
{
    return clock_real() ^ (clock_boot() << 20);
}
