/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What came of a request to a store: one table from what was seen (how the transfer ended, the
 * status, the store's error code) to a class, which says what is to be done. S3 and its kin,
 * Google's XML API, Azure and plain HTTPS stores share the table. Pure: it does nothing, and knows
 * nothing of files, queues or credentials.
 */

#include "lib/store/http/reply_facts.h"

/* Classifies. Every combination of facts has a class; what no row knows is parked. */
void reply_classify(const struct reply_facts *f, struct reply *ret);

/* The word for logs and metrics: "quarantine". */
const char *reply_class_name(enum reply_class class);
