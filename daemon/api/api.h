/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The routes of the admin endpoint, what they do and what they answer (docs/API.md): probes,
 * reload, captures on demand, suspension, and listings as JSON. It only reads state and passes on
 * requests; capturing, storing, uploading and suspending are done elsewhere. Only configured
 * targets can be captured.
 */

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

#include "daemon/capture/pipeline.h"
#include "daemon/capture/targets.h"
#include "daemon/control/admin.h"
#include "daemon/extract/extractor.h"
#include "daemon/order/desk.h"
#include "daemon/order/incident.h"
#include "daemon/outcome/counters.h"
#include "daemon/push/push.h"
#include "daemon/ship/uploader.h"
#include "daemon/trigger/suspension.h"
#include "daemon/view/views.h"
#include "daemon/watch/triggers.h"
#include "lib/config/config.h"
#include "lib/spool/spool.h"

/* Everything is borrowed, and must be there until api_free. */
struct api_context {
    sd_event *event;
    struct targets *targets;
    struct desk *desk;
    struct incidents *incidents;
    struct pushes *pushes;
    struct views *views;
    const struct pipeline *pipeline;
    struct spool *spool;
    struct extractor *extractor;
    struct uploader *uploader;
    struct suspension *suspension;
    const struct triggers *triggers;
    struct counters *counters;
    const size_t *failing; /* number of targets whose last capture failed */
    const char *host;      /* host of keys for this machine; copied */
    usec start;            /* real time at which contraced was started */

    void *userdata;                                 /* for the functions below */
    const struct config *(*config)(void *userdata); /* the present one */
    const char *(*config_file)(void *userdata);     /* NULL: no file, only the command line */
    bool (*stopping)(void *userdata);
    /* 0, or a negative errno with the problems in `diags`; then the old configuration stays. */
    int (*reload)(void *userdata, struct diags *diags);
    /* Answers GET /metrics. */
    void (*metrics)(void *userdata, struct admin_call *call);
};

struct api;

/* The context is copied. NULL when memory is short. */
struct api *api_new(const struct api_context *context);

/* To be called when no call waits for an answer any more: after admin_free. NULL is fine. */
void api_free(struct api *a);

/* The table of routes for admin_new, whose userdata must be the api. */
const struct admin_route *api_routes(size_t *ret_n);
