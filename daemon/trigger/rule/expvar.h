/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The numbers of a JSON document such as Go's /debug/vars, named by their path:
 * "memstats.HeapAlloc". */

#include "daemon/trigger/rule/names.h"
#include "daemon/trigger/rule/sample.h"

/*
 * Hands over the wanted numbers of the document. Counts go into `verdict`, an error's text as well.
 * 0; -EBADMSG if it is no JSON object, or -ENOMEM.
 */
int expvar_read(const char *text, size_t n, const struct names *wanted, scrape_fn sample,
                void *userdata, struct scrape_verdict *verdict);
