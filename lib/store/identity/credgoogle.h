/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * As whom Google's tools would ask here: a file of credentials that is named, the one that gcloud
 * leaves, or the machine's service account. What a file has that is not supported is refused by its
 * name. Every call looks anew.
 *
 * Source: google-auth, google.auth.default; AIP-4110 and those that it names.
 */

#include <stddef.h>

#include "lib/store/identity/credroute.h"

/* `file` is the configuration's, or NULL. 0, or a negative errno with a text. */
int credgoogle_find(const char *file, struct credroute *ret, char *why, size_t why_size);
