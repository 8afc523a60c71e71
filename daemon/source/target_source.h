/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What each source of targets can do. A source reads its own section of the jobs in the
 * configuration, finds targets and tells when there are others. discovery.c has the table and lays
 * the targets of all sources together.
 */

#include <stddef.h>
#include <stdio.h>
#include <systemd/sd-event.h>

#include "lib/config/config.h"
#include "lib/yaml/diag.h"

/* Whom a source tells that it may have other targets now: on the event loop, never from `set`. */
struct target_source_context {
    sd_event *event;
    void (*changed)(void *userdata);
    void *userdata;
};

/* `state` is what `new` made. A source that keeps nothing leaves out `new`, `free` and `set`, and
 * its state is NULL. */
struct target_source {
    /* 0 or a negative errno. */
    int (*new)(const struct target_source_context *context, void **ret);
    void (*free)(void *state);

    /* From now on for these jobs. 0; or a negative errno, and nothing changed. */
    int (*set)(void *state, const struct config *config);

    /* Appends the targets of job `i`, borrowed until the next change. The configuration is the one
     * of `set`. 0 or -ENOMEM. */
    int (*targets)(void *state, const struct config *config, size_t i, struct target_list *to);

    /* For somebody who asks whether all is well: what is wrong goes into `d`, what may still come
     * is a line of `warnings`. NULL: nothing can be wrong but the configuration itself. */
    void (*check)(const struct config *config, FILE *warnings, struct diags *d);
};

/* For `targets`: appends items, which stay the others'. 0 or -ENOMEM. */
int target_source_append(struct target_list *to, const struct target_list *from);

extern const struct target_source source_static;
extern const struct target_source source_file_sd;
