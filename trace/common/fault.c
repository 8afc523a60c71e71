/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/common/fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int fault_set(struct fault *fault, int code, uint64_t offset, const char *fmt, ...)
{
    va_list args;
    int n = 0;

    if (fault->code != 0)
        return fault->code;
    fault->code = code;
    fault->offset = offset;
    if (fault->newer > 0 && code == -EBADMSG) {
        fault->code = -ENOTSUP;
        n = snprintf(fault->text, sizeof(fault->text),
                     "trace format go 1.%u is not known: ", fault->newer);
    }
    va_start(args, fmt);
    (void)vsnprintf(fault->text + n, sizeof(fault->text) - (size_t)n, fmt, args);
    va_end(args);
    return fault->code;
}

int fault_memory(struct fault *fault, int code, uint64_t offset)
{
    return fault_set(fault, code, offset, "%s",
                     code == -E2BIG ? "needs more memory than allowed" : "out of memory");
}
