/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Reports broken rules at the place of a value, if the file is known. */

#include <stdarg.h>
#include <stdbool.h>

#include "lib/config/data.h"
#include "lib/yaml/yaml.h"

struct check {
    struct config *c;
    bool once;
    struct yaml_file *f; /* NULL: places are not known */
    struct diags *d;
    bool global_timing_done; /* errors in inherited values are reported once */
    bool global_size_done;
};

/* Places for an error, the best first. */
#define CHECK_AT(...) ((const void *const[]){__VA_ARGS__, NULL})

/* True if one of the values could not be read, which was reported already. */
bool check_any_bad(struct check *k, const void *const *of);

/* Adds an error, with `about` ("upload: ", or "") in front of its text. */
void check_report(struct check *k, const void *const *of, const char *about, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void check_report_list(struct check *k, const void *const *of, const char *about, const char *fmt,
                       va_list ap) __attribute__((format(printf, 4, 0)));

/* The same for a line that must not be shown. */
void check_report_unseen(struct check *k, const void *const *of, const char *about,
                         const char *text);

/* Rules of authentication, TLS and proxy. `name` is a fallback place, or NULL. */
void check_access(struct check *k, const struct access *a, const void *name, const char *about);
