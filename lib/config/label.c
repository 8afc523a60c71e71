/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/config/label.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int label_copy_all(const struct label *from, size_t n, struct label **ret)
{
    struct label *labels = n > 0 ? calloc(n, sizeof(*labels)) : NULL;
    bool failed = n > 0 && !labels;

    for (size_t i = 0; i < n && !failed; i++) {
        labels[i] = (struct label){.name = strdup(from[i].name), .value = strdup(from[i].value)};
        failed = !labels[i].name || !labels[i].value;
    }
    if (failed) {
        label_clear_all(&labels, &n);
        return -ENOMEM;
    }
    *ret = labels;
    return 0;
}

void label_clear_all(struct label **labels, size_t *n)
{
    for (size_t i = 0; *labels && i < *n; i++) {
        free((*labels)[i].name);
        free((*labels)[i].value);
    }
    free(*labels);
    *labels = NULL;
    *n = 0;
}
