/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/summary/sites.h"

#include <stdlib.h>
#include <string.h>

#include "trace/summary/roles.h"

int sites_init(struct sites *s, struct texts *texts, struct memory *mem, uint64_t seed)
{
    int r;

    memset(s, 0, sizeof(*s));
    s->mem = mem;
    s->texts = texts;
    s->seed = seed;
    idmap_init(&s->frame_ids, mem, seed);
    idmap_init(&s->stack_ids, mem, seed);
    r = memory_grow(mem, &s->stacks, &s->stacks_cap, 64, sizeof(*s->stacks));
    if (r < 0)
        return r;
    memset(s->stacks, 0, SITES_FIRST * sizeof(*s->stacks));
    for (uint8_t class = 0; class < STACK_N_CLASSES; class++)
        s->stacks[SITES_OTHER + class].class = class;
    s->n_stacks = SITES_FIRST;
    return 0;
}

void sites_done(struct sites *s)
{
    idmap_done(&s->frame_ids);
    idmap_done(&s->stack_ids);
    memory_free(s->mem, s->frames, s->frames_cap * sizeof(*s->frames));
    memory_free(s->mem, s->roles, s->roles_cap);
    memory_free(s->mem, s->stacks, s->stacks_cap * sizeof(*s->stacks));
    memory_free(s->mem, s->rows, s->rows_cap * sizeof(*s->rows));
    memory_free(s->mem, s->known, s->known_cap * sizeof(*s->known));
    memory_free(s->mem, s->by_handle, s->by_handle_cap * sizeof(*s->by_handle));
}

/* Forgets what is known of the last generation's frames. Without memory for n frames, each is
 * looked up every time. */
static void forget_frames(struct sites *s, uint32_t n)
{
    s->n_known = 0;
    if (n == 0 || memory_grow(s->mem, &s->known, &s->known_cap, n, sizeof(*s->known)) < 0)
        return;
    memset(s->known, 0, n * sizeof(*s->known));
    s->n_known = n;
}

int sites_generation(struct sites *s, uint32_t n_stacks, uint32_t n_frames)
{
    size_t n = (size_t)n_stacks + 1;
    int r = memory_grow(s->mem, &s->by_handle, &s->by_handle_cap, n, sizeof(*s->by_handle));

    if (r < 0)
        return r;
    memset(s->by_handle, 0, n * sizeof(*s->by_handle));
    s->by_handle[0] = SITES_NO_STACK + 1;
    s->n_handles = (uint32_t)n;
    forget_frames(s, n_frames);
    return 0;
}

static int note_role(struct sites *s, uint32_t func)
{
    size_t old = s->roles_cap;
    int r = memory_grow(s->mem, &s->roles, &s->roles_cap, (size_t)func + 1, sizeof(*s->roles));

    if (r < 0)
        return r;
    memset(s->roles + old, 0, s->roles_cap - old);
    if (s->roles[func] == 0)
        s->roles[func] = roles_of(texts_get(s->texts, func));
    return 0;
}

/* Finds a frame, or adds it while there are fewer than max; else *ret is IDMAP_NONE. */
static int find_frame(struct sites *s, const struct gotrace *trace,
                      const struct gotrace_frame *frame, uint32_t max, uint64_t *ret_hash,
                      uint32_t *ret)
{
    struct sites_frame f = {.line = frame->line};
    int r = texts_of(s->texts, trace, (uint32_t)frame->func, &f.func);
    uint64_t h;

    if (r == 0)
        r = texts_of(s->texts, trace, (uint32_t)frame->file, &f.file);
    if (r < 0)
        return r;
    h = texts_mix(texts_mix(s->seed, frame->pc), f.func);
    h = texts_mix(texts_mix(h, f.file), f.line);
    *ret_hash = h;
    *ret = idmap_find(&s->frame_ids, h);
    if (*ret != IDMAP_NONE || s->n_frames >= max)
        return 0;
    r = memory_grow(s->mem, &s->frames, &s->frames_cap, s->n_frames + 1, sizeof(*s->frames));
    if (r == 0)
        r = note_role(s, f.func);
    if (r == 0)
        r = idmap_add(&s->frame_ids, h, s->n_frames);
    if (r < 0)
        return r;
    s->frames[s->n_frames] = f;
    *ret = s->n_frames++;
    return 0;
}

/* New stacks are no longer kept whole. */
static bool is_full(const struct sites *s)
{
    return s->n_stacks >= SITES_MAX_STACKS || s->n_rows >= SITES_MAX_ROWS - SITES_DEPTH ||
           s->n_frames >= SITES_MAX_FRAMES;
}

