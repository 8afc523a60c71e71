/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/summary/sites.h"

#include <errno.h>
#include <string.h>

#include "trace/stack/owner.h"
#include "trace/stack/roles.h"

#define CHUNK_SIZE (SITES_CHUNK * SITES_N_RARE * sizeof(struct tally))

/* Makes sure that all stacks and one more have room for rare columns. */
static int add_chunk(struct sites *s)
{
    int r;

    if (s->n_stacks < s->n_chunks * SITES_CHUNK)
        return 0;
    r = memory_grow(s->mem, &s->chunks, &s->chunks_cap, s->n_chunks + 1, sizeof(*s->chunks));
    if (r == 0)
        r = memory_new(s->mem, CHUNK_SIZE, &s->chunks[s->n_chunks]);
    if (r < 0)
        return r;
    s->n_chunks++;
    return 0;
}

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
    if (r == 0)
        r = add_chunk(s);
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
    memory_free(s->mem, s->told, s->told_cap * sizeof(*s->told));
    memory_free(s->mem, s->stacks, s->stacks_cap * sizeof(*s->stacks));
    for (uint32_t i = 0; i < s->n_chunks; i++)
        memory_free(s->mem, s->chunks[i], CHUNK_SIZE);
    memory_free(s->mem, s->chunks, s->chunks_cap * sizeof(*s->chunks));
    memory_free(s->mem, s->filled, s->filled_cap * sizeof(*s->filled));
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

static uint8_t roles_at(const struct sites *s, const struct sites_frame *f)
{
    return roles_of(texts_get(s->texts, f->func), texts_get(s->texts, f->file), s->main_file);
}

/* Learns from the first function of the package main where the program's own code is. */
static void note_main(struct sites *s, const struct sites_frame *f)
{
    const char *file = texts_get(s->texts, f->file);

    if (s->main_file || !owner_tells_main(texts_get(s->texts, f->func), file))
        return;
    s->main_file = file;
    for (uint32_t i = 0; i < s->n_frames; i++)
        s->roles[s->frames[i].func] = roles_at(s, &s->frames[i]);
}

/* Notes what the frame's function tells by its name. */
static int note_function(struct sites *s, const struct sites_frame *f)
{
    size_t n = (size_t)f->func + 1, old = s->roles_cap, old_told = s->told_cap;
    const char *func = texts_get(s->texts, f->func);
    int r = memory_grow(s->mem, &s->roles, &s->roles_cap, n, sizeof(*s->roles));

    if (r < 0)
        return r;
    memset(s->roles + old, 0, s->roles_cap - old);
    r = memory_grow(s->mem, &s->told, &s->told_cap, n, sizeof(*s->told));
    if (r < 0)
        return r;
    memset(s->told + old_told, 0, (s->told_cap - old_told) * sizeof(*s->told));
    note_main(s, f);
    if (s->roles[f->func] != 0)
        return 0;
    s->roles[f->func] = roles_at(s, f);
    s->told[f->func] = stack_function(func, strlen(func));
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
        r = note_function(s, &f);
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
                     struct stack_kind kind, uint32_t *ret)
{
    int r = memory_grow(s->mem, &s->stacks, &s->stacks_cap, s->n_stacks + 1, sizeof(*s->stacks));

