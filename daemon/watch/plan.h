/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which rules hold for the targets of each job, and which pages of metrics are polled for them: one
 * page serves all rules that name its path and its interval. Made from the configuration, and fixed
 * from then on.
 */

#include <stddef.h>

#include "daemon/trigger/rule/rulebook.h"
#include "lib/config/config.h"

/* A page of metrics, and those rules of its job that read it. */
struct plan_page {
    const char *path;
    usec interval;
    struct rulebook *book;
    size_t first, n; /* rules[first] to rules[first + n - 1] of the job, in the book's order */
};

struct plan_job {
    const char *name;
    const struct trigger_config **rules; /* those of the pages first, then those that are not
                                          * polled */
    size_t n;
    struct plan_page *pages;
    size_t n_pages;
};

struct plan;

/* Borrows the configuration. 0, -E2BIG if a page's rules name too many metrics, or -ENOMEM. */
int plan_new(const struct config *config, struct plan **ret);
void plan_free(struct plan *p);

/* NULL: there is no rule for the job. */
const struct plan_job *plan_job(const struct plan *p, const char *name);
