/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/reader/stacks.h"

#include <errno.h>
#include <string.h>

/*
 * An empty place has raw 0. Four zero bytes are no program counter of four bytes, but would match
 * an empty place: so theirs gets another value, which is never looked up there.
 */
static void forget_recent(struct stacks *s)
{
    memset(s->recent, 0, sizeof(s->recent));
    s->recent[stacks_recent_place(0)].raw = 1;
}

void stacks_init(struct stacks *s, struct memory *mem, uint64_t seed)
{
    memset(s, 0, sizeof(*s));
    forget_recent(s);
    s->mem = mem;
    idmap_init(&s->ids, mem, seed);
    idmap_init(&s->pcs, mem, seed);
}

void stacks_done(struct stacks *s)
{
    idmap_done(&s->ids);
    idmap_done(&s->pcs);
    memory_free(s->mem, s->frames, s->frames_cap * sizeof(*s->frames));
    memory_free(s->mem, s->rows, s->rows_cap * sizeof(*s->rows));
    memory_free(s->mem, s->ends, s->ends_cap * sizeof(*s->ends));
}

void stacks_clear(struct stacks *s)
{
    idmap_clear(&s->ids);
    idmap_clear(&s->pcs);
    forget_recent(s);
    s->n = 0;
    s->n_rows = 0;
    s->n_frames = 0;
}

int stacks_begin(struct stacks *s, uint64_t id, size_t n, uint32_t **ret)
{
    int r;

    if (id == 0)
        return -EEXIST;
    if (s->n >= IDMAP_NONE - 1 || s->n_rows > UINT32_MAX - STACKS_MAX_FRAMES)
        return -E2BIG;
    r = memory_grow(s->mem, &s->ends, &s->ends_cap, (size_t)s->n + 1, sizeof(*s->ends));
    if (r == 0)
        r = memory_grow(s->mem, &s->rows, &s->rows_cap, s->n_rows + n + 1, sizeof(*s->rows));
    if (r == 0)
        r = idmap_add_dense(&s->ids, id, s->n + 1);
    if (r < 0)
        return r;
    s->ends[s->n++] = (uint32_t)s->n_rows;
    *ret = s->rows + s->n_rows;
    return 0;
}

void stacks_end(struct stacks *s, size_t n)
{
    s->n_rows += n;
    s->ends[s->n - 1] = (uint32_t)s->n_rows;
}

int stacks_new_frame(struct stacks *s, const struct gotrace_frame *frame, uint32_t *ret)
{
    uint32_t i = s->n_frames;
    int r = memory_grow(s->mem, &s->frames, &s->frames_cap, (size_t)i + 1, sizeof(*frame));

    if (r == 0)
        r = idmap_add(&s->pcs, frame->pc, i);
    if (r < 0)
        return r;
    s->frames[s->n_frames++] = *frame;
    *ret = i;
    return 0;
}

int stacks_seal(struct stacks *s, const struct strings *strings, uint32_t *ret_frame)
{
    for (uint32_t i = 0; i < s->n_frames; i++) {
        uint32_t func = strings_handle(strings, s->frames[i].func);
        uint32_t file = strings_handle(strings, s->frames[i].file);

        if (func == IDMAP_NONE || file == IDMAP_NONE) {
            *ret_frame = i;
            return -ENOENT;
        }
        s->frames[i].func = func;
        s->frames[i].file = file;
    }
    return idmap_seal(&s->ids);
}

const uint32_t *stacks_row(const struct stacks *s, uint32_t handle, size_t *ret_n)
{
    uint32_t begin;

    if (handle == 0 || handle > s->n) {
        *ret_n = 0;
        return NULL;
    }
    begin = handle > 1 ? s->ends[handle - 2] : 0;
    *ret_n = s->ends[handle - 1] - begin;
    return *ret_n > 0 ? s->rows + begin : NULL;
}
