/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The key of an artifact, and the only place that knows its form:
 *
 *     service/host/yyyymmdd/hhmmss-pid-seq.trace
 *
 * with the suffix of its kind. The time is when the request was sent, in UTC. "-pid" is left out
 * when the pid is not known, "-seq" when the sequence is 0. A sequence alone would be read as a
 * pid, so before a sequence an unknown pid is written as 0: hhmmss-0-1.trace. (No process has the
 * id 0.)
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "lib/record/kind.h"

#define NAME_PART_MAX 100 /* bytes of service and of host; longer names are cut */
#define NAME_KEY_MAX 280  /* bytes of a key, with its terminating zero */

struct name {
    char service[NAME_PART_MAX + 1]; /* [A-Za-z0-9._-]+, neither "." nor ".." */
    char host[NAME_PART_MAX + 1];
    usec time;    /* real time; only whole seconds are used */
    uint32_t pid; /* 0: not known */
    uint32_t sequence;
    enum kind kind;
};

/* Fills in the name of a trace. Makes service and host safe: bytes that are not allowed become '_',
 * an empty text and "." become "_", ".." becomes "__". */
void name_init(struct name *n, const char *service, const char *host, usec time, uint32_t pid);

/* The key, with the suffix of its kind. Returns `out`. */
const char *name_key(const struct name *n, char out[static NAME_KEY_MAX]);

/* The key without its suffix, as the id of an incident is written. Returns `out`. */
const char *name_stem(const struct name *n, char out[static NAME_KEY_MAX]);

/* Whether the text is a key without its suffix. */
bool name_is_stem(const char *text);

/*
 * The name of an artifact's record, from the artifact's key or the last part of it. The record of
 * X.trace is X.json; for any other artifact .json is appended to the whole name. Returns `out`.
 */
const char *name_record_key(const char *key, char out[static NAME_KEY_MAX]);

/* The reverse: from a record's key to the artifact's. Accepts only what name_record_key makes of a
 * key. 0, or -EINVAL and nothing is written. */
int name_of_record(const char *record, char ret_key[static NAME_KEY_MAX]);

/* The kind of a valid key; cheaper than name_parse. */
enum kind name_kind(const char *key);

/* Parses a key. Accepts only what name_key writes. 0 or -EINVAL. */
int name_parse(const char *key, struct name *ret);

/* Compares by time, then service, host, pid, sequence, kind. Negative, 0 or positive. */
int name_compare(const struct name *a, const struct name *b);

/*
 * Texts to look for in a sorted listing of keys. All return `out`.
 *
 * name_prefix: the prefix of all keys of a service, or of one host of it, or of one UTC day (any
 * time in it) of that host. host NULL or day USEC_NEVER: without that part. service and host must
 * be safe, as name_init leaves them.
 * name_position: sorts after the keys of the same service and host from earlier seconds, and before
 * their other keys.
 * name_behind: sorts after all keys of the service (host NULL) or of the host, and before every key
 * that follows those.
 */
const char *name_prefix(const char *service, const char *host, usec day,
                        char out[static NAME_KEY_MAX]);
const char *name_position(const struct name *n, char out[static NAME_KEY_MAX]);
const char *name_behind(const char *service, const char *host, char out[static NAME_KEY_MAX]);

/* True if the text can be a service or a host without a change. */
bool name_part_ok(const char *text);
