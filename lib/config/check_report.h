/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* How rules report what breaks them: at the place of a value, as far as the file is known. */

#include <stdarg.h>
#include <stdbool.h>

#include "lib/config/data.h"
#include "lib/yaml/yaml.h"

struct check {
    struct config *c;
    bool once;
    struct yaml_file *f; /* NULL: places are not known */
    struct diags *d;
    bool global_timing_done; /* what all jobs inherit is reported once */
    bool global_size_done;
};

/* The places an error may be put at, the best first. */
#define CHECK_AT(...) ((const void *const[]){__VA_ARGS__, NULL})

/* True if one of the values could not be read: its own error says enough. */
bool check_any_bad(struct check *k, const void *const *of);

/* Adds an error, `about` ("upload: ", or "") before its text. */
void check_report(struct check *k, const void *const *of, const char *about, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void check_report_list(struct check *k, const void *const *of, const char *about, const char *fmt,
                       va_list ap) __attribute__((format(printf, 4, 0)));

/* The same for a line that must not be shown. */
void check_report_unseen(struct check *k, const void *const *of, const char *about,
                         const char *text);

/* What auth and TLS must have together. `name` is a place to fall back on, or NULL. */
void check_access(struct check *k, const struct auth_config *auth, const struct tls_config *tls,
                  const void *name, const char *about);

/* What the keys of a proxy must be, and have together. */
void check_proxy(struct check *k, const struct proxy_config *proxy, const char *about);
