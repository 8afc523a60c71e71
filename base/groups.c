/* SPDX-License-Identifier: Apache-2.0 */
#include "base/groups.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"

bool groups_have(gid_t group)
{
    int n = getgroups(0, NULL);
    _cleanup_free_ gid_t *groups = n > 0 ? calloc((size_t)n, sizeof(*groups)) : NULL;

    if (group == getegid())
        return true;
    n = groups ? getgroups(n, groups) : 0;
    while (n > 0) {
        if (groups[--n] == group)
            return true;
    }
    return false;
}
