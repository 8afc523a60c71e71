/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * All artifacts that can be captured, a row each.
 */

#include "daemon/artifact/artifact.h"

extern const struct artifact *const artifacts[];
extern const size_t n_artifacts;

/* NULL: those of this kind cannot be captured. */
const struct artifact *artifacts_of_kind(enum kind kind);

/* By the name of its kind; NULL: there is none. */
const struct artifact *artifacts_find(const char *name);

/* "trace, mutex": all that can be captured, for messages; as much as fits. */
#define ARTIFACTS_NAMES_SIZE 128
const char *artifacts_names(char out[static ARTIFACTS_NAMES_SIZE]);
