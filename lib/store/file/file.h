/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The store of a file:///dir URL: directory.h and walk.h on disk threads. The store has threads of
 * its own, as a network share may hang and the spool must not wait for it. A call that is cancelled
 * while its thread works is detached: no handler is called, and nothing borrowed is touched again.
 * The same holds for a store that is freed then.
 */

#include "lib/store/interface/store_kind.h"

/* As store_check and store_new do. */
int file_check(const struct upload_config *u, char why[static STORE_TEXT_MAX]);
int file_new(const struct store_context *context, const struct upload_config *u,
             struct store **ret);
