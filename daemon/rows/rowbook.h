/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Turns records into rows and ships these to the store. The rows of a record are appended to a file
 * as soon as the record is complete; a few times a day, and when contraced stops, the files are
 * compressed and uploaded, while no trace waits for its upload. What was missed, as by a kill, is
 * made up for from the records that are still here: so a row may be there twice, under the same id.
 */

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/disk.h"
#include "daemon/ship/uploader.h"
#include "lib/spool/spool.h"

struct rowbook;

/* Everything is borrowed; `host` is this machine's name, for the names of files. Does nothing before
 * rowbook_set. 0 or a negative errno. */
int rowbook_new(sd_event *event, struct disk *disk, struct spool *spool, struct uploader *uploader,
                const char *host, uint64_t random, struct rowbook **ret);

/* To be called before those that it borrows are freed. NULL is fine. */
void rowbook_free(struct rowbook *b);

/*
 * From now on rows are written, and shipped at this interval; `path` is storage.path. Or they are
 * not: then what is waiting stays where it is. Logs what is wrong with the directory.
 */
void rowbook_set(struct rowbook *b, const char *path, bool enabled, usec interval);

/* contraced is stopping, and no record will come any more: ships what there is. May be called
 * again. */
void rowbook_finish(struct rowbook *b);

/* Ends an upload that is under way; its file stays for the next start. */
void rowbook_cut(struct rowbook *b);

/* Nothing is under way; after rowbook_finish, nor could anything start now. */
bool rowbook_idle(const struct rowbook *b);
