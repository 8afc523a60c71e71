/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The result of a request to a store: one table maps the facts (how the transfer ended, the status,
 * the store's error code) to a class, which says what to do. All dialects share the table. Pure: it
 * knows nothing of files, queues or credentials.
 */

#include "lib/store/http/reply_facts.h"

/* Classifies. Every combination of facts has a class; an unknown one is parked. */
void reply_classify(const struct reply_facts *f, struct reply *ret);

/* The name for logs and metrics, such as "quarantine". */
const char *reply_class_name(enum reply_class class);
