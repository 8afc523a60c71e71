/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Reads the metrics that a service serves, in pieces of any size, and hands over the samples whose
 * names are asked for. It takes Prometheus's text format 0.0.4, OpenMetrics 1.0 and expvar's JSON,
 * and tells them apart by what comes. Memory does not grow with the page (expvar's is bounded).
 * It knows no rule and opens no socket.
 *
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 * https://prometheus.io/docs/specs/om/open_metrics_spec/
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/trigger/rule/names.h"
#include "daemon/trigger/rule/sample.h"

struct scrape;

/* Both are borrowed. 0 or -ENOMEM. */
int scrape_new(const struct names *wanted, scrape_fn sample, void *userdata, struct scrape **ret);
void scrape_free(struct scrape *s);

/* To be called before the first piece if the Content-Type is OpenMetrics's: a page without `# EOF`
 * was cut off then, and is an error. */
void scrape_expect_eof(struct scrape *s);

/* Takes the next piece. 0; or -EBADMSG once the page is no metrics, after which nothing more is
 * read (samples may have been handed over before; they are worth nothing); -EFBIG for expvar's JSON
 * beyond SCRAPE_EXPVAR_MAX, as that is read whole; or -ENOMEM. */
int scrape_feed(struct scrape *s, const void *data, size_t n);

/* The end of the page. 0; or an error as of scrape_feed. The verdict is filled in always. */
int scrape_finish(struct scrape *s, struct scrape_verdict *ret);
