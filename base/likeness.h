/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* How alike two names are: for messages that name what was perhaps meant. Pure. */

#define LIKENESS_NAME_MAX 200 /* bytes; a longer name is like none */
#define LIKENESS_LEAST 0.5    /* less is not worth to be named */

/* From 0 to 1: by the words that both have (between _ : and .), or by few letters that differ. */
double likeness_of(const char *a, const char *b);
