/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The two files that AWS's tools share, ~/.aws/credentials and ~/.aws/config: the keys and the
 * region of one profile out of one of them. Follows AWS's "Shared config and credentials file
 * format"; where that and botocore's reading part, both forms are taken. No message ever quotes
 * what is in a file.
 */

#include <stddef.h>

#include "daemon/upload/secret.h"

#define CREDFILE_MAX (256u << 10) /* bytes of a file */
#define CREDFILE_REGION_SIZE 64

enum credfile_kind {
    CREDFILE_CREDENTIALS, /* [name]; always a secret */
    CREDFILE_CONFIG,      /* [default] and [profile name]; often without keys and open to all */
};

struct credfile_profile {
    struct secret_set secrets;         /* empty if the profile has no keys */
    char region[CREDFILE_REGION_SIZE]; /* "" if it names none */
};

/* Wipes. */
void credfile_done(struct credfile_profile *p);

/*
 * Finds `profile` in the n bytes of text. 0, -ENOENT if there is no such profile, -EINVAL with
 * "name:line: …" in `why` for what cannot be read, or for half a pair of keys; -ENOMEM. The text
 * comes with every error.
 */
int credfile_parse(const char *name, enum credfile_kind kind, const char *text, size_t n,
                   const char *profile, struct credfile_profile *ret, char *why, size_t why_size);

/*
 * The same from a file. -EPERM for a credentials file that others may read (secretfile_check), and
 * for a config file that others may read and that has a secret in any of its profiles; -E2BIG, or
 * the errno of open(2).
 */
int credfile_load(const char *path, enum credfile_kind kind, const char *profile,
                  struct credfile_profile *ret, char *why, size_t why_size);
