/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The functions of a source of targets. A source reads its own section of each job in the
 * configuration, finds targets and tells when they have changed. discovery.c has the table of
 * sources and puts their targets together. What a source knows of a target it hands over as labels:
 * target_sink.h.
 */

#include <stddef.h>
#include <stdio.h>
#include <systemd/sd-event.h>

#include "daemon/source/target_sink.h"
#include "lib/config/config.h"
#include "lib/yaml/diag.h"

/* What a source gets when it is made. It calls `changed` when it may have other targets than
 * before: on the event loop, never from inside `set`. */
struct target_source_context {
    sd_event *event;
    void (*changed)(void *userdata);
    void *userdata;
};

/* `state` is what `new` made. A source without a state leaves out `new`, `free` and `set`, and gets
 * NULL. */
struct target_source {
    /* 0 or a negative errno. */
    int (*new)(const struct target_source_context *context, void **ret);
    void (*free)(void *state);

    /* Uses the jobs of this configuration from now on. 0; or a negative errno, and nothing
     * changed. */
    int (*set)(void *state, const struct config *config);

    /* Puts the targets of job `i`, each as a set of labels (target_sink.h). `config` is the one that
     * was given to `set`. 0 or -ENOMEM. */
    int (*targets)(void *state, const struct config *config, size_t i, struct target_sink *to);

    /* For --check-config: errors go into `d`; what is only missing yet is a line in `warnings`.
     * NULL: nothing can be wrong outside the configuration itself. */
    void (*check)(const struct config *config, FILE *warnings, struct diags *d);
};

extern const struct target_source source_static;
extern const struct target_source source_file_sd;
extern const struct target_source source_http_sd;
