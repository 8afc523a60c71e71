/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A file whose existence is a switch. inotify watches the nearest existing directory above it, so
 * the file's directory may come and go, too. The file is also checked every FLAGFILE_POLL, for
 * changes that inotify does not see: network file systems, targets of symbolic links in other
 * directories, a mount over the directory. The flagfile owns the watch but never changes the file.
 */

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "base/clock.h"

#define FLAGFILE_POLL USEC_PER_MIN /* long enough to let an idle machine sleep */
/* After a check that failed; then twice as long each time, up to FLAGFILE_POLL. */
#define FLAGFILE_AGAIN USEC_PER_SEC
/* From an event to the check. During a burst of events the file is checked once in this time. */
#define FLAGFILE_SETTLE (50 * USEC_PER_MSEC)

struct flagfile;

/* The file appeared or is gone. Called on the event loop. Must not free the flagfile. */
typedef void (*flagfile_fn)(void *userdata, bool there);

/*
 * Checks the file at once, without calling fn. Symbolic links are followed; a dangling link counts
 * as no file. If it cannot be found out whether the file exists (no permission to search a
 * directory), the last state stays; the first one is "not there". 0 or a negative errno. If the
 * file cannot be watched, that is only logged.
 */
int flagfile_new(sd_event *event, const char *path, flagfile_fn fn, void *userdata,
                 struct flagfile **ret);
void flagfile_free(struct flagfile *f);

bool flagfile_there(const struct flagfile *f);
const char *flagfile_path(const struct flagfile *f);
