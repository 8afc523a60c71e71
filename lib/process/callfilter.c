/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/process/callfilter.h"

#include <errno.h>

int callfilter_new(uint32_t otherwise, scmp_filter_ctx *ret)
{
    scmp_filter_ctx filter = seccomp_init(otherwise);
    int r;

    if (!filter)
        return -ENOMEM;
    r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (r < 0) {
        seccomp_release(filter);
        return r;
    }
    *ret = filter;
    return 0;
}

int callfilter_add(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t n)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < n; i++)
        r = seccomp_rule_add(filter, action, calls[i], 0);
    return r;
}

int callfilter_enforce(scmp_filter_ctx filter, int r)
{
    if (r == 0)
        r = seccomp_load(filter);
    seccomp_release(filter);
    return r;
}
