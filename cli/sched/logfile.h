/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A log that is read to its end, or beyond: where more may come it is waited for, as tail -F does. A
 * file that was emptied is read from its beginning, and one that was replaced gives way to the new
 * one. A signal ends the waiting.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct logfile {
    const char *path; /* "-": standard input */
    int fd;
    bool follow;
    bool regular;
    int changes; /* inotify, which wakes; -1: looked at now and then */
    int signals;
    int ended_by; /* the signal that came; 0: none */
};

/* 0 or a negative errno; logfile_close must be called in any case. */
int logfile_open(struct logfile *f, const char *path, bool follow);

/* Reads what is there. The number of bytes; 0: nothing came for a moment, ask again; -ENODATA: it is at
 * its end; -EINTR: a signal asked to stop; another negative errno. */
ssize_t logfile_read(struct logfile *f, char *data, size_t size);

/* The last thing that a command does: ends the process by the signal, if one came. */
void logfile_close(struct logfile *f);
