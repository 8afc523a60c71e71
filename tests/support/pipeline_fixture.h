/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A pipeline with all that it needs, and one target behind a scripted server: each test has its own.
 */

#include <systemd/sd-event.h>

#include "daemon/capture/pipeline.h"
#include "tests/support/loopback.h"
#include "tests/support/traces.h"

struct world {
    char *dir;
    sd_event *event;
    struct disk *disk;
    struct spool *spool;
    struct http *http;
    struct pipeline *pipeline;
    struct counters counters;
    struct meters *meters;
    struct loopback *server;
    struct target *target;
    struct trace trace;
    unsigned ended; /* captures */
};

/* For cmocka; *state is the world. */
int pipeline_setup(void **state);
int pipeline_teardown(void **state);

/* Makes the target: again after it was given away. */
void pipeline_make_target(struct world *w);

/* Gives the target the settings of a job whose traces are at this path. */
void pipeline_configure(struct world *w, const char *path);

/* Waits for something to happen, and lets it. */
void pipeline_step(struct world *w);

/* Runs until `n` captures have ended in all, and nothing is under way. */
void pipeline_finish(struct world *w, unsigned n);

/* The record of what is kept under that key, as text to be freed. */
char *pipeline_record_of(struct world *w, const char *key);
