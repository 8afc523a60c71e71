/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/goroutines/start.h"

#include <stddef.h>

uint32_t start_stack(const struct gotrace_event *e)
{
    switch (e->type) {
    case GOTRACE_EV_GO_CREATE:
    case GOTRACE_EV_GO_CREATE_BLOCKED: return e->new_stack;
    case GOTRACE_EV_GO_STOP:
    case GOTRACE_EV_GO_BLOCK:
    case GOTRACE_EV_GO_SYSCALL_BEGIN:
    case GOTRACE_EV_GO_STATUS:
    case GOTRACE_EV_GO_STATUS_STACK: return e->stack;
    default: return 0;
    }
}

int start_name(struct texts *texts, const struct gotrace *trace, const struct gotrace_event *e,
               uint32_t *ret)
{
    size_t n;
    const uint32_t *row = gotrace_stack(trace, start_stack(e), &n);
    const struct gotrace_frame *frame = n > 0 ? gotrace_frame(trace, row[n - 1]) : NULL;

    if (!frame)
        return 0;
    return texts_of(texts, trace, (uint32_t)frame->func, ret);
}
