/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The store of a file:///dir URL: directory.h and walk.h, done on disk threads. They are the
 * store's own: a share whose server hangs holds them for as long as it likes, and the spool must
 * not wait for it. A call that is cancelled while a thread works for it is detached: nobody hears
 * of it, and what it was lent is not touched any more. So is the store when it is released then.
 */

#include "lib/store/interface/store_kind.h"

/* As store_check and store_new. */
int file_check(const struct upload_config *u, char why[static STORE_TEXT_MAX]);
int file_new(const struct store_context *context, const struct upload_config *u,
             struct store **ret);
