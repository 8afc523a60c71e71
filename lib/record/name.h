/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The key of an artifact, and the only place that knows its form:
 *
 *     service/host/yyyymmdd/hhmmss-pid-seq.trace
 *
 * with the suffix of its kind. The time is UTC, of the moment at which the request was sent; "-pid" is missing when it is not known and
 * "-seq" when it is 0. A lone sequence would read as a pid, so an unknown pid before a sequence is
 * written as 0: hhmmss-0-1.trace. (Zero is never a process's id.)
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "lib/record/kind.h"

#define NAME_PART_MAX 100 /* bytes of service and of host; longer is cut */
#define NAME_KEY_MAX 280  /* bytes of a key with its zero */

struct name {
    char service[NAME_PART_MAX + 1]; /* [A-Za-z0-9._-]+, neither "." nor ".." */
    char host[NAME_PART_MAX + 1];
    usec time;    /* real time; whole seconds count */
    uint32_t pid; /* 0: not known */
    uint32_t sequence;
    enum kind kind;
};

/* Fills a trace's name; service and host are made safe: any other byte becomes '_', an empty one "_",
 * "." "_", ".." "__". */
void name_init(struct name *n, const char *service, const char *host, usec time, uint32_t pid);

/* The key, with the suffix of its kind. Returns `out`. */
const char *name_key(const struct name *n, char out[static NAME_KEY_MAX]);

/*
 * The record's name beside what it is of, from a key or its last part. That of X.trace is X.json;
 * that of any other is the whole name with .json behind it. Returns `out`.
 */
const char *name_record_key(const char *key, char out[static NAME_KEY_MAX]);

/* The way back, from a record's key: exactly what name_record_key makes of a key and nothing else.
 * 0, or -EINVAL and nothing is written. */
int name_of_record(const char *record, char ret_key[static NAME_KEY_MAX]);

/* The kind of a key that name_parse accepts; it costs less. */
enum kind name_kind(const char *key);

/* The way back: exactly what name_key writes and nothing else. 0 or -EINVAL. */
int name_parse(const char *key, struct name *ret);

/* Order by time, then service, host, pid, sequence, kind: negative, 0, positive. */
int name_compare(const struct name *a, const struct name *b);

/*
 * Where to look for keys in a listing, which is in their order. All return `out`.
 *
 * name_prefix: how all keys of a service begin, of a host of it, of a UTC day (any time in it) of
 * that. host NULL or day USEC_NEVER: without these. The parts must be safe, as name_init leaves
 * them.
 * name_position: behind the keys of its service and host that are of earlier seconds, and before
 * those that are not.
 * name_behind: behind all keys of the service, or of the host unless that is NULL, and before any
 * that comes after them.
 */
const char *name_prefix(const char *service, const char *host, usec day,
                        char out[static NAME_KEY_MAX]);
const char *name_position(const struct name *n, char out[static NAME_KEY_MAX]);
const char *name_behind(const char *service, const char *host, char out[static NAME_KEY_MAX]);

/* True if the text may stand for a service or a host as it is. */
bool name_part_ok(const char *text);
