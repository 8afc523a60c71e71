/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The rules that more than one value has a part in. */

#include <stdbool.h>

#include "lib/config/config.h"
#include "lib/yaml/yaml.h"

/* Fills in what the job takes from the global values. `once`: no interval bounds the timeout. */
void check_inherit(const struct config *c, bool once, struct job_config *job);

/*
 * All rules but that of the missing targets. `f` is the file that the configuration was just read
 * from, for the places, or NULL. Errors go to `d`. 0 or -ENOMEM.
 */
int check_rules(struct config *c, bool once, struct yaml_file *f, struct diags *d);

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

/* The same for a line that must not be shown. */
void check_report_unseen(struct check *k, const void *const *of, const char *about,
                         const char *text);

/* What auth and TLS must have together. `name` is a place to fall back on, or NULL. */
void check_access(struct check *k, const struct auth_config *auth, const struct tls_config *tls,
                  const void *name, const char *about);

/* What the keys of a proxy must be, and have together. */
void check_proxy(struct check *k, const struct proxy_config *proxy, const char *about);

/* The section upload: 0 or -ENOMEM. */
int check_upload(struct check *k);
