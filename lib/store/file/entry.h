/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Operations on a file of the directory, and the meaning of their errors. */

#include "lib/store/interface/store.h"

/* Fills *ret with the meaning of an error; `doing` is the verb in front of the path. */
void entry_explain(int error, const char *doing, const char *base, const char *key,
                   struct store_result *ret);

/* Renames without replacing: 0, -EEXIST or another errno. */
int entry_place_new(int dir, const char *aside, const char *leaf);
