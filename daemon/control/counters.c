/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/control/counters.h"

void counters_describe(const struct counters *c, struct buf *out)
{
    const char *separator = "captures: ";

    for (int o = 0; o < OUTCOME_COUNT; o++) {
        if (c->captures[o] == 0)
            continue;
        (void)buf_addf(out, "%s%llu %s", separator, (unsigned long long)c->captures[o],
                       outcome_name((enum outcome)o));
        separator = ", ";
    }
    if (separator[0] == 'c')
        (void)buf_adds(out, "no captures");
}
