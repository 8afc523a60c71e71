/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Pairs of a name and a value: labels of targets, tags of objects. */

#include <stddef.h>

struct label {
    char *name;
    char *value;
};

/* A copy of `n` labels, to be released with label_clear_all; NULL for none. 0 or -ENOMEM. */
int label_copy_all(const struct label *from, size_t n, struct label **ret);

/* Frees them all; *labels is NULL then, and *n is 0. */
void label_clear_all(struct label **labels, size_t *n);
