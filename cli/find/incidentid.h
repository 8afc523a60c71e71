/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* An incident's id by what `contrace list` shows of it in the column INC: the time of day at which
 * it began, "150405". */

#include <stdbool.h>

#include "cli/find/sources.h"
#include "lib/record/name.h"

/* Whether the text is such a time, and no id. */
bool incidentid_is_short(const char *text);

/* Looks in the spool for the one incident that began then. 0; -EINVAL after a message, if there is
 * none, or which of several is not said; or another negative errno after a message. */
int incidentid_find(const struct sources_arguments *where, const char *text,
                    char out[static NAME_KEY_MAX]);
