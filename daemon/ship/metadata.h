/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What an uploaded artifact says of itself beside its bytes: service, host, artifact, pid, reason,
 * start, seconds, label and sha256, out of its record, or as far as they go out of its key. Pure.
 */

#include <stddef.h>

#include "base/buf.h"
#include "lib/store/interface/store.h"

#define METADATA_ITEMS 9
#define METADATA_COMMON 2      /* the first ones, service and host, which the record has too */
#define METADATA_VALUE_MAX 256 /* bytes with the zero; longer values are cut between characters */

struct metadata {
    struct store_meta items[METADATA_ITEMS];
    size_t n;
    char sha256[STORE_SHA256_SIZE]; /* "" until it is known */
    char values[METADATA_ITEMS][METADATA_VALUE_MAX];
};

/* Fills it in. `record` is JSON text or NULL; what is no record counts as none. The struct must not
 * be moved afterwards: items point into it. 0 or -ENOMEM. */
int metadata_init(struct metadata *m, const char *key, const struct buf *record);

/* The hash that the record did not tell. */
void metadata_set_sha256(struct metadata *m, const char *sha256);
