/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTRACE_TEST_SPOOL_FIXTURE_H
#define CONTRACE_TEST_SPOOL_FIXTURE_H

/*
 * A spool on a real directory, with system calls that can be made to fail, a file system whose size
 * can be made up, and a clock that can be moved. Link with --wrap for the functions that
 * spool_fixture.c wraps.
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "lib/spool/spool.h"

#define START ((usec)1773480413 * USEC_PER_SEC) /* 2026-03-14 09:26:53 */
#define MAX_LOG 64

struct fixture {
    char base[512]; /* temporary, removed at the end */
    char path[600]; /* storage.path in it */
    sd_event *event;
    struct disk *disk;
    struct spool *spool;
    struct retention_limits limits;
    bool upload;
    const char
        *sha256; /* for records; NULL: records have none, and it is computed before an upload */
};

extern struct fixture fx;

/* The result of a call of the spool, and the recorded log. */
struct told {
    int r;
    int times;
    char key[NAME_KEY_MAX];
};
extern char log_lines[MAX_LOG][512];
extern int n_log_lines;
bool logged(const char *part);
int times_logged(const char *part);
void forget_log(void);

int fixture_setup(void **state);
int fixture_teardown(void **state);
int fixture_start(void); /* returns what spool_new returns */
void fixture_stop(void);
void fixture_restart(void);
void fixture_settle(void); /* runs the loop until the spool is idle */

/* Calls fork(2) while the process has no other threads: the child has neither event loop nor
 * disk. */
pid_t fixture_fork(void);

void on_room(struct spool_file *f, int r, void *userdata);
void on_published(int r, const char *key, void *userdata);

/* Opens a file of the spool and writes `bytes` bytes. Fails the test if there is no room. */
struct spool_file *written_file(uint64_t bytes);
void publish(struct spool_file *f, usec time, uint64_t bytes, struct told *ret);
/* Writes and publishes a file. Returns the publication's result; *ret has the key, too. */
int capture(usec time, uint64_t bytes, struct told *ret);

struct spool_stats stats_now(void);

/* Start a spool that uploads; make n captures one minute apart; take the newest of pending/, or
 * NULL; archive it, and return the result. */
void start_uploading(void);
void capture_many(unsigned n, uint64_t bytes);
struct spool_item *taken(void);
int archive(struct spool_item *item, bool keep);

/* Below storage.path. */
const char *below(const char *path);
bool exists(const char *path);
void make_file(const char *path, const char *text);
void make_dirs(const char *path);
/* The usage of the disk: bytes of regular files in whole blocks, and numbers of traces and other
 * files. */
struct usage {
    uint64_t bytes, traces, records, incoming, others;
};
struct usage usage(void);
/* Fails the test unless every trace below archive/ and pending/ is whole and has its record. */
void check_whole(bool records_required);

/* While armed, the wrapped calls are counted. Call number `at` fails with `error`, or kills the
 * process (error 0). */
struct injection {
    atomic_int count;
    int at;
    int error;
    bool after;       /* kill after the call instead of before it */
    const char *only; /* name of a call, or NULL for any */
    bool all;         /* all calls from `at` on */
};
extern struct injection injection;
extern bool fail_links; /* link(2) fails as on a file system without links; not counted */
void inject(const char *only, int at, int error);
void inject_nothing(void);

/* A made-up file system of this size: all that the spool and others do not use is free. 0: the real
 * one. */
extern uint64_t fake_total_bytes, fake_total_inodes;
extern int64_t fake_others; /* bytes that others use */

/* Added to the event loop's clocks. */
extern int64_t real_shift, boot_shift;

#endif
