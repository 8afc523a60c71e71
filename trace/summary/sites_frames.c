/* SPDX-License-Identifier: Apache-2.0 */

/* What the frames of one stack tell, or those of two beside each other. */

#include <string.h>

#include "trace/stack/roles.h"
#include "trace/summary/sites.h"

/* The role that makes a function pass on the waits of this profile to its caller. */
static uint8_t roles_in(unsigned column)
{
    switch (column) {
    case SUMMARY_NET:
    case SUMMARY_SYSCALL:
    case SITES_SLOW:
    case SITES_OPEN + SUMMARY_OPEN_NET:
    case SITES_OPEN + SUMMARY_OPEN_SYSCALL: return ROLE_PASSES_IO;
    default: return ROLE_PASSES;
    }
}

/* The place in the stack's row of its call site; n if it has no frame. If all functions pass the
 * wait on, it is the innermost frame outside of the runtime. */
static uint32_t site_of(const struct sites *s, const struct sites_stack *k, unsigned column)
{
    uint32_t best = 0;
    bool found = false;

    for (uint32_t i = 0; column != SUMMARY_CPU && i < k->n; i++) {
        uint8_t role = s->roles[s->frames[s->rows[k->row + i]].func];

        if (!(role & roles_in(column)))
            return i;
        if (!found && !(role & ROLE_INSIDE)) {
            best = i;
            found = true;
        }
    }
    return best;
}

/* The place of the innermost frame with one of these roles; n if there is none. */
static uint32_t first_with(const struct sites *s, const struct sites_stack *k, uint8_t roles)
{
    uint32_t i = 0;

    while (i < k->n && !(s->roles[s->frames[s->rows[k->row + i]].func] & roles))
        i++;
    return i;
}

uint32_t sites_at(const struct sites *s, uint32_t stack, unsigned column)
{
    const struct sites_stack *k = &s->stacks[stack];
    uint32_t at = site_of(s, k, column);

    return at < k->n ? s->rows[k->row + at] : IDMAP_NONE;
}

struct sites_where sites_where(const struct sites *s, uint32_t stack, unsigned column)
{
    const struct sites_stack *k = &s->stacks[stack];
    uint32_t at = site_of(s, k, column), own = first_with(s, k, ROLE_OWN), call = at;

    if (at == own)
        call = own > 0 ? own - 1 : k->n;
    return (struct sites_where){
        .at = at < k->n ? s->rows[k->row + at] : IDMAP_NONE,
        .own = own < k->n ? s->rows[k->row + own] : IDMAP_NONE,
        .call = own < k->n && call < k->n ? s->rows[k->row + call] : IDMAP_NONE,
    };
}

unsigned sites_unknown(const struct sites *s, uint32_t stack)
{
    const struct sites_stack *k = &s->stacks[stack];
    uint32_t i = first_with(s, k, ROLE_PARKS | ROLE_POLLS);

    /* What called a function of the program is no longer the reason. */
    if (i == k->n || i > first_with(s, k, ROLE_OWN))
        return SITES_NOTHING;
    return s->roles[s->frames[s->rows[k->row + i]].func] & ROLE_POLLS ? SUMMARY_NET : SUMMARY_SYNC;
}

struct summary_frame sites_text(const struct sites *s, const struct sites_frame *f)
{
    return (struct summary_frame){texts_get(s->texts, f->func), texts_get(s->texts, f->file),
                                  f->line};
}

struct summary_frame sites_frame_text(const struct sites *s, uint32_t frame)
{
    return frame != IDMAP_NONE ? sites_text(s, &s->frames[frame])
                               : (struct summary_frame){"", "", 0};
}

int sites_compare(const struct sites_frame *a, const struct sites_frame *b)
{
    if (a->func != b->func)
        return a->func < b->func ? -1 : 1;
    if (a->file != b->file)
        return a->file < b->file ? -1 : 1;
    return a->line < b->line ? -1 : a->line > b->line;
}

struct summary_frame sites_frame(const struct sites *s, uint32_t stack,
                                 enum summary_profile profile)
{
    return sites_frame_text(s, sites_at(s, stack, profile));
}

struct summary_own sites_own(const struct sites *s, uint32_t stack, enum summary_profile profile)
{
    struct sites_where where = sites_where(s, stack, profile);

    return (struct summary_own){sites_frame_text(s, where.own),
                                sites_frame_text(s, where.call).func};
}

/* The nth frame of a stack, the innermost first. */
static const struct sites_frame *nth(const struct sites *s, uint32_t stack, uint32_t n)
{
    return &s->frames[s->rows[s->stacks[stack].row + n]];
}

/* Functions that are there for every syscall. */
static bool is_any_call(const char *func)
{
    static const char *const any[] = {"Syscall", "Syscall6", "RawSyscall",        "RawSyscall6",
                                      "syscall", "syscall6", "RawSyscallNoError", "SyscallNoError"};
    const char *name = strrchr(func, '.');

    for (size_t i = 0; name && i < sizeof(any) / sizeof(any[0]); i++) {
        if (strcmp(name + 1, any[i]) == 0)
            return true;
    }
    return false;
}

static bool names_call(const char *func)
{
    static const char *const packages[] = {"syscall.", "golang.org/x/sys/unix.",
                                           "internal/syscall/unix."};

    for (size_t i = 0; i < sizeof(packages) / sizeof(packages[0]); i++) {
        if (strncmp(func, packages[i], strlen(packages[i])) == 0)
            return !is_any_call(func);
    }
    return strstr(func, "._Cfunc_") != NULL;
}

struct summary_frame sites_call(const struct sites *s, uint32_t stack)
{
    const struct sites_stack *k = &s->stacks[stack];
    uint32_t best = k->n > 0 ? s->rows[k->row] : IDMAP_NONE;

    for (uint32_t i = 0; i < k->n; i++) {
        if (names_call(texts_get(s->texts, nth(s, stack, i)->func)))
            best = s->rows[k->row + i];
    }
    return sites_frame_text(s, best);
}

const char *sites_named(const struct sites *s, uint32_t stack, const char *begin)
{
    for (uint32_t i = 0; i < s->stacks[stack].n; i++) {
        const char *func = texts_get(s->texts, nth(s, stack, i)->func);

        if (strncmp(func, begin, strlen(begin)) == 0)
            return func;
    }
    return "";
}

const char *sites_outermost(const struct sites *s, uint32_t stack)
{
    const struct sites_stack *k = &s->stacks[stack];

    return k->n > 0 ? texts_get(s->texts, nth(s, stack, k->n - 1)->func) : "";
}

bool sites_of_main(const struct sites *s, uint32_t stack)
{
    const char *func = sites_outermost(s, stack);

    return strcmp(func, "runtime.main") == 0 || strcmp(func, "main.main") == 0;
}

/* The name of the outermost function of the program's own, or 0. */
static uint32_t outermost_own(const struct sites *s, uint32_t stack)
{
    for (uint32_t i = s->stacks[stack].n; i > 0; i--) {
        uint32_t func = nth(s, stack, i - 1)->func;

        if (s->roles[func] & ROLE_OWN)
            return func;
    }
    return 0;
}

bool sites_alike(const struct sites *s, uint32_t a, uint32_t b)
{
    uint32_t func = outermost_own(s, a);

    return func != 0 && func == outermost_own(s, b);
}