struct row {
    uint32_t frames[SITES_DEPTH];
    uint32_t n;
    uint64_t hash;
    bool any; /* there is a stack at all */
};

static int add_stack(struct sites *s, uint64_t hash, const uint32_t *row, uint32_t n,
                     enum stack_class class, uint32_t *ret)
{
    int r = memory_grow(s->mem, &s->stacks, &s->stacks_cap, s->n_stacks + 1, sizeof(*s->stacks));

    if (r == 0)
        r = memory_grow(s->mem, &s->rows, &s->rows_cap, s->n_rows + n, sizeof(*s->rows));
    if (r == 0)
        r = idmap_add(&s->stack_ids, hash, s->n_stacks);
    if (r < 0)
        return r;
    memcpy(s->rows + s->n_rows, row, n * sizeof(*row));
    s->stacks[s->n_stacks] =
        (struct sites_stack){.row = s->n_rows, .n = n, .class = (uint8_t)class};
    s->n_rows += n;
    *ret = s->n_stacks++;
    return 0;
}

/* Finds a frame for a stack that is kept whole. */
static int get_frame(struct sites *s, const struct gotrace *trace, uint32_t n, uint64_t *hash,
                     uint32_t *ret)
{
    struct sites_known *known = n < s->n_known ? &s->known[n] : NULL;
    const struct gotrace_frame *frame;
    uint64_t h;
    int r;

    if (__builtin_expect(known && known->frame != 0, 1)) {
        *hash = texts_mix(*hash, known->hash);
        *ret = known->frame - 1;
        return 0;
    }
    *ret = IDMAP_NONE;
    frame = gotrace_frame(trace, n);
    if (!frame)
        return 0;
    r = find_frame(s, trace, frame, is_full(s) ? 0 : SITES_MAX_FRAMES, &h, ret);
    if (r < 0)
        return r;
    *hash = texts_mix(*hash, h);
    if (known && *ret != IDMAP_NONE)
        *known = (struct sites_known){h, *ret + 1};
    return 0;
}

/* Finds a frame for a stack of which only the site is kept. The line identifies the frame; its pc
 * is ignored. */
static int get_line(struct sites *s, const struct gotrace *trace, uint32_t n, uint64_t *hash,
                    uint32_t *ret)
{
    const struct gotrace_frame *frame = gotrace_frame(trace, n);
    struct gotrace_frame line;
    uint64_t h;
    int r;

    *ret = IDMAP_NONE;
    if (!frame)
        return 0;
    line = *frame;
    line.pc = 0;
    r = find_frame(s, trace, &line, SITES_MAX_FRAMES + SITES_MORE_FRAMES, &h, ret);
    if (r == 0)
        *hash = texts_mix(*hash, h);
    return r;
}

/* Collects up to SITES_DEPTH frames of a stack, of those that have a place. All frames go into the
 * hash. */
static int get_row(struct sites *s, const struct gotrace *trace, uint32_t handle, bool whole,
                   struct row *ret)
{
    size_t n;
    const uint32_t *frames = gotrace_stack(trace, handle, &n);
    int r = 0;

    ret->n = 0;
    ret->hash = s->seed;
    ret->any = n > 0;
    for (size_t i = 0; r == 0 && i < n; i++) {
        uint32_t at;

        r = whole ? get_frame(s, trace, frames[i], &ret->hash, &at)
                  : get_line(s, trace, frames[i], &ret->hash, &at);
        if (r == 0 && at != IDMAP_NONE && ret->n < SITES_DEPTH)
            ret->frames[ret->n++] = at;
    }
    return r;
}

/* Leaves only the frames that decide which sites the stack has: site_of finds the same sites as
 * before. */
static void reduce(const struct sites *s, struct row *row)
{
    bool found = false, found_io = false, outside = false;
    uint32_t n = 0;

    for (uint32_t i = 0; i < row->n && !(found && found_io); i++) {
        uint8_t role = s->roles[s->frames[row->frames[i]].func];
        bool is_site = !found && !(role & ROLE_PASSES);
        bool is_io_site = !found_io && !(role & ROLE_PASSES_IO);
        bool is_outside = !outside && !(role & ROLE_INSIDE);

        if (i == 0 || is_site || is_io_site || is_outside)
            row->frames[n++] = row->frames[i];
        found = found || is_site;
        found_io = found_io || is_io_site;
        outside = outside || is_outside;
    }
    row->n = n;
}

