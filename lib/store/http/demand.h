/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Refusals because of a header: one that a bucket or its policy demands, or one that a store does
 * not accept. Each result names the header and the configuration key that sends it. A part of
 * reply_classify; pure.
 */

#include <stdbool.h>

#include "lib/store/http/reply_facts.h"

/* False: this is no such refusal. */
bool demand_find(const struct reply_facts *f, struct reply *ret);
