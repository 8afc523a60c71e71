/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The metadata of an uploaded object: service, host, artifact, pid, reason, start, seconds, label
 * and sha256. They come from its record; those that the record lacks come from its key, if it has
 * them. Pure.
 */

#include <stddef.h>

#include "base/buf.h"
#include "lib/store/interface/store.h"

#define METADATA_ITEMS 9
#define METADATA_COMMON 2 /* the first ones, service and host: the record's object has them, too */
#define METADATA_VALUE_MAX 256 /* bytes with the zero; longer values are cut between characters */

struct metadata {
    struct store_meta items[METADATA_ITEMS];
    size_t n;
    char sha256[STORE_SHA256_SIZE]; /* "" until it is known */
    char values[METADATA_ITEMS][METADATA_VALUE_MAX];
};

/* Fills in the struct, which must not be moved afterwards, because items point into it. `record` is
 * JSON text or NULL; an invalid record counts as none. 0 or -ENOMEM. */
int metadata_init(struct metadata *m, const char *key, const struct buf *record);

/* Sets the hash, if the record had none. */
void metadata_set_sha256(struct metadata *m, const char *sha256);
