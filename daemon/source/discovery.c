/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/source/discovery.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/source/target_sink.h"
#include "daemon/source/target_source.h"
#include "lib/config/group.h"

/* All sources, in the order in which their targets are listed. */
static const struct target_source *const sources[] = {
    &source_static,
    &source_file_sd,
    &source_kubernetes,
};

#define N_SOURCES (sizeof(sources) / sizeof(sources[0]))

struct discovery {
    void *states[N_SOURCES];
};

int discovery_new(sd_event *event, discovery_changed_fn fn, void *userdata, struct discovery **ret)
{
    const struct target_source_context context = {event, fn, userdata};
    struct discovery *d = calloc(1, sizeof(*d));

    if (!d)
        return -ENOMEM;
    for (size_t s = 0; s < N_SOURCES; s++) {
        int r = sources[s]->new ? sources[s]->new(&context, &d->states[s]) : 0;

        if (r < 0) {
            discovery_free(d);
            return r;
        }
    }
    *ret = d;
    return 0;
}

void discovery_free(struct discovery *d)
{
    if (!d)
        return;
    for (size_t s = 0; s < N_SOURCES; s++) {
        if (d->states[s])
            sources[s]->free(d->states[s]);
    }
    free(d);
}

int discovery_set(struct discovery *d, const struct config *config)
{
    int r = 0;

    for (size_t s = 0; r == 0 && s < N_SOURCES; s++) {
        if (sources[s]->set)
            r = sources[s]->set(d->states[s], config);
    }
    return r;
}

int discovery_targets(struct discovery *d, const struct config *config, size_t i,
                      struct target_list *ret)
{
    struct target_list list = {0};
    struct target_sink *sink = target_sink_new(&config->jobs[i], &list, NULL, NULL);
    int r = sink ? 0 : -ENOMEM;

    for (size_t s = 0; r == 0 && s < N_SOURCES; s++)
        r = sources[s]->targets(d->states[s], config, i, sink);
    target_sink_free(sink);
    if (r < 0) {
        target_list_done(&list);
        return r;
    }
    *ret = list;
    return 0;
}

void discovery_check(const struct config *config, FILE *warnings, struct diags *d)
{
    for (size_t s = 0; s < N_SOURCES; s++) {
        if (sources[s]->check)
            sources[s]->check(config, warnings, d);
    }
}
