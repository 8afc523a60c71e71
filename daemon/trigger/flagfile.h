/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A file whose existence is a switch. The nearest directory above it that exists is watched by
 * inotify, so the directory may come and go, too; and every FLAGFILE_POLL the file is looked at
 * anyway, for what inotify does not see: network file systems, targets of symbolic links in other
 * directories, a mount over the directory. It owns the watch and nothing of the file.
 */

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "base/clock.h"

#define FLAGFILE_POLL USEC_PER_MIN  /* a machine at rest is to be left at rest */
#define FLAGFILE_AGAIN USEC_PER_SEC /* after a look that failed, then twice that, up to a poll */
#define FLAGFILE_SETTLE \
    (50 * USEC_PER_MSEC) /* from an event to the look: a busy directory's many
                                                events make one look each so long */

struct flagfile;

/* The file appeared or is gone. Called on the event loop. It may not free the flagfile. */
typedef void (*flagfile_fn)(void *userdata, bool there);

/*
 * Looks at once; does not call fn. A symbolic link is followed: one that leads nowhere is not
 * there. When it cannot be told whether the file is there (no permission to search a directory), it is
 * what it was, at first not there. 0 or a negative errno; that it cannot be watched is none, but
 * said in the log.
 */
int flagfile_new(sd_event *event, const char *path, flagfile_fn fn, void *userdata,
                 struct flagfile **ret);
void flagfile_free(struct flagfile *f);

bool flagfile_there(const struct flagfile *f);
const char *flagfile_path(const struct flagfile *f);
