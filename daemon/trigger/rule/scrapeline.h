/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* One line of Prometheus's text format or OpenMetrics. Pure. */

#include <stdbool.h>
#include <stddef.h>

#include "daemon/trigger/rule/sample.h"

/* The name that a line begins with: where it is, and where the rest begins. */
struct scrapeline_name {
    const char *text;
    size_t length;
    size_t rest;    /* offset of what follows the name */
    bool in_braces; /* {"name", label="value"}: the labels follow without another brace */
};

/* The name of a sample, in the `n` bytes of a line without blanks at its start. NULL, or what is
 * wrong. */
const char *scrapeline_name(const char *line, size_t n, struct scrapeline_name *ret);

/* Whether what follows a name looks like a sample: for lines that nobody wants, at little cost. */
bool scrapeline_plausible(const char *rest, size_t n);

/*
 * Reads labels and value, which follow the name; `rest` ends with a zero byte and is written over.
 * The labels are put into `labels`, which has room for SCRAPE_LABELS_MAX. NULL, or what is wrong;
 * scrapeline_too_many if there are more labels.
 */
const char *scrapeline_sample(char *rest, bool in_braces, struct scrape_label *labels,
                              struct scrape_sample *ret);

extern const char scrapeline_too_many[];
