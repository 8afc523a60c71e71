/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/schedtrace/schedline.h"

#include <string.h>

#include "trace/schedtrace/scan.h"

/* Of a line, "name=value" pairs in any order; names that are not known are passed over, as Go adds
 * some now and then. */
struct pair {
    const char *name;
    size_t n;
    int64_t value; /* true is 1; false and nil as below */
};

#define VALUE_NONE (-1) /* "nil", "-1", or words */

static bool name_is(const struct pair *pair, const char *name)
{
    return strlen(name) == pair->n && memcmp(pair->name, name, pair->n) == 0;
}

static bool scan_value(const char **at, int64_t *ret)
{
    uint64_t number;

    *ret = VALUE_NONE;
    if (scan_number(at, UINT32_MAX, &number))
        *ret = (int64_t)number;
    else if (scan_text(at, "true"))
        *ret = 1;
    else if (scan_text(at, "false"))
        *ret = 0;
    else /* "nil", "-1", or a word that is not known yet */
        *at += strcspn(*at, " ");
    if (**at == '/') { /* "runqsize=1/128" of Go 1.2 */
        (*at)++;
        return scan_number(at, UINT32_MAX, &number);
    }
    return **at == ' ' || **at == '\0';
}

static bool scan_pair(const char **at, struct pair *ret)
{
    const char *p = *at;

    while (*p >= 'a' && *p <= 'z')
        p++;
    if (p == *at || *p != '=')
        return false;
    *ret = (struct pair){*at, (size_t)(p - *at), 0};
    p++;
    if (name_is(ret, "preemptoff")) /* words */
        p = strstr(p, " locks=") ? strstr(p, " locks=") : p;
    if (!scan_value(&p, &ret->value))
        return false;
    *at = p;
    return true;
}

struct column {
    const char *name;
    unsigned offset; /* of a uint32_t */
    bool needed;
};

#define COLUMN(type, name, field, needed) {name, (unsigned)offsetof(struct type, field), needed}

/* The most that stand in one table. */
#define COLUMNS_MAX 8

/* Fills in what the pair names. Where it stands in the table, or -1. */
static int store(const struct column *columns, size_t n, const struct pair *pair, void *into)
{
    for (size_t i = 0; i < n; i++) {
        if (!name_is(pair, columns[i].name))
            continue;
        if (pair->value < 0)
            return columns[i].needed ? -1 : (int)i;
        *(uint32_t *)((char *)into + columns[i].offset) = (uint32_t)pair->value;
        return (int)i;
    }
    return -1;
}

static bool all_there(const struct column *columns, size_t n, unsigned seen)
{
    for (size_t i = 0; i < n; i++)
        if (columns[i].needed && !(seen & 1U << i))
            return false;
    return true;
}

/* "[ 1 0 2 ]", or "[1 0 2]" before Go 1.25. How many there are; -1 if the end is not there. */
static int64_t scan_list(const char **at, uint32_t list[static SCHEDLINE_PS_MAX])
{
    const char *p = *at;
    int64_t n = 0;

    if (*p++ != '[')
        return -1;
    for (;;) {
        uint64_t value;

        while (*p == ' ')
            p++;
        if (*p == ']')
            break;
        if (!scan_number(&p, UINT32_MAX, &value))
            return -1;
        if (n < SCHEDLINE_PS_MAX)
            list[n++] = (uint32_t)value;
    }
    *at = p + 1;
    return n;
}

static const struct column head_columns[] = {
    COLUMN(schedline_head, "gomaxprocs", procs, true),
    COLUMN(schedline_head, "idleprocs", idle, true),
    COLUMN(schedline_head, "threads", threads, true),
    COLUMN(schedline_head, "idlethreads", idle_threads, true),
    COLUMN(schedline_head, "runqueue", runqueue, true),
    COLUMN(schedline_head, "spinningthreads", spinning, false),
    COLUMN(schedline_head, "nmspinning", spinning, false), /* of Go 1.2 */
    COLUMN(schedline_head, "nmidlelocked", idle_locked, false),
};
#define N_HEAD (sizeof(head_columns) / sizeof(head_columns[0]))
_Static_assert(N_HEAD <= COLUMNS_MAX, "too many columns");

