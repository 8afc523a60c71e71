/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/source/target_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int target_source_append(struct target_list *to, const struct target_list *from)
{
    struct target_config *items;

    if (from->n == 0)
        return 0;
    items = reallocarray(to->items, to->n + from->n, sizeof(*items));
    if (!items)
        return -ENOMEM;
    memcpy(items + to->n, from->items, from->n * sizeof(*items));
    to->items = items;
    to->n += from->n;
    return 0;
}
