/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Shared by the daemon's own files only. daemon.c starts and ends the daemon, and daemon_stop.c
 * stops it in steps. parts.c has its parts; the longer ones are in daemon_uploads.c and
 * daemon_api.c. daemon_events.c passes events from one part to another, daemon_signals.c takes
 * signals, daemon_config.c reloads the configuration, daemon_state.c reports the daemon's state.
 */

#include <sys/utsname.h>

#include "base/disk.h"
#include "config.h"
#include "daemon/api/api.h"
#include "daemon/capture/pipeline.h"
#include "daemon/capture/targets.h"
#include "daemon/capture/timetable.h"
#include "daemon/confinement.h"
#include "daemon/control/observation.h"
#include "daemon/extract/extractor.h"
#include "daemon/label/labelling.h"
#include "daemon/label/results.h"
#include "daemon/order/desk.h"
#include "daemon/order/incident.h"
#include "daemon/outcome/meters.h"
#include "daemon/options.h"
#include "daemon/part.h"
#include "daemon/push/push.h"
#include "daemon/rows/rowbook.h"
#include "daemon/ship/uploader.h"
#include "daemon/source/discovery.h"
#include "daemon/trigger/psi.h"
#include "daemon/trigger/suspension.h"
#include "daemon/view/views.h"
#include "daemon/watch/triggers.h"
#include "lib/config/config.h"
#include "lib/net/http.h"
#include "lib/spool/spool.h"
#include "lib/store/interface/store.h"

#define DAEMON_USER_AGENT "contraced/" PACKAGE_VERSION /* in requests to targets and stores */

enum stage {
    STAGE_RUNNING,
    STAGE_DRAINING, /* asked to stop: captures and uploads in flight go on to their end */
    STAGE_CUT,      /* shutdown_timeout is over: only publications go on */
};

struct daemon {
    const struct part_table *parts;
    const struct options *options;
    struct config *config; /* in force; while parts are made: the one that will be */
    const char *config_file;
    struct utsname uname; /* holds the name of the machine */
    sd_event *event;
    struct disk *disk;
    struct spool *spool;
    struct http *http; /* to targets */
    /* To the store, with connections that are kept; NULL until the first store. */
    struct http *store_http;
    struct pipeline *pipeline;
    struct desk *desk;
    struct incidents *incidents;
    struct psi psi; /* asked before an incident */
    struct labelling *labelling;
    struct extractor *extractor;
    struct uploader *uploader;
    struct rowbook *rowbook;
    /* The uploader has a configuration's store, or knows that there is none. */
    bool uploader_is_set;
    bool uploader_is_changed; /* next_store belongs to the configuration that is about to be used */
    struct store *next_store;
    struct discovery *discovery;
    struct targets *targets;
    struct timetable *timetable;
    struct confinement *confinement;
    struct suspension *suspension;
    struct triggers *triggers;
    struct api *api;     /* NULL with --once */
    struct admin *admin; /* the same */
    struct results *results;
    struct pushes *pushes;
    struct views *views;      /* NULL with --once */
    struct counters counters; /* used by the meters */
    struct meters *meters;
    struct observation *observation;
    size_t failing; /* targets whose last capture failed */
    sd_event_source *deadline, *leave;
    enum stage stage;
    usec trim_after;  /* boot time */
    size_t once_left; /* captures that --once still waits for */
    bool once_failed;
};

/* daemon_events.c: callbacks of the parts, with the daemon as userdata. */
void daemon_on_due(void *userdata, struct lane *l, enum reason reason, const char *name, usec due);
void daemon_on_captured(void *userdata, const struct pipeline_end *end);
bool daemon_on_digest(void *userdata, const char *key, const struct digest *digest,
                      struct growth *ret);
void daemon_on_labelled(void *userdata, const struct labelling_label *label);
void daemon_on_discovered(void *userdata);
void daemon_on_suspension(void *userdata, bool suspended);
void daemon_on_scrape(void *userdata, struct admin_call *call);

/* Updates the targets from a configuration and the targets that discovery found. 0 or -ENOMEM. */
int daemon_update_targets(struct daemon *d, const struct config *config);

/* daemon_uploads.c: the functions of a part (parts.c). */
int daemon_uploads_new(struct daemon *d);
int daemon_uploads_set(struct daemon *d, const struct config *c);
void daemon_uploads_use(struct daemon *d, const struct config *c);
void daemon_uploads_drain(struct daemon *d);
void daemon_uploads_cut(struct daemon *d);
bool daemon_uploads_idle(const struct daemon *d);
void daemon_uploads_free(struct daemon *d);

/* daemon_views.c: the functions of a part (parts.c). */
int daemon_views_new(struct daemon *d);
int daemon_views_set(struct daemon *d, const struct config *c);
void daemon_views_drain(struct daemon *d);
void daemon_views_free(struct daemon *d);

/* daemon_triggers.c: the functions of a part (parts.c). */
int daemon_triggers_new(struct daemon *d);
int daemon_triggers_set(struct daemon *d, const struct config *c);
void daemon_triggers_drain(struct daemon *d);
void daemon_triggers_free(struct daemon *d);

/* daemon_api.c: makes the API, unless --once is given. 0 or -ENOMEM. */
int daemon_api_new(struct daemon *d);

/* daemon_signals.c: has signals delivered through the event loop from now on. 0 or a negative
 * errno. */
int daemon_take_signals(struct daemon *d);

/* daemon_stop.c: makes at the start what stopping will need. 0 or a negative errno. */
int daemon_stop_new(struct daemon *d);
void daemon_stop_free(struct daemon *d);

/* Stops the daemon: it leaves the loop when all parts are idle. A second call exits at once. */
void daemon_stop(struct daemon *d, const char *why);

/*
 * daemon_config.c: reads the configuration again. 0; or a negative errno, and everything stays as
 * it was; errors of the file are in `diags`. Tells systemd and logs the result.
 */
int daemon_reload(struct daemon *d, struct diags *diags);

/* daemon_state.c */
/* To be called when a target's state has changed or the target is gone. */
void daemon_count_failing(struct daemon *d, struct target *t);
void daemon_tell_status(const struct daemon *d);

/* The machine's name for keys; borrowed from the configuration or from the daemon. */
const char *daemon_host(struct daemon *d);

/* A seed that differs between daemons, even if they start together. */
uint64_t daemon_random_seed(void);

/* The limits for kept traces. */
struct retention_limits daemon_limits(const struct config *c);