/* The queues of a snapshot without details, and what follows them. */
static bool scan_queues(const char **at, struct schedline *line)
{
    int64_t n = scan_list(at, line->queue);
    const char *p = *at;

    if (n < 0)
        return false;
    line->head.n = (uint32_t)n;
    if (!scan_text(&p, " schedticks="))
        return true;
    if (scan_list(&p, line->tick) != n)
        return false;
    line->head.ticks = true;
    *at = p;
    return true;
}

static bool scan_head(const char **at, struct schedline *line)
{
    struct schedline_head *head = &line->head;
    unsigned seen = 0;
    struct pair pair;

    if (!scan_text(at, "SCHED ") || !scan_number(at, UINT64_MAX / 1000000, &head->ms) ||
        !scan_text(at, "ms: "))
        return false;
    while (scan_pair(at, &pair)) {
        int i = store(head_columns, N_HEAD, &pair, head);

        if (i >= 0)
            seen |= 1U << i;
        head->needspinning |= name_is(&pair, "needspinning");
        if (name_is(&pair, "gcwaiting"))
            head->gcwaiting = pair.value > 0;
        head->detailed |= name_is(&pair, "stopwait");
        if (**at == ' ')
            (*at)++;
    }
    if (!all_there(head_columns, N_HEAD, seen) || head->procs == 0 || head->idle > head->procs)
        return false;
    return head->detailed || scan_queues(at, line);
}

static const struct column p_columns[] = {
    COLUMN(schedline_p, "status", status, true),
    COLUMN(schedline_p, "schedtick", tick, false),
    COLUMN(schedline_p, "tick", tick, false), /* of Go 1.2 */
    COLUMN(schedline_p, "syscalltick", syscalltick, false),
    COLUMN(schedline_p, "runqsize", queue, true),
};
#define N_P (sizeof(p_columns) / sizeof(p_columns[0]))
_Static_assert(N_P <= COLUMNS_MAX, "too many columns");

static bool scan_p(const char **at, struct schedline *line)
{
    struct schedline_p *p = &line->p;
    unsigned seen = 0;
    struct pair pair;

    p->m = VALUE_NONE;
    while (scan_pair(at, &pair)) {
        int i = store(p_columns, N_P, &pair, p);

        if (i >= 0)
            seen |= 1U << i;
        if (name_is(&pair, "m"))
            p->m = pair.value;
        if (**at == ' ')
            (*at)++;
    }
    return all_there(p_columns, N_P, seen);
}

static bool scan_m(const char **at, struct schedline *line)
{
    struct schedline_m *m = &line->m;
    bool whole = false;
    struct pair pair;

    m->p = m->g = VALUE_NONE;
    while (scan_pair(at, &pair)) {
        if (name_is(&pair, "p"))
            m->p = pair.value;
        else if (name_is(&pair, "curg"))
            m->g = pair.value;
        else if (name_is(&pair, "spinning"))
            m->spinning = pair.value > 0;
        else if (name_is(&pair, "blocked"))
            m->blocked = pair.value > 0;
        else if (name_is(&pair, "lockedg")) {
            m->locked = pair.value > 0;
            whole = true;
        }
        if (**at == ' ')
            (*at)++;
    }
    return whole;
}

/* "status=4(IO wait) m=nil lockedm=nil"; the reason may have brackets of its own. */
static bool scan_g(const char **at, struct schedline *line)
{
    struct schedline_g *g = &line->g;
    const char *reason, *end;
    uint64_t status;
    int64_t m;

    if (!scan_text(at, "status=") || !scan_number(at, UINT32_MAX, &status) || **at != '(')
        return false;
    reason = *at + 1;
    end = strstr(reason, ") m=");
    if (!end)
        return false;
    g->io = strncmp(reason, "IO wait)", 8) == 0;
    g->assist = strncmp(reason, "GC assist", 9) == 0;
    *at = end + 4;
    if (!scan_value(at, &m))
        return false;
    g->status = (uint32_t)status & 0xff; /* 0x1000 is set while its stack is scanned */
    g->m = m;
    return true;
}

