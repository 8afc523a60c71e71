/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The rules that read one page of metrics: which names they want, and, poll by poll, which sample
 * belongs to which rule. One rulebook serves all targets of a job whose page is polled for the same
 * rules.
 */

#include <stddef.h>

#include "daemon/trigger/rule/names.h"
#include "daemon/trigger/rule/reading.h"
#include "daemon/trigger/rule/scrape.h"
#include "lib/config/data.h"

struct rulebook;

/* The rules are borrowed, the array is copied. Those that are not polled (trigger_polled) must not
 * be among them. 0, -E2BIG for more names than NAMES_MAX, or -ENOMEM. */
int rulebook_new(const struct trigger_config *const *rules, size_t n, struct rulebook **ret);
void rulebook_free(struct rulebook *b);

/* For scrape_new. Borrowed. */
const struct names *rulebook_names(const struct rulebook *b);

/* The readings of one poll, one for each rule in the order of rulebook_new. The book is borrowed. 0
 * or -ENOMEM. */
struct rulebook_page;
int rulebook_page_new(const struct rulebook *b, struct rulebook_page **ret);
void rulebook_page_free(struct rulebook_page *p);

/* A scrape_fn: `userdata` is the page. */
void rulebook_sample(void *userdata, const struct scrape_sample *sample);

const struct reading *rulebook_reading(const struct rulebook_page *p, size_t rule);
