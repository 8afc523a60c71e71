/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Refusals for a header: one that a bucket or its policy demands, or one that a store does not
 * take. Each names the header, and the key of the configuration that sends it. A part of
 * reply_classify, and as pure.
 */

#include <stdbool.h>

#include "lib/store/http/reply_facts.h"

/* False: the answer is no such refusal. */
bool demand_find(const struct reply_facts *f, struct reply *ret);
