/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The kinds of stores, a row each: finds the kind of a URL, checks the configuration for it and
 * creates the store. After that only the interface is needed.
 */

#include "lib/config/config.h"
#include "lib/store/interface/store.h"

/* Checks the section for its kind of store, without any request. (lib/config checks that no key
 * belongs to another kind.) 0, -ENOMEM, or -EINVAL with a text. */
int store_check(const struct upload_config *u, char why[static STORE_TEXT_MAX]);

/* Creates the store of a section that passed store_check. 0 or a negative errno, logged. */
int store_new(const struct store_context *context, const struct upload_config *u,
              struct store **ret);
