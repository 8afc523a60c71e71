/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The section `upload`: its keys, their defaults, and which kind of store each is for. Rules of
 * bucket names and protocols are elsewhere (lib/store).
 */

#include "lib/config/data.h"
#include "lib/config/keys/table.h"

#define UPLOAD_TAGS_MAX 10
#define UPLOAD_CONTEXT_MAX 10
#define UPLOAD_CONTEXT_PAIR_MAX 400 /* bytes of a key and its value */
#define UPLOAD_TAG_KEY_MAX 128      /* characters */
#define UPLOAD_TAG_VALUE_MAX 256    /* characters */

/* Its base is a struct upload_config with defaults. */
extern const struct table upload_section;

void upload_defaults(struct upload_config *u);
void upload_done(struct upload_config *u);