/* A line of one P, M or G: the letter, its number, and what every one has first. The two blanks before
 * it may have been lost on the way. */
static const struct form {
    const char *begin, *first;
    enum schedline_kind kind;
    bool (*scan)(const char **, struct schedline *);
} forms[] = {
    {"P", ": status=", SCHEDLINE_P, scan_p},
    {"M", ": p=", SCHEDLINE_M, scan_m},
    {"G", ": status=", SCHEDLINE_G, scan_g},
};
#define N_FORMS (sizeof(forms) / sizeof(forms[0]))

static void set_id(struct schedline *line, uint64_t id)
{
    switch (line->kind) {
    case SCHEDLINE_P: line->p.id = (uint32_t)id; break;
    case SCHEDLINE_M: line->m.id = (uint32_t)id; break;
    default: line->g.id = id; break;
    }
}

static bool read_form(const struct form *form, const char *text, struct schedline *ret)
{
    const char *at = text, *pairs;
    uint64_t id;

    if (!scan_text(&at, form->begin) || !scan_number(&at, UINT32_MAX, &id))
        return false;
    pairs = at + 2;
    if (!scan_text(&at, form->first))
        return false;
    ret->kind = form->kind;
    if (form->scan(&pairs, ret))
        set_id(ret, id);
    else
        ret->kind = SCHEDLINE_TORN;
    ret->n = (size_t)(pairs - text);
    return true;
}

static bool read_head(const char *text, struct schedline *ret)
{
    const char *at = text;

    ret->kind = scan_head(&at, ret) ? SCHEDLINE_SCHED : SCHEDLINE_TORN;
    ret->n = (size_t)(at - text);
    return true;
}

static bool read_gc(const char *text, struct schedline *ret)
{
    ret->n = gcline_read(text, &ret->gc);
    ret->kind = ret->n > 0 ? SCHEDLINE_GC : SCHEDLINE_TORN;
    return true;
}

static bool word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* "SCHED 12ms: ", which nothing else begins with. */
static bool begins_head(const char *p)
{
    uint64_t ms;

    return scan_text(&p, "SCHED ") && scan_number(&p, UINT64_MAX, &ms) && scan_text(&p, "ms: ");
}

/* "gc 12 @3". */
static bool begins_gc(const char *p)
{
    uint64_t cycle;

    return scan_text(&p, "gc ") && scan_number(&p, UINT64_MAX, &cycle) && scan_text(&p, " @") &&
         *p >= '0' && *p <= '9';
}

/* Reads what begins at `p`, if it is of ours. */
static bool read_at(const char *p, bool first, struct schedline *ret)
{
    bool begins = first || !word(p[-1]);

    if (*p == 'S' && begins_head(p))
        return read_head(p, ret);
    if (*p == 'g' && begins && begins_gc(p))
        return read_gc(p, ret);
    for (size_t i = 0; begins && i < N_FORMS; i++)
        if (read_form(&forms[i], p, ret))
            return true;
    return false;
}

void schedline_read(const char *text, size_t n, struct schedline *ret)
{
    size_t torn = SIZE_MAX;

    for (size_t at = 0; at < n; at++) {
        /* The lists are as long as they are said to be. */
        (void)memset(ret, 0, offsetof(struct schedline, queue));
        if (!read_at(text + at, at == 0, ret))
            continue;
        ret->at = at;
        if (ret->kind != SCHEDLINE_TORN)
            return;
        /* A whole one may follow in the same line. */
        torn = torn < at ? torn : at;
    }
    (void)memset(ret, 0, offsetof(struct schedline, queue));
    if (torn == SIZE_MAX)
        return;
    ret->kind = SCHEDLINE_TORN;
    ret->at = torn;
}
