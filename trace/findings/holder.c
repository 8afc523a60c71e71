/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/findings/holder.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

const char *holder_short(const char *func)
{
    const char *bracket = strpbrk(func, "[("), *ret = func;

    for (const char *p = func; *p != '\0' && (!bracket || p < bracket); p++) {
        if (*p == '/')
            ret = p + 1;
    }
    return ret;
}

/* The name of a system call or a function in C as people know it: fdatasync, C.query. */
static void name_call(const char *func, char *ret, size_t size)
{
    const char *in_c = strstr(func, "_Cfunc_"), *dot = strrchr(func, '.');
    size_t i = 0;

    if (in_c) {
        (void)snprintf(ret, size, "C.%s", in_c + strlen("_Cfunc_"));
        return;
    }
    for (func = dot ? dot + 1 : func; func[i] != '\0' && i + 1 < size; i++)
        ret[i] = (char)tolower((unsigned char)func[i]);
    ret[i] = '\0';
}

/* What a waker did, in words that follow "held" or "which had been". */
static void describe(const struct summary_waker *w, bool lock, char *ret, size_t size)
{
    char call[64];

    name_call(w->call, call, sizeof(call));
    switch (w->before) {
    case SUMMARY_IN_SYSCALL:
        (void)snprintf(ret, size, "%s %s", lock ? "over" : "in", call[0] ? call : "a syscall");
        break;
    case SUMMARY_IN_NETWORK:
        (void)snprintf(ret, size, "%s %s", lock ? "over a wait for" : "waiting for",
                       w->call && w->call[0] ? "a pipe or terminal" : "the network");
        break;
    case SUMMARY_ASLEEP: (void)snprintf(ret, size, "%s", lock ? "while asleep" : "asleep"); break;
    case SUMMARY_WAITED:
        (void)snprintf(ret, size, "%s %s", lock ? "over a wait:" : "in", w->reason);
        break;
    default: (void)snprintf(ret, size, "running"); break;
    }
}

/* The first of the wakers that are of mutexes, or are not, and that did this. */
static const struct summary_waker *first(const struct summary *s, bool lock,
                                         enum summary_before before)
{
    for (size_t i = 0; i < s->wakers.n; i++) {
        const struct summary_waker *w = &s->wakers.list[i];

        if ((w->class == STACK_LOCK) == lock && w->before == before)
            return w;
    }
    return NULL;
}

enum summary_before holder_of_locks(const struct summary *s)
{
    double all = 0;

    for (unsigned i = 0; i < SUMMARY_N_BEFORE; i++)
        all += (double)s->wakers.lock[i];
    for (unsigned i = SUMMARY_RAN + 1; i < SUMMARY_N_BEFORE; i++) {
        if (all > 0 && (double)s->wakers.lock[i] * 2 >= all)
            return (enum summary_before)i;
    }
    return SUMMARY_RAN;
}

static void tell(const struct summary_waker *w, bool lock, const char *begin, struct finding *f)
{
    char did[100];

    if (!w || w->before == SUMMARY_RAN || f->remark[0] != '\0')
        return;
    describe(w, lock, did, sizeof(did));
    if (w->before_at.func && w->before_at.func[0] != '\0')
        (void)snprintf(f->remark, sizeof(f->remark), "%s %s (%s)", begin, did,
                       holder_short(w->before_at.func));
    else
        (void)snprintf(f->remark, sizeof(f->remark), "%s %s", begin, did);
}

void holder_tell(const struct summary *s, struct finding *f)
{
    tell(first(s, true, holder_of_locks(s)), true, "held", f);
}

void holder_tell_inside(const struct summary *s, struct finding *f)
{
    for (size_t i = 0; i < s->wakers.n; i++) {
        const struct summary_waker *w = &s->wakers.list[i];

        if (w->class != STACK_LOCK) {
            tell(w, false, "woken by one that had been", f);
            return;
        }
    }
}
