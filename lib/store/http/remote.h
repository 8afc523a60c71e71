/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The kind of store that is asked over HTTP, with any dialect. */

#include "lib/store/dialect/dialect.h"
#include "lib/store/interface/store.h"

/* Takes over the dialect, also when it fails. 0 or a negative errno. */
int remote_new(const struct store_context *context, const struct upload_config *u,
               struct dialect *dialect, struct store **ret);
