/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Finds the source of Google credentials: a named credentials file, the file that gcloud writes, or
 * the machine's service account. A setting in a file that is not supported is an error that names
 * it. Every call reads again. Source: google-auth, google.auth.default; AIP-4110 and those that it
 * names.
 */

#include <stddef.h>

#include "lib/store/identity/credroute.h"

/* `file` is the configuration's, or NULL. 0, or a negative errno with a text. */
int credgoogle_find(const char *file, struct credroute *ret, char *why, size_t why_size);
