/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Whose keys AWS's tools would use here: the environment, files and, last, what this machine is.
 * Finds the first source that there is, in botocore's order, and the way to its keys. What is there
 * by half, or is not supported, is an error rather than a reason to go on: a daemon that uploads as
 * someone else than was meant is worse than one that says why it doesn't. Every call looks anew.
 *
 * Keys in the environment can be seen in /proc/PID/environ by root and by whoever may trace the
 * process; contraced is not dumpable, which takes the latter's right. Files are the better way.
 */

#include <stddef.h>
#include <stdint.h>

#include "lib/store/identity/credroute.h"

/* What the configuration says; any may be NULL. */
struct credaws_config {
    const char *access_key_file, *secret_key_file, *session_token_file;
    const char *region;
};

/*
 * 0, or a negative errno with a text: -ENOENT when there is no source at all, -EINVAL for half of
 * one, or what a file is refused for.
 */
int credaws_find(const struct credaws_config *config, struct credroute *ret, char *why,
                 size_t why_size);

/*
 * A number that changes when somebody touches the files that hold keys: the configuration's, or the
 * shared ones where it names none.
 */
uint64_t credaws_stamp(const struct credaws_config *config);
