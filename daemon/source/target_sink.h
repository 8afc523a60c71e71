/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Where a source puts the targets that it has found. Each is a set of labels, as in Prometheus;
 * the job's relabel_configs keep, drop and change it, and what is kept becomes a target to capture.
 * A source holds targets in whatever form it likes: a set is only there while it is put.
 *
 *     struct labelset *ls = target_sink_begin(sink);
 *
 *     labelset_set(ls, "__address__", "10.1.2.3:6060");
 *     labelset_set(ls, "__meta_kubernetes_pod_name", "shop-7d4b");
 *     r = target_sink_put(sink);
 *
 * Labels that mean something, all of them text:
 *
 *     __address__        host:port, [v6]:port, host or unix:/socket; without it a target is invalid
 *     __scheme__         http or https; the job's if the source sets none
 *     __path__           the path of traces; the job's `path` if the source sets none
 *     __param_NAME       a parameter of the request's query, beside `seconds`
 *     __host__           the host in the key (NAME of a pod, say); that of the address if not set
 *     service            the service in the key; the job's name if not set
 *     job                the job's name, set for the rules; stays only if it was changed
 *     __meta_SOURCE_…    what the source knows, for the rules
 *
 * Of what is left after relabelling, all that begins with two underscores goes. The rest are the
 * target's labels, in its records.
 */

#include <stddef.h>

#include "lib/config/data.h"
#include "lib/relabel/labelset.h"

#define TARGET_ADDRESS_SHOWN 256

struct target_sink;

/* What became of a target that was put. */
struct target_fate {
    enum {
        TARGET_KEPT,
        TARGET_DROPPED, /* by a rule */
        TARGET_INVALID, /* it cannot be captured: `why` */
    } end;
    size_t rule;                        /* that dropped it, from 0 */
    const char *why;                    /* a sentence without its end */
    const struct labelset *labels;      /* as they are then */
    const struct target_config *kept;   /* NULL: it is not */
    char address[TARGET_ADDRESS_SHOWN]; /* as the source put it, cut; "" if it had none */
};

/* Called for each target that is put; borrows `fate`. */
typedef void (*target_sink_fn)(void *userdata, const struct target_fate *fate);

/* `list` takes the targets that are kept; `fn` may be NULL. All are borrowed for as long as the sink
 * is there. NULL when memory is short. */
struct target_sink *target_sink_new(const struct job_config *job, struct target_list *list,
                                    target_sink_fn fn, void *userdata);
void target_sink_free(struct target_sink *sink);

/* The set of the next target, emptied, to be filled by the source. Borrowed until it is put. */
struct labelset *target_sink_begin(struct target_sink *sink);

/* Puts the target. 0, also for one that is dropped or invalid; or -ENOMEM. */
int target_sink_put(struct target_sink *sink);

/* Puts all targets of a list that was read from a file or a document, each with one more label,
 * `name` (NULL: none). 0 or -ENOMEM. */
int target_sink_put_list(struct target_sink *sink, const struct target_list *list, const char *name,
                         const char *value);