/* Finds a stack that there is no room to keep whole. */
static int find_reduced(struct sites *s, const struct gotrace *trace, uint32_t handle,
                        uint32_t *ret)
{
    enum stack_class class = stack_classify(trace, handle);
    struct row row;
    uint64_t hash;
    int r = get_row(s, trace, handle, false, &row);

    if (r < 0)
        return r;
    s->lost++;
    reduce(s, &row);
    hash = texts_mix(~s->seed, class);
    for (uint32_t i = 0; i < row.n; i++)
        hash = texts_mix(hash, row.frames[i]);
    *ret = idmap_find(&s->stack_ids, hash);
    if (*ret != IDMAP_NONE)
        return 0;
    if (s->n_stacks < SITES_MAX_STACKS + SITES_MORE_STACKS && row.n > 0)
        return add_stack(s, hash, row.frames, row.n, class, ret);
    *ret = SITES_OTHER + class;
    return 0;
}

int sites_find(struct sites *s, const struct gotrace *trace, uint32_t handle, uint32_t *ret)
{
    struct row row;
    int r = get_row(s, trace, handle, true, &row);

    *ret = SITES_NO_STACK;
    if (r == 0 && row.any) {
        *ret = idmap_find(&s->stack_ids, row.hash);
        if (*ret == IDMAP_NONE)
            r = is_full(s) || row.n == 0 || s->n_rows + row.n > SITES_MAX_ROWS
                  ? find_reduced(s, trace, handle, ret)
                  : add_stack(s, row.hash, row.frames, row.n, stack_classify(trace, handle), ret);
    }
    if (r == 0 && handle < s->n_handles)
        s->by_handle[handle] = *ret + 1;
    return r;
}

/* The role that makes a function pass on the waits of this profile to its caller. */
static uint8_t roles_in(unsigned column)
{
    switch (column) {
    case SUMMARY_NET:
    case SUMMARY_SYSCALL:
    case SITES_OPEN + SUMMARY_OPEN_NET:
    case SITES_OPEN + SUMMARY_OPEN_SYSCALL: return ROLE_PASSES_IO;
    default: return ROLE_PASSES;
    }
}

/* The number of the frame that is the stack's call site, or IDMAP_NONE. If all functions pass the
 * wait on, it is the innermost frame outside of the runtime. */
static uint32_t site_of(const struct sites *s, uint32_t stack, unsigned column)
{
    const struct sites_stack *k = &s->stacks[stack];
    uint32_t best = k->n > 0 ? s->rows[k->row] : IDMAP_NONE;
    bool found = false;

    for (uint32_t i = 0; column != SUMMARY_CPU && i < k->n; i++) {
        uint32_t frame = s->rows[k->row + i];
        uint8_t role = s->roles[s->frames[frame].func];

        if (!(role & roles_in(column)))
            return frame;
        if (!found && !(role & ROLE_INSIDE)) {
            best = frame;
            found = true;
        }
    }
    return best;
}

static struct summary_frame frame_text(const struct sites *s, uint32_t frame)
{
    const struct sites_frame *f = &s->frames[frame];

    return (struct summary_frame){texts_get(s->texts, f->func), texts_get(s->texts, f->file),
                                  f->line};
}

struct summary_frame sites_frame(const struct sites *s, uint32_t stack,
                                 enum summary_profile profile)
{
    uint32_t frame = site_of(s, stack, profile);

    if (frame == IDMAP_NONE)
        return (struct summary_frame){"", "", 0};
    return frame_text(s, frame);
}

/* A stack and its site, or all stacks of a site after merge. */
struct entry {
    struct sites_frame at;
    uint32_t stack;
    uint32_t n_stacks;
    uint8_t class;
    struct tally tally;
    int64_t top_total;
};

static int by_place(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    if (x->at.func != y->at.func)
        return x->at.func < y->at.func ? -1 : 1;
    if (x->at.file != y->at.file)
        return x->at.file < y->at.file ? -1 : 1;
    if (x->at.line != y->at.line)
        return x->at.line < y->at.line ? -1 : 1;
    if (x->class != y->class)
        return x->class < y->class ? -1 : 1;
    return x->stack < y->stack ? -1 : 1;
}

static int by_weight(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    if (x->tally.total != y->tally.total)
        return x->tally.total > y->tally.total ? -1 : 1;
    if (x->tally.count != y->tally.count)
        return x->tally.count > y->tally.count ? -1 : 1;
    return x->stack < y->stack ? -1 : 1;
}

/* Which stacks a list is about. */
struct choice {
    unsigned classes;   /* a STACK_SET */
    const bool *picked; /* by the stack's number; NULL: all */
};

static size_t collect(const struct sites *s, unsigned column, const struct choice *choice,
                      struct entry *list)
{
    size_t n = 0;

