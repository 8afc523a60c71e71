/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What this machine says about credentials: the environment and files. Finds the first source that
 * there is (credplan.h) and, where the keys themselves lie here, reads them. Every call looks anew.
 *
 * Keys in the environment can be seen in /proc/PID/environ by root and by whoever may trace the
 * process; contraced is not dumpable, which takes the latter's right. Files are the better way.
 */

#include <stddef.h>
#include <stdint.h>

#include "daemon/upload/credfile.h"
#include "daemon/upload/credplan.h"
#include "daemon/upload/secret.h"

#define CREDLOCAL_LABEL_SIZE 320

/* What the configuration says; any may be NULL. */
struct credlocal_config {
    const char *access_key_file, *secret_key_file, *session_token_file;
    const char *region;
};

struct credlocal {
    enum credplan_source source;
    struct secret_set secrets;         /* empty if a service must be asked */
    char region[CREDFILE_REGION_SIZE]; /* of web identity: where STS is asked */
    char label[CREDLOCAL_LABEL_SIZE];  /* the source, for people; no secret */
};

/*
 * 0, or a negative errno with a text: as credplan_choose, or what a file is refused for. On success
 * secrets are the caller's.
 */
int credlocal_find(const struct credlocal_config *config, struct credlocal *ret, char *why,
                   size_t why_size);

/*
 * A number that changes when somebody touches the files that hold keys: the configuration's, or the
 * shared ones where it names none.
 */
uint64_t credlocal_stamp(const struct credlocal_config *config);

/* The value of a variable that is set and not empty, or NULL. */
const char *credlocal_env(const char *name);
