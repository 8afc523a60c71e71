/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/common/confined.h"

#include <errno.h>
#include <string.h>

#include "cli/common/command.h"
#include "cli/common/screen.h"
#include "lib/process/sandbox.h"

int confined_check(const char *command, int n, char *const *words)
{
    if (n == 1 && strcmp(words[0], "-") == 0)
        return 0;
    complain("%s: --sandbox reads standard input and nothing else: '-'", command);
    return -EINVAL;
}

int confined_enter(const char *command)
{
    int r = sandbox_enter();

    if (r == 0)
        return 0;
    complain("%s: no sandbox: %s", command, strerror(-r));
    return SANDBOX_EXIT_UNCONFINED;
}

int confined_exit(int r)
{
    switch (r) {
    case -ENOMEM: return SANDBOX_EXIT_MEMORY;
    case -EPROTONOSUPPORT:
    case -ENOTSUP: return SANDBOX_EXIT_FORMAT;
    default: return command_exit(r);
    }
}
