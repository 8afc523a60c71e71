/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Finds the source of AWS credentials: the environment, files, and last the machine's own role.
 * Takes the first source in botocore's order and returns the route to its keys. An incomplete or
 * unsupported source is an error, not a reason to try the next: uploading under the wrong identity
 * is worse than an error message. Every call reads again. Keys in the environment are visible in
 * /proc/PID/environ to root. (Others may not read it, as contraced is not dumpable.) Files are
 * better.
 */

#include <stddef.h>
#include <stdint.h>

#include "lib/store/identity/credroute.h"

/* Settings of the configuration; any may be NULL. */
struct credaws_config {
    const char *access_key_file, *secret_key_file, *session_token_file;
    const char *region;
};

/*
 * 0, or a negative errno with a text: -ENOENT if there is no source, -EINVAL if one is incomplete,
 * or the error of a file.
 */
int credaws_find(const struct credaws_config *config, struct credroute *ret, char *why,
                 size_t why_size);

/*
 * A number that changes when the files with keys change: those that the configuration names, else
 * the shared files.
 */
uint64_t credaws_stamp(const struct credaws_config *config);
