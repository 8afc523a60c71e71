/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/common/command.h"

#include <errno.h>

int command_exit(int r)
{
    return r == 0 ? STATUS_OK : r == -EINVAL ? STATUS_USAGE : STATUS_FAILED;
}
