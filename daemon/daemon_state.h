/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the daemon's own files share and nobody else sees. daemon.c starts and ends it, daemon_stop.c
 * is the way there, parts.c has its parts (of which daemon_uploads.c and daemon_api.c are longer),
 * daemon_events.c tells one of them what another has to say, daemon_signals.c takes signals,
 * daemon_config.c reloads the configuration, daemon_state.c says how the daemon fares.
 */

#include <sys/utsname.h>

#include "base/disk.h"
#include "daemon/api/api.h"
#include "daemon/capture/pipeline.h"
#include "daemon/capture/targets.h"
#include "daemon/capture/timetable.h"
#include "daemon/confinement.h"
#include "daemon/control/observation.h"
#include "daemon/label/labelling.h"
#include "daemon/label/results.h"
#include "daemon/order/desk.h"
#include "daemon/outcome/meters.h"
#include "daemon/options.h"
#include "daemon/part.h"
#include "daemon/ship/uploader.h"
#include "daemon/source/discovery.h"
#include "daemon/trigger/suspension.h"
#include "lib/config/config.h"
#include "lib/net/http.h"
#include "lib/spool/spool.h"
#include "lib/store/interface/store.h"

enum stage {
    STAGE_RUNNING,
    STAGE_DRAINING, /* asked to stop: what is in flight goes on to its end */
    STAGE_CUT,      /* shutdown_timeout is over: only what is being published goes on */
};

struct daemon {
    const struct part_table *parts;
    const struct options *options;
    struct config *config; /* in force; while parts are made: the one that will be */
    const char *config_file;
    struct utsname uname; /* for the name of the machine */
    sd_event *event;
    struct disk *disk;
    struct spool *spool;
    struct http *http;       /* to targets */
    struct http *store_http; /* to the store: connections are kept; NULL while there was none */
    struct pipeline *pipeline;
    struct desk *desk;
    struct labelling *labelling;
    struct uploader *uploader;
    bool uploader_is_set;     /* a configuration's store, or none, is in use */
    bool uploader_is_changed; /* the next one is for the configuration that is to come: */
    struct store *next_store;
    struct discovery *discovery;
    struct targets *targets;
    struct timetable *timetable;
    struct confinement *confinement;
    struct suspension *suspension;
    struct api *api;     /* NULL with --once */
    struct admin *admin; /* the same */
    struct results *results;
    struct counters counters; /* of the meters */
    struct meters *meters;
    struct observation *observation;
    size_t failing; /* targets whose last capture failed */
    sd_event_source *deadline, *leave;
    enum stage stage;
    usec trim_after;  /* boot time */
    size_t once_left; /* first captures that --once still waits for */
    bool once_failed;
};

/* daemon_events.c: what parts have to say, with the daemon as userdata. */
void daemon_on_due(void *userdata, struct lane *l, enum reason reason, const char *name, usec due);
void daemon_on_captured(void *userdata, const struct pipeline_end *end);
void daemon_on_labelled(void *userdata, const struct labelling_label *label);
void daemon_on_discovered(void *userdata);
void daemon_on_suspension(void *userdata, bool suspended);
void daemon_on_scrape(void *userdata, struct admin_call *call);

/* Brings the targets up to date with a configuration and what discovery found. 0 or -ENOMEM. */
int daemon_update_targets(struct daemon *d, const struct config *config);

/* daemon_uploads.c: a part (parts.c). */
int daemon_uploads_new(struct daemon *d);
int daemon_uploads_set(struct daemon *d, const struct config *c);
void daemon_uploads_use(struct daemon *d, const struct config *c);
void daemon_uploads_drain(struct daemon *d);
void daemon_uploads_cut(struct daemon *d);
bool daemon_uploads_idle(const struct daemon *d);
void daemon_uploads_free(struct daemon *d);

/* daemon_api.c: makes it; none with --once. 0 or -ENOMEM. */
int daemon_api_new(struct daemon *d);

/* daemon_signals.c: from now on signals come through the event loop. 0 or a negative errno. */
int daemon_take_signals(struct daemon *d);

/* daemon_stop.c: what its way to the end needs, made at the start. 0 or a negative errno. */
int daemon_stop_new(struct daemon *d);
void daemon_stop_free(struct daemon *d);

/* Ends the daemon: it leaves the loop when all parts are idle. Asked again, it exits at once. */
void daemon_stop(struct daemon *d, const char *why);

/*
 * daemon_config.c: reads the configuration again. 0; or a negative errno, with what is wrong in
 * `diags` if that is the file, and everything stays as it was. Tells systemd and the log.
 */
int daemon_reload(struct daemon *d, struct diags *diags);

/* daemon_state.c */
/* A target's state changed, or it went. */
void daemon_count_failing(struct daemon *d, struct target *t);
void daemon_tell_status(const struct daemon *d);

/* This machine's name in keys; borrowed from the configuration or from the daemon. */
const char *daemon_host(struct daemon *d);

/* Keeps those apart who start together. */
uint64_t daemon_random_seed(void);

/* The bounds of what is kept. */
struct retention_limits daemon_limits(const struct config *c);
