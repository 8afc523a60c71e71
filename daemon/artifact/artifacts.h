/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The table of all artifacts that can be captured, one row each.
 */

#include "daemon/artifact/artifact.h"

extern const struct artifact *const artifacts[];
extern const size_t n_artifacts;

/* The row of this kind; NULL if the kind cannot be captured. */
const struct artifact *artifacts_of_kind(enum kind kind);

/* The row that `samples`. */
const struct artifact *artifacts_sampler(void);

/* Finds a row by the name of its kind; NULL if there is none. */
const struct artifact *artifacts_find(const char *name);

/* "trace, mutex": the names of all rows, for messages; as many as fit. */
#define ARTIFACTS_NAMES_SIZE 128
const char *artifacts_names(char out[static ARTIFACTS_NAMES_SIZE]);