    if (r == 0)
        r = add_chunk(s);
    if (r == 0)
        r = memory_grow(s->mem, &s->rows, &s->rows_cap, s->n_rows + n, sizeof(*s->rows));
    if (r == 0)
        r = idmap_add(&s->stack_ids, hash, s->n_stacks);
    if (r < 0)
        return r;
    memcpy(s->rows + s->n_rows, row, n * sizeof(*row));
    s->stacks[s->n_stacks] = (struct sites_stack){
        .row = s->n_rows, .n = n, .class = (uint8_t)kind.class, .traits = kind.traits};
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
        *known = (struct sites_known){h, *ret + 1, s->told[s->frames[*ret].func]};
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

/* The hash of a stack of which all frames are known, or false. Nearly all stacks were met in a
 * generation before, and need no more than this. */
static bool known_hash(const struct sites *s, const uint32_t *frames, size_t n, uint64_t *ret)
{
    uint64_t hash = s->seed;

    if (s->n_known == 0)
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct sites_known *known = &s->known[frames[i]];

        if (known->frame == 0)
            return false;
        hash = texts_mix(hash, known->hash);
    }
    *ret = hash;
    return true;
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

/* What a function of the stack tells; it is known already if the frame has a place. */
static uint32_t told_by(const struct sites *s, const struct gotrace *trace, uint32_t n)
{
    const struct sites_known *known = n < s->n_known ? &s->known[n] : NULL;
    const struct gotrace_frame *frame;
    const char *func = "";
    size_t len = 0;

    if (known && known->frame != 0)
        return known->told;
    frame = gotrace_frame(trace, n);
    if (frame)
        func = gotrace_string(trace, frame->func, &len);
    return stack_function(func, len);
}

static struct stack_kind classify(const struct sites *s, const struct gotrace *trace,
                                  uint32_t handle)
{
    struct stack_reading r = {0};
    size_t n;
    const uint32_t *frames = gotrace_stack(trace, handle, &n);

    for (size_t i = 0; i < n; i++)
        stack_read(&r, told_by(s, trace, frames[i]));
    return stack_told(&r);
}

/* Leaves only the frames that decide which sites the stack has: sites_where and sites_unknown find
 * the same as before. */
static void reduce(const struct sites *s, struct row *row)
{
    /* Of each of these sets of roles, the innermost frame that has none of it, or has one. */
    static const struct {
        uint8_t roles;
        bool has;
    } wanted[] = {{ROLE_PASSES, false},
                  {ROLE_PASSES_IO, false},
                  {ROLE_INSIDE, false},
                  {ROLE_OWN, true},
                  {ROLE_PARKS | ROLE_POLLS, true}};
    unsigned found = 0;
    uint32_t n = 0;

    for (uint32_t i = 0; i < row->n; i++) {
        uint8_t role = s->roles[s->frames[row->frames[i]].func];
        bool keep = i == 0;

        for (unsigned k = 0; k < sizeof(wanted) / sizeof(wanted[0]); k++) {
            if ((found & 1U << k) == 0 && ((role & wanted[k].roles) != 0) == wanted[k].has) {
                found |= 1U << k;
                keep = true;
            }
        }
        if (keep)
            row->frames[n++] = row->frames[i];
    }
    row->n = n;
}

/* Finds a stack that there is no room to keep whole. */
static int find_reduced(struct sites *s, const struct gotrace *trace, uint32_t handle,
                        uint32_t *ret)
{
    struct stack_kind kind = classify(s, trace, handle);
    struct row row;
    uint32_t known;
    uint64_t hash;
    int r = get_row(s, trace, handle, false, &row);

    if (r < 0)
        return r;
    s->lost++;
    reduce(s, &row);
    hash = texts_mix(texts_mix(~s->seed, kind.class), kind.traits);
    for (uint32_t i = 0; i < row.n; i++)
        hash = texts_mix(hash, row.frames[i]);
    known = idmap_find(&s->stack_ids, hash);
    if (known == IDMAP_NONE && s->n_stacks < SITES_MAX_STACKS + SITES_MORE_STACKS && row.n > 0)
        return add_stack(s, hash, row.frames, row.n, kind, ret);
    *ret = known != IDMAP_NONE ? known : SITES_OTHER + kind.class;
    return 0;
}

/* Finds a stack some of whose frames, or which itself, may be new. */
static int find_new(struct sites *s, const struct gotrace *trace, uint32_t handle, uint32_t *ret)
{
    struct row row;
    int r = get_row(s, trace, handle, true, &row);

    *ret = SITES_NO_STACK;
    if (r < 0 || !row.any)
        return r;
    *ret = idmap_find(&s->stack_ids, row.hash);
    if (*ret != IDMAP_NONE)
        return 0;
    return is_full(s) || row.n == 0 || s->n_rows + row.n > SITES_MAX_ROWS
             ? find_reduced(s, trace, handle, ret)
             : add_stack(s, row.hash, row.frames, row.n, classify(s, trace, handle), ret);
}

int sites_find(struct sites *s, const struct gotrace *trace, uint32_t handle, uint32_t *ret)
{
    size_t n_frames;
    const uint32_t *frames = gotrace_stack(trace, handle, &n_frames);
    uint32_t n = IDMAP_NONE;
    uint64_t hash;
    int r = 0;

    if (known_hash(s, frames, n_frames, &hash))
        n = idmap_find(&s->stack_ids, hash);
    if (n == IDMAP_NONE)
        r = find_new(s, trace, handle, &n);
    if (r == -E2BIG) { /* memory's bound came before the stacks' */
        s->lost++;
        n = SITES_OTHER + classify(s, trace, handle).class;
        r = 0;
    }
    if (r < 0)
        return r;
    if (handle < s->n_handles)
        s->by_handle[handle] = n + 1;
    *ret = n;
    return 0;
}

void sites_add_rare(struct sites *s, uint32_t stack)
{
    struct tally *chunk = s->chunks[s->n_rare / SITES_CHUNK];

    s->stacks[stack].rare = chunk + (size_t)(s->n_rare % SITES_CHUNK) * SITES_N_RARE;
    s->n_rare++;
}

int sites_close(struct sites *s)
{
    int r = memory_grow(s->mem, &s->filled, &s->filled_cap, s->n_stacks, sizeof(*s->filled));

    for (uint32_t i = 0; r == 0 && i < s->n_stacks; i++) {
        uint32_t columns = 0;

        for (unsigned k = 0; k < SITES_N_COMMON; k++)
            columns |= (uint32_t)(s->stacks[i].common[k].count > 0) << k;
        for (unsigned k = SITES_N_COMMON; s->stacks[i].rare && k < SITES_N_TALLIES; k++)
            columns |= (uint32_t)(sites_tally(&s->stacks[i], k)->count > 0) << k;
        s->filled[i] = columns;
    }
    return r;
}
