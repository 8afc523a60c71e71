/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Whether a reload changed something: sections compared by their tables, so that a new key cannot
 * be forgotten.
 */

#include <stdbool.h>

#include "lib/config/data.h"
#include "lib/config/table.h"

/* Whether all that the table's rows fill is the same, but for rows with a reader of their own
 * (TABLE_LIST, TABLE_CUSTOM). */
bool table_equal(const struct table *t, const void *a, const void *b);

/* Whether the section `upload` is the same in both. */
bool upload_equal(const struct upload_config *a, const struct upload_config *b);
