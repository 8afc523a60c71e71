/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the daemon's own files share and nobody else sees. daemon.c starts, stops and connects its
 * objects, daemon_config.c brings them up to date with a configuration, daemon_state.c says how the
 * daemon fares.
 */

#include "base/disk.h"
#include "daemon/api/api.h"
#include "daemon/capture/pipeline.h"
#include "daemon/capture/targets.h"
#include "daemon/capture/timetable.h"
#include "daemon/confinement.h"
#include "daemon/control/observation.h"
#include "daemon/label/labelling.h"
#include "daemon/label/results.h"
#include "daemon/outcome/meters.h"
#include "daemon/settings/options.h"
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
    const struct options *options;
    struct config *config;
    const char *config_file;
    sd_event *event;
    struct disk *disk;
    struct spool *spool;
    struct http *http;       /* to targets */
    struct http *store_http; /* to the store: connections are kept; NULL while there was none */
    struct pipeline *pipeline;
    struct labelling *labelling;
    struct uploader *uploader;
    struct discovery *discovery;
    struct targets *targets;
    struct timetable *timetable;
    struct confinement *confinement;
    struct suspension *suspension;
    struct api *api;
    struct admin *admin; /* NULL with --once */
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

/* daemon_config.c */

/* Brings the targets up to date with a configuration and what discovery found. 0 or -ENOMEM. */
int daemon_update_targets(struct daemon *d, const struct config *config);

/* Makes the store of the present configuration, if it has one, and uploads to it. 0 or an errno. */
int daemon_use_store(struct daemon *d);

/* What suspends the schedule. --once was asked for by somebody: nothing suspends it. 0 or
 * -ENOMEM. */
int daemon_set_suspension(struct daemon *d, const struct config *config);

/*
 * Reads the configuration again. 0; or a negative errno, with what is wrong in `diags` if that is
 * the file, and everything stays as it was. Tells systemd and the log.
 */
int daemon_reload(struct daemon *d, struct diags *diags);

/* daemon_state.c */
/* A target's state changed, or it went. */
void daemon_count_failing(struct daemon *d, struct target *t);
void daemon_tell_status(const struct daemon *d);