    for (uint32_t i = 0; i < s->n_stacks; i++) {
        const struct tally *t = &s->stacks[i].tallies[column];
        uint32_t frame;

        if (t->count == 0 || (choice->classes & STACK_SET(s->stacks[i].class)) == 0 ||
            (choice->picked && !choice->picked[i]))
            continue;
        frame = site_of(s, i, column);
        list[n] = (struct entry){.stack = i,
                                 .n_stacks = 1,
                                 .tally = *t,
                                 .top_total = t->total,
                                 .class = s->stacks[i].class};
        if (frame != IDMAP_NONE)
            list[n].at = s->frames[frame];
        else
            list[n].at.func = i >= SITES_OTHER && i < SITES_FIRST ? TEXTS_OTHER : TEXTS_EMPTY;
        n++;
    }
    return n;
}

/* Merges entries of the same place and class. The list must be sorted by place. */
static size_t merge(struct entry *list, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        struct entry *to = kept > 0 ? &list[kept - 1] : NULL;

        if (!to || to->at.func != list[i].at.func || to->at.file != list[i].at.file ||
            to->at.line != list[i].at.line || to->class != list[i].class) {
            list[kept++] = list[i];
            continue;
        }
        if (list[i].tally.total > to->top_total) {
            to->top_total = list[i].tally.total;
            to->stack = list[i].stack;
        }
        to->tally.count += list[i].tally.count;
        to->tally.total += list[i].tally.total;
        if (list[i].tally.max > to->tally.max)
            to->tally.max = list[i].tally.max;
        to->n_stacks++;
    }
    return kept;
}

static int fill(struct sites *s, const struct entry *e, struct summary_site *ret)
{
    const struct sites_stack *k = &s->stacks[e->stack];
    struct summary_frame *frames;
    int r = arena_new(&s->texts->arena, k->n * sizeof(*frames), &frames);

    if (r < 0)
        return r;
    for (uint32_t i = 0; i < k->n; i++)
        frames[i] = frame_text(s, s->rows[k->row + i]);
    *ret = (struct summary_site){
        .at = {texts_get(s->texts, e->at.func), texts_get(s->texts, e->at.file), e->at.line},
        .class = e->class,
        .count = e->tally.count,
        .total = e->tally.total,
        .max = e->tally.max,
        .n_stacks = e->n_stacks,
        .top = frames,
        .n_top = k->n,
        .top_total = e->top_total,
    };
    return 0;
}

/* Keeps the first SUMMARY_SITES entries and sums up the others. An entry without a name, as there
 * was no room for it, is no site: only its count and total are summed up. */
static size_t leave_out(struct entry *list, size_t n, struct summary_sites *ret)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        const struct tally *t = &list[i].tally;

        if (list[i].at.func != TEXTS_OTHER && kept < SUMMARY_SITES) {
            list[kept++] = list[i];
            continue;
        }
        ret->left_out += list[i].at.func != TEXTS_OTHER;
        ret->left_out_count += t->count;
        ret->left_out_total += t->total;
    }
    return kept;
}

static int top(struct sites *s, unsigned column, const struct choice *choice,
               struct summary_sites *ret)
{
    struct entry *list;
    size_t n;
    int r = memory_new(s->mem, s->n_stacks * sizeof(*list), &list);

    if (r < 0)
        return r;
    memset(ret, 0, sizeof(*ret));
    n = collect(s, column, choice, list);
    if (n > 1)
        qsort(list, n, sizeof(*list), by_place);
    n = merge(list, n);
    if (n > 1)
        qsort(list, n, sizeof(*list), by_weight);
    for (size_t i = 0; i < n; i++) {
        ret->count += list[i].tally.count;
        ret->total += list[i].tally.total;
    }
    n = leave_out(list, n, ret);
    r = arena_new(&s->texts->arena, n * sizeof(*ret->list), &ret->list);
    for (size_t i = 0; r == 0 && i < n; i++)
        r = fill(s, &list[i], &ret->list[i]);
    ret->n = r == 0 ? n : 0;
    memory_free(s->mem, list, s->n_stacks * sizeof(*list));
    return r;
}

int sites_top(struct sites *s, unsigned column, struct summary_sites *ret)
{
    return sites_top_of(s, column, STACK_ALL, ret);
}

int sites_top_of(struct sites *s, unsigned column, unsigned classes, struct summary_sites *ret)
{
    return top(s, column, &(struct choice){.classes = classes}, ret);
}

int sites_top_picked(struct sites *s, unsigned column, const bool *picked,
                     struct summary_sites *ret)
{
    return top(s, column, &(struct choice){.classes = STACK_ALL, .picked = picked}, ret);
}
