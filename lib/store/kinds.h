/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The kinds of stores, a row each: which one a URL names, whether a section is right for it, and
 * its making. Whoever has a store needs only the interface.
 */

#include "lib/config/config.h"
#include "lib/store/interface/store.h"

/* What is wrong with the section for its kind of store, without asking anybody; that no key is for
 * another kind is config/'s to check. 0, -ENOMEM, or -EINVAL with a text. */
int store_check(const struct upload_config *u, char why[static STORE_TEXT_MAX]);

/* Makes the store of a section that store_check finds good. 0 or a negative errno, logged. */
int store_new(const struct store_context *context, const struct upload_config *u,
              struct store **ret);
