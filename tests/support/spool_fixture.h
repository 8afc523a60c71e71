/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTRACE_TEST_SPOOL_FIXTURE_H
#define CONTRACE_TEST_SPOOL_FIXTURE_H

/*
 * A spool on a real directory, with system calls that can be made to fail, a file system whose size
 * can be made up, and a clock that can be moved. Linked with --wrap for what is in spool_fixture.c.
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
        *sha256; /* for records; NULL: they tell none, and the hash is made before an upload */
};

extern struct fixture fx;

/* What a call of the spool is told, and a log that remembers. */
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
int fixture_start(void); /* what spool_new says */
void fixture_stop(void);
void fixture_restart(void);
void fixture_settle(void); /* until the spool is idle */

/* fork(2) of a process that has no threads just then: the child has neither event loop nor disk. */
pid_t fixture_fork(void);

void on_room(struct spool_file *f, int r, void *userdata);
void on_published(int r, const char *key, void *userdata);

/* A file of `bytes` bytes, written; fails the test when there is no room. */
struct spool_file *written_file(uint64_t bytes);
void publish(struct spool_file *f, usec time, uint64_t bytes, struct told *ret);
/* All of it. Returns what the publication said, and the key. */
int capture(usec time, uint64_t bytes, struct told *ret);

struct spool_stats stats_now(void);

/* A spool that uploads, n captures one minute apart, the newest of pending/ or NULL, and what its
 * archival said. */
void start_uploading(void);
void capture_many(unsigned n, uint64_t bytes);
struct spool_item *taken(void);
int archive(struct spool_item *item, bool keep);

/* Below storage.path. */
const char *below(const char *path);
bool exists(const char *path);
void make_file(const char *path, const char *text);
void make_dirs(const char *path);
/* What lies on the disk: bytes of regular files in whole blocks, traces and other files. */
struct usage {
    uint64_t bytes, traces, records, incoming, others;
};
struct usage usage(void);
/* Every trace below archive/ or pending/ holds whole captures with their record; fails the test
 * if not. */
void check_whole(bool records_required);

/* The wrapped calls count themselves while armed; number `at` fails with `error`, or kills
 * (error 0). */
struct injection {
    atomic_int count;
    int at;
    int error;
    bool after;       /* kill after the call instead of before it */
    const char *only; /* name of a call, or NULL for any */
    bool all;         /* every one from `at` on */
};
extern struct injection injection;
extern bool fail_links; /* as on a file system that has none; not counted */
void inject(const char *only, int at, int error);
void inject_nothing(void);

/* A made-up file system: total bytes minus what lies in the spool is free. 0: the real one. */
extern uint64_t fake_total_bytes, fake_total_inodes;
extern int64_t fake_others; /* bytes that somebody else uses */

/* Added to what the event loop says. */
extern int64_t real_shift, boot_shift;

#endif
