/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Whether a reload changed a section. Sections are compared by their tables, so that a new key is
 * always included.
 */

#include <stdbool.h>

#include "lib/config/data.h"
#include "lib/config/keys/table.h"

/* Whether all fields of the table's rows are equal, except rows with their own reader (TABLE_LIST,
 * TABLE_CUSTOM). */
bool table_equal(const struct table *t, const void *a, const void *b);

/* Whether the section `upload` is the same in both. */
bool upload_equal(const struct upload_config *a, const struct upload_config *b);
