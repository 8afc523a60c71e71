/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How files with rows are called, and the only place that knows it. In a store:
 *
 *     .contrace/rows/dt=2026-11-21/service=checkout/web-3-150405-8f3a6c21.jsonl.gz
 *
 * so that engines find days and services without reading. The host is the writer's, the time that
 * of the first row in it; the last part is random, so that no two runs of any two daemons write
 * under one name. On the way there a file is called 2026-11-21+checkout+web-3-150405-8f3a6c21, with
 * .jsonl while it grows and .jsonl.gz after that. Pure.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "lib/record/name.h"

#define ROWFILE_PREFIX ".contrace/rows/"
#define ROWFILE_OPEN ".jsonl"
#define ROWFILE_READY ".jsonl.gz"
#define ROWFILE_DAY_SIZE 11  /* "2026-11-21" */
#define ROWFILE_NAME_MAX 255 /* bytes of a name, with its terminating zero */
#define ROWFILE_KEY_MAX 320  /* bytes of a key, likewise */

struct rowfile {
    char day[ROWFILE_DAY_SIZE];
    char service[NAME_PART_MAX + 1];
    char leaf[NAME_PART_MAX + 64]; /* the last part of the key */
};

/* The UTC day of a real time. Returns `out`. */
const char *rowfile_day(usec time, char out[static ROWFILE_DAY_SIZE]);

/* What the names of all files of a day and a service begin with. Returns `out`. */
const char *rowfile_stem(const char *day, const char *service, char out[static ROWFILE_NAME_MAX]);

/* The name of a new file that grows, for rows of that day and service. Returns `out`. */
const char *rowfile_new(const char *day, const char *service, const char *host, usec now,
                        uint32_t random, char out[static ROWFILE_NAME_MAX]);

/* Whether the name ends with `suffix` and could be one of those. */
bool rowfile_is(const char *name, const char *suffix);

/* The key of a file that is ready. 0 or -EINVAL. */
int rowfile_key(const char *name, char ret[static ROWFILE_KEY_MAX]);

/* The path below ROWFILE_PREFIX. Returns `out`. */
const char *rowfile_path(const struct rowfile *f, char out[static ROWFILE_KEY_MAX]);

/* Parses a key of a store; whatever it is, its parts are fit to be names of files. 0 or -EINVAL. */
int rowfile_parse(const char *key, struct rowfile *ret);
