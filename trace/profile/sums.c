/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/profile/sums.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

void sums_init(struct sums *s, struct memory *mem, uint64_t seed)
{
    memset(s, 0, sizeof(*s));
    s->mem = mem;
    s->seed = seed;
    idmap_init(&s->string_ids, mem, seed | 1);
    idmap_init(&s->function_ids, mem, seed | 1);
    idmap_init(&s->frame_ids, mem, seed | 1);
    idmap_init(&s->stack_ids, mem, seed | 1);
    idmap_init(&s->label_ids, mem, seed | 1);
}

void sums_done(struct sums *s)
{
    memory_free(s->mem, s->texts, s->texts_cap);
    memory_free(s->mem, s->strings, s->strings_cap * sizeof(*s->strings));
    memory_free(s->mem, s->functions, s->functions_cap * sizeof(*s->functions));
    memory_free(s->mem, s->frames, s->frames_cap * sizeof(*s->frames));
    memory_free(s->mem, s->rows, s->rows_cap * sizeof(*s->rows));
    memory_free(s->mem, s->stacks, s->stacks_cap * sizeof(*s->stacks));
    memory_free(s->mem, s->labels, s->labels_cap * sizeof(*s->labels));
    memory_free(s->mem, s->open, s->open_cap * sizeof(*s->open));
    idmap_done(&s->string_ids);
    idmap_done(&s->function_ids);
    idmap_done(&s->frame_ids);
    idmap_done(&s->stack_ids);
    idmap_done(&s->label_ids);
}

void sums_drop(struct sums *s)
{
    for (size_t i = 0; i < s->n_open; i++) {
        s->stacks[s->open[i]].open_count = 0;
        s->stacks[s->open[i]].open_ns = 0;
    }
    s->n_open = 0;
}

void sums_commit(struct sums *s)
{
    for (size_t i = 0; i < s->n_open; i++) {
        struct sums_stack *stack = &s->stacks[s->open[i]];

        stack->count += stack->open_count;
        if (__builtin_add_overflow(stack->ns, stack->open_ns, &stack->ns))
            stack->ns = INT64_MAX;
        stack->open_count = 0;
        stack->open_ns = 0;
    }
    s->n_open = 0;
}

void sums_reset(struct sums *s)
{
    sums_drop(s);
    for (size_t i = 0; i < s->n_stacks; i++) {
        s->stacks[i].count = 0;
        s->stacks[i].ns = 0;
    }
}

static uint64_t stir(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9fb21c651e98df25U;
    return hash ^ hash >> 29;
}

static uint64_t hash_bytes(uint64_t hash, const void *data, size_t n)
{
    const char *p = data;
    uint64_t word;

    hash = stir(hash, n);
    for (; n >= sizeof(word); n -= sizeof(word), p += sizeof(word)) {
        memcpy(&word, p, sizeof(word));
        hash = stir(hash, word);
    }
    word = 0;
    if (n > 0)
        memcpy(&word, p, n);
    return stir(hash, word);
}

/* The key to look for; each kind uses its own fields. */
struct wanted {
    const void *data;
    size_t n;
    struct sums_function function;
    struct sums_frame frame;
    struct sums_label label;
    uint32_t number; /* of that label */
};

typedef bool (*same_fn)(const struct sums *s, uint32_t i, const struct wanted *w);

/* 1 and the number of the entry; 0 and a free id for a new one. */
static int find(const struct sums *s, const struct idmap *ids, uint64_t hash, same_fn same,
                const struct wanted *w, uint64_t *ret_id, uint32_t *ret)
{
    for (;; hash++) {
        uint32_t i = idmap_find(ids, hash);

        if (i == IDMAP_NONE) {
            *ret_id = hash;
            return 0;
        }
        if (same(s, i, w)) {
            *ret = i;
            return 1;
        }
    }
}

static bool same_string(const struct sums *s, uint32_t i, const struct wanted *w)
{
    const struct sums_string *string = &s->strings[i];

    return string->len == w->n &&
           (w->n == 0 || memcmp(s->texts + string->offset, w->data, w->n) == 0);
}

int sums_string(struct sums *s, const char *text, size_t len, uint32_t *ret)
{
    struct wanted w = {.data = text, .n = len};
    uint32_t i = (uint32_t)s->n_strings;
    uint64_t id;
    int r;

    if (find(s, &s->string_ids, hash_bytes(s->seed, text, len), same_string, &w, &id, ret))
        return 0;
    if (len > UINT32_MAX || s->n_strings >= IDMAP_NONE)
        return -E2BIG;
    r = memory_grow(s->mem, &s->texts, &s->texts_cap, s->n_texts + len, 1);
    if (r == 0)
        r = memory_grow(s->mem, &s->strings, &s->strings_cap, i + 1U, sizeof(*s->strings));
    if (r == 0)
        r = idmap_add(&s->string_ids, id, i);
    if (r < 0)
        return r;
    if (len > 0)
        memcpy(s->texts + s->n_texts, text, len);
    s->strings[i] = (struct sums_string){s->n_texts, (uint32_t)len};
    s->n_texts += len;
    s->n_strings++;
    *ret = i;
    return 0;
}

static bool same_function(const struct sums *s, uint32_t i, const struct wanted *w)
{
    return s->functions[i].name == w->function.name && s->functions[i].file == w->function.file;
}

