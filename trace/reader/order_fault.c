/* SPDX-License-Identifier: Apache-2.0 */

/* Error texts for events. */

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "trace/reader/order.h"

int order_bad(struct order *o, const struct cursor *c, const char *fmt, ...)
{
    char text[FAULT_TEXT_MAX / 2];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    o->fault->thread = c->m;
    return fault_set(o->fault, -EBADMSG, cursor_offset(c, o->gen), "%s: %s", specs[c->type].name,
                     text);
}

int order_no_memory(struct order *o, const struct cursor *c, int r)
{
    return fault_memory(o->fault, r, cursor_offset(c, o->gen));
}

int order_no_stack(struct order *o, const struct cursor *c, uint64_t id)
{
    return order_bad(o, c, "there is no stack %" PRIu64, id);
}

int order_no_string(struct order *o, const struct cursor *c, uint64_t id)
{
    return order_bad(o, c, "there is no string %" PRIu64, id);
}

/* Reports a missing thread, or proc or goroutine if it is needed; 0 if none is missing. Without a
 * thread there is neither of the others. */
int order_need(struct order *o, const struct cursor *c, bool p, bool g)
{
    if (c->m == GOTRACE_NONE)
        return order_bad(o, c, "happened on no thread");
    if (p && !c->thread->p)
        return order_bad(o, c, "the thread has no proc");
    if (g && c->thread->g < 0)
        return order_bad(o, c, "no goroutine runs on the thread");
    return 0;
}
