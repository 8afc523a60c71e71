/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/common/fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int fault_set(struct fault *fault, int code, uint64_t offset, const char *fmt, ...)
{
    va_list args;

    if (fault->code != 0)
        return fault->code;
    fault->code = code;
    fault->offset = offset;
    va_start(args, fmt);
    (void)vsnprintf(fault->text, sizeof(fault->text), fmt, args);
    va_end(args);
    return code;
}

int fault_memory(struct fault *fault, int code, uint64_t offset)
{
    return fault_set(fault, code, offset, "%s",
                     code == -E2BIG ? "needs more memory than allowed" : "out of memory");
}