static int function_number(struct sums *s, uint32_t name, uint32_t file, uint32_t *ret)
{
    struct wanted w = {.function = {name, file}};
    uint32_t i = (uint32_t)s->n_functions;
    uint64_t id, hash = stir(stir(s->seed, name), file);
    int r;

    if (find(s, &s->function_ids, hash, same_function, &w, &id, ret))
        return 0;
    if (s->n_functions >= IDMAP_NONE)
        return -E2BIG;
    r = memory_grow(s->mem, &s->functions, &s->functions_cap, i + 1U, sizeof(*s->functions));
    if (r == 0)
        r = idmap_add(&s->function_ids, id, i);
    if (r < 0)
        return r;
    s->functions[i] = w.function;
    s->n_functions++;
    *ret = i;
    return 0;
}

static bool same_frame(const struct sums *s, uint32_t i, const struct wanted *w)
{
    const struct sums_frame *f = &s->frames[i];

    return f->pc == w->frame.pc && f->function == w->frame.function && f->line == w->frame.line;
}

int sums_frame(struct sums *s, uint64_t pc, uint32_t name, uint32_t file, uint64_t line,
               uint32_t *ret)
{
    struct wanted w = {.frame = {.pc = pc, .line = line}};
    uint32_t i = (uint32_t)s->n_frames;
    int r = function_number(s, name, file, &w.frame.function);
    uint64_t id, hash;

    if (r < 0)
        return r;
    hash = stir(stir(stir(s->seed, pc), line), w.frame.function);
    if (find(s, &s->frame_ids, hash, same_frame, &w, &id, ret))
        return 0;
    if (s->n_frames >= IDMAP_NONE)
        return -E2BIG;
    r = memory_grow(s->mem, &s->frames, &s->frames_cap, i + 1U, sizeof(*s->frames));
    if (r == 0)
        r = idmap_add(&s->frame_ids, id, i);
    if (r < 0)
        return r;
    s->frames[i] = w.frame;
    s->n_frames++;
    *ret = i;
    return 0;
}

static bool same_stack(const struct sums *s, uint32_t i, const struct wanted *w)
{
    const struct sums_stack *stack = &s->stacks[i];

    return stack->label == w->number && stack->n == w->n &&
           (w->n == 0 || memcmp(s->rows + stack->offset, w->data, w->n * sizeof(*s->rows)) == 0);
}

/* Adds a stack of which nothing is known but its id, with these frames. */
static int add_stack(struct sums *s, uint64_t id, const struct sums_stack *stack, uint32_t *ret)
{
    uint32_t i = (uint32_t)s->n_stacks;
    int r = memory_grow(s->mem, &s->stacks, &s->stacks_cap, i + 1U, sizeof(*s->stacks));

    if (r == 0)
        r = memory_grow(s->mem, &s->open, &s->open_cap, i + 1U, sizeof(*s->open));
    if (r == 0)
        r = idmap_add(&s->stack_ids, id, i);
    if (r < 0)
        return r;
    s->stacks[i] = *stack;
    s->n_stacks++;
    *ret = i;
    return 0;
}

int sums_stack(struct sums *s, const uint32_t *frames, size_t n, uint32_t *ret)
{
    struct wanted w = {.data = frames, .n = n, .number = SUMS_NONE};
    uint64_t id, hash = hash_bytes(s->seed, frames, n * sizeof(*frames));
    int r;

    if (find(s, &s->stack_ids, hash, same_stack, &w, &id, ret))
        return 0;
    if (n > UINT32_MAX || s->n_stacks >= IDMAP_NONE)
        return -E2BIG;
    r = memory_grow(s->mem, &s->rows, &s->rows_cap, s->n_rows + n, sizeof(*s->rows));
    if (r < 0)
        return r;
    if (n > 0)
        memcpy(s->rows + s->n_rows, frames, n * sizeof(*frames));
    r = add_stack(s, id,
                  &(struct sums_stack){.offset = s->n_rows, .n = (uint32_t)n, .label = SUMS_NONE},
                  ret);
    if (r == 0)
        s->n_rows += n;
    return r;
}

static bool same_label(const struct sums *s, uint32_t i, const struct wanted *w)
{
    const struct sums_label *l = &s->labels[i];

    return l->task == w->label.task && l->region == w->label.region && l->reason == w->label.reason;
}

static int label_number(struct sums *s, const struct sums_label *label, uint32_t *ret)
{
    struct wanted w = {.label = *label};
    uint32_t i = (uint32_t)s->n_labels;
    uint64_t id, hash = stir(stir(stir(s->seed, label->task), label->region), label->reason);
    int r;

    if (find(s, &s->label_ids, hash, same_label, &w, &id, ret))
        return 0;
    if (s->n_labels >= IDMAP_NONE)
        return -E2BIG;
    r = memory_grow(s->mem, &s->labels, &s->labels_cap, i + 1U, sizeof(*s->labels));
    if (r == 0)
        r = idmap_add(&s->label_ids, id, i);
    if (r < 0)
        return r;
    s->labels[i] = *label;
    s->n_labels++;
    *ret = i;
    return 0;
}

int sums_labelled(struct sums *s, uint32_t stack, const struct sums_label *label, uint32_t *ret)
{
    const struct sums_stack plain = s->stacks[stack];
    struct wanted w = {.n = plain.n};
    uint64_t id;
    int r;

    if (label->task == SUMS_NONE && label->region == SUMS_NONE && label->reason == SUMS_NONE) {
        *ret = stack;
        return 0;
    }
    r = label_number(s, label, &w.number);
    if (r < 0)
        return r;
    w.data = plain.n > 0 ? s->rows + plain.offset : NULL;
    if (find(s, &s->stack_ids, stir(stir(s->seed, stack), w.number), same_stack, &w, &id, ret))
        return 0;
    if (s->n_stacks >= IDMAP_NONE)
        return -E2BIG;
    return add_stack(
        s, id, &(struct sums_stack){.offset = plain.offset, .n = plain.n, .label = w.number}, ret);
}
