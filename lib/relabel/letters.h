/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Lower and upper case of all letters of Unicode, one by one, whatever the locale is. */

#include <stdbool.h>

#include "base/buf.h"

/* Whether letters beyond ASCII are known here: the C library has the locale C.UTF-8. */
bool letters_known(void);

/* Appends the text in lower or upper case. 0, -ENOMEM or -E2BIG. */
int letters_lower(const char *text, struct buf *out);
int letters_upper(const char *text, struct buf *out);
