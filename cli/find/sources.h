/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Where to look for traces: this machine's spool and the configured store, if wanted and usable.
 * Owns the event loop.
 */

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "base/disk.h"
#include "cli/common/arguments.h"
#include "cli/common/interrupt.h"
#include "cli/find/local.h"
#include "lib/config/config.h"
#include "lib/net/http.h"
#include "lib/store/interface/store.h"

struct sources_arguments {
    const char *config_file, *storage_path, *upload_url; /* NULL: not given */
    bool local, remote;                                  /* this one only */
    bool verbose;
};

/*
 * The spool is that of --storage.path, of the configuration, or, without either, of the contraced
 * that runs here.
 */
#define SOURCES_ROWS 6
extern const struct argument sources_rows[SOURCES_ROWS];

struct sources {
    sd_event *event;
    struct disk *disk;
    struct http *http;
    struct store *store; /* NULL: not wanted, or it cannot be used */
    struct config *config;
    struct local local;
    bool has_local;
    char *told_by; /* the address of the contraced that named the spool; NULL: it was configured */
    bool failed;   /* a source that was wanted cannot be used; a message was printed */
    struct interrupt interrupt;
};

/*
 * 0 with at least one source; -EINVAL after a message about the usage; or another negative errno
 * after a message.
 */
int sources_open(struct sources *s, const struct sources_arguments *a);
/* After a signal that asked to stop the process ends here, by that signal. */
void sources_close(struct sources *s);

/* As interrupt_wait. */
int sources_wait(struct sources *s);

/* Waits so long, unless it is interrupted. As interrupt_wait. */
int sources_pause(struct sources *s, usec pause);
