/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/summary/types.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 1024 /* as in a trace */
/* Makes a pattern's hash differ from that of a text with the same bytes. */
#define OF_GROUP 0x5bd1e995

void types_init(struct types *t, struct memory *handles, uint64_t seed)
{
    memset(t, 0, sizeof(*t));
    t->mem.max = TYPES_MAX_MEMORY;
    handles_init(&t->by_handle, handles);
    t->seed = seed;
    idmap_init(&t->ids, &t->mem, seed);
    t->left_out.group = t->left_out.into = TYPES_NONE;
    t->patience = TYPES_MAX;
}

void types_done(struct types *t)
{
    for (uint32_t i = 0; i < t->n; i++) {
        memory_free(&t->mem, t->list[i].text, t->list[i].len + 1);
        histogram_done(&t->list[i].times);
    }
    memory_free(&t->mem, t->list, t->cap * sizeof(*t->list));
    handles_done(&t->by_handle);
    idmap_done(&t->ids);
}

void types_generation(struct types *t, uint32_t n_strings)
{
    handles_generation(&t->by_handle, n_strings);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The end of the number that begins at i, or i if none does. */
static size_t number_end(const char *text, size_t len, size_t i)
{
    bool digit = false, begins = i == 0 || !is_word(text[i - 1]);
    size_t end = i;

    for (; end < len && is_hex(text[end]); end++)
        digit = digit || is_digit(text[end]);
    if (begins && digit && end - i >= 4 && (end == len || !is_word(text[end])))
        return end;
    for (end = i; end < len && is_digit(text[end]);)
        end++;
    return end;
}

size_t types_pattern(const char *text, size_t len, char *ret)
{
    size_t n = 0;

    for (size_t i = 0; i < len;) {
        size_t end = number_end(text, len, i);

        ret[n++] = end > i ? 'N' : text[i];
        i = end > i ? end : i + 1;
    }
    return n;
}

static uint64_t hash_of(const struct types *t, const char *text, size_t len, bool is_group)
{
    return texts_hash(t->seed, is_group ? OF_GROUP : 0, text, len);
}

/* All but the times. */
static void add_sums(struct type *to, const struct type *from)
{
    to->open += from->open;
    to->unknown += from->unknown;
    to->misnested += from->misnested;
    to->count += from->count;
    to->total += from->total;
    to->max = from->max > to->max ? from->max : to->max;
}

/* Frees a row whose sums were added elsewhere. A row that is held keeps its place, to say where
 * they are. */
static void drop(struct types *t, uint32_t row)
{
    struct type *type = &t->list[row];
    uint32_t held = type->held, into = type->into;

    (void)idmap_remove(&t->ids, type->hash);
    t->text_bytes -= type->len;
    memory_free(&t->mem, type->text, type->len + 1);
    histogram_done(&type->times);
    *type = (struct type){.group = TYPES_NONE, .into = into, .held = held};
    if (held > 0)
        return;
    type->into = TYPES_NONE;
    t->used--;
    t->free = row < t->free ? row : t->free;
}

struct candidate {
    int64_t total;
    uint32_t row;
};

static int by_least(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;

    if (x->total != y->total)
        return x->total < y->total ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

static void leave_out(struct types *t, uint32_t row)
{
    struct type *type = &t->list[row];

    t->n_left_out += !type->is_group || type->n_alike > TYPES_ALIKE;
    add_sums(&t->left_out, type);
    drop(t, row);
}

/* Unlinks rows from groups that were left out. */
static void leave_groups(struct types *t)
{
    for (uint32_t i = 0; i < t->n; i++) {
        uint32_t group = t->list[i].group;

        if (group != TYPES_NONE && !t->list[group].text)
            t->list[i].group = TYPES_NONE;
    }
}

static void earn(struct types *t)
{
    if (t->patience < TYPES_MAX)
        t->patience += TYPES_PATIENCE;
}

/*
 * Leaves out the half of the rows with the smaller totals. 0, -E2BIG if no row can be left out, or
 * -ENOMEM. Rows that are held cannot. If nearly all are held, little is gained by looking at all
 * rows, so this is not tried for every new name.
 */
static int make_way(struct types *t)
{
    struct candidate *list;
    size_t n = 0;

    if (t->patience < t->n)
        return -E2BIG;
    t->patience -= t->n;
    list = malloc((t->n + 1) * sizeof(*list));
    if (!list)
        return -ENOMEM;
    for (uint32_t i = 0; i < t->n; i++) {
        if (t->list[i].text && t->list[i].held == 0)
            list[n++] = (struct candidate){t->list[i].total, i};
    }
    if (n > 1)
        qsort(list, n, sizeof(*list), by_least);
    for (size_t i = 0; i < (n + 1) / 2; i++) {
        leave_out(t, list[i].row);
        earn(t);
    }
    free(list);
    leave_groups(t);
    return n > 0 ? 0 : -E2BIG;
}

static int place(struct types *t, uint32_t *ret)
{
    int r;

    while (t->free < t->n && (t->list[t->free].text || t->list[t->free].held > 0))
        t->free++;
    if (t->free == t->n) {
        if (t->n == TYPES_MAX)
            return -E2BIG;
        r = memory_grow(&t->mem, &t->list, &t->cap, t->n + 1, sizeof(*t->list));
        if (r < 0)
            return r;
        t->list[t->n++] = (struct type){.into = TYPES_NONE, .group = TYPES_NONE};
    }
    *ret = t->free;
    return 0;
}

static int try_row(struct types *t, const char *text, size_t len, bool is_group, uint32_t *ret)
{
    uint64_t hash = hash_of(t, text, len, is_group);
    uint32_t row;
    char *copy;
    int r = t->text_bytes + len > TYPES_MAX_TEXT ? -E2BIG : place(t, &row);

    if (r == 0)
        r = memory_new(&t->mem, len + 1, &copy);
    if (r < 0)
        return r;
    r = idmap_add(&t->ids, hash, row);
    if (r < 0) {
        memory_free(&t->mem, copy, len + 1);
        return r;
    }
    memcpy(copy, text, len);
    t->list[row] = (struct type){.text = copy,
                                 .len = len,
                                 .hash = hash,
                                 .serial = ++t->last_serial,
                                 .group = TYPES_NONE,
                                 .into = TYPES_NONE,
                                 .is_group = is_group};
    histogram_init(&t->list[row].times, &t->mem, TYPES_KEPT);
    t->text_bytes += len;
    t->used++;
    *ret = row;
    return 0;
}

/* Adds a row. *ret is TYPES_NONE if there is no place even after other rows were left out. */
static int new_row(struct types *t, const char *text, size_t len, bool is_group, uint32_t *ret)
{
    int r = try_row(t, text, len, is_group, ret);

    if (r == -E2BIG) {
        r = make_way(t);
        if (r == 0)
            r = try_row(t, text, len, is_group, ret);
    }
    if (r != -E2BIG)
        return r;
    *ret = TYPES_NONE;
    return 0;
}

static int merge_times(struct type *to, const struct type *from)
{
    int r = histogram_merge(&to->times, &from->times);

    to->untimed = to->untimed || from->untimed || r == -E2BIG;
    return r == -E2BIG ? 0 : r;
}

/* Merges all rows of a group into the group's own row. */
static int merge_group(struct types *t, uint32_t group)
{
    int r = 0;

    for (uint32_t i = 0; r == 0 && i < t->n; i++) {
        struct type *type = &t->list[i];

        if (type->group != group)
            continue;
        r = merge_times(&t->list[group], type);
        add_sums(&t->list[group], type);
        if (type->held > 0) {
            type->into = group;
            t->list[group].held++;
        }
        drop(t, i);
    }
    return r;
}

/* Finds the group of a text, or adds it. TYPES_NONE for a text without a number, or if
 * there is no place. */
static int find_group(struct types *t, const char *text, size_t len, uint32_t *ret)
{
    char pattern[TEXT_MAX];
    size_t n;

    *ret = TYPES_NONE;
    if (len > sizeof(pattern))
        return 0;
    n = types_pattern(text, len, pattern);
    if (n == len && memcmp(pattern, text, n) == 0)
        return 0;
    *ret = idmap_find(&t->ids, hash_of(t, pattern, n, true));
    return *ret != TYPES_NONE ? 0 : new_row(t, pattern, n, true, ret);
}

int types_find(struct types *t, const char *text, size_t len, uint32_t *ret)
{
    uint32_t group;
    int r;

    *ret = idmap_find(&t->ids, hash_of(t, text, len, false));
    if (*ret != TYPES_NONE)
        return 0;
    earn(t);
    r = find_group(t, text, len, &group);
    if (r < 0)
        return r;
    if (group == TYPES_NONE)
        return new_row(t, text, len, false, ret);
    if (t->list[group].n_alike == TYPES_ALIKE) {
        t->list[group].n_alike++;
        r = merge_group(t, group);
    }
    if (t->list[group].n_alike > TYPES_ALIKE) {
        *ret = group;
        return r;
    }
    t->list[group].n_alike++;
    t->list[group].held++; /* while others may give way */
    r = new_row(t, text, len, false, ret);
    t->list[group].held--;
    if (r == 0 && *ret != TYPES_NONE)
        t->list[*ret].group = group;
    return r;
}

int types_of(struct types *t, const struct gotrace *trace, uint32_t handle, uint32_t *ret)
{
    const char *text;
    size_t len;
    int r;

    *ret = types_known(t, handle);
    if (*ret != TYPES_NONE)
        return 0;
    text = gotrace_string(trace, handle, &len);
    r = types_find(t, text, len, ret);
    if (r == 0 && *ret != TYPES_NONE)
        handles_set(&t->by_handle, handle, (uint64_t)t->list[*ret].serial << 32 | *ret);
    return r;
}

void types_hold(struct types *t, uint32_t row)
{
    if (row != TYPES_NONE)
        t->list[row].held++;
}

void types_release(struct types *t, uint32_t row)
{
    while (row != TYPES_NONE && --t->list[row].held == 0 && !t->list[row].text) {
        uint32_t into = t->list[row].into;

        t->list[row].into = TYPES_NONE;
        t->used--;
        t->free = row < t->free ? row : t->free;
        row = into; /* which it held */
    }
}

struct type *types_get(struct types *t, uint32_t row)
{
    while (row != TYPES_NONE && t->list[row].into != TYPES_NONE)
        row = t->list[row].into;
    return row == TYPES_NONE ? &t->left_out : &t->list[row];
}

int types_add(struct types *t, uint32_t row, int64_t duration)
{
    struct type *type = types_get(t, row);
    int r;

    type->count++;
    if (duration > INT64_MAX - t->total) {
        type->untimed = true;
        return 0;
    }
    t->total += duration;
    type->total += duration;
    type->max = duration > type->max ? duration : type->max;
    if (type == &t->left_out)
        return 0;
    r = histogram_add(&type->times, duration);
    if (r != -E2BIG)
        return r;
    type->held++;
    r = make_way(t);
    type->held--;
    if (r == 0)
        r = histogram_add(&type->times, duration);
    type->untimed = type->untimed || r == -E2BIG;
    return r == -E2BIG ? 0 : r;
}

static uint64_t open_of(const struct type *type)
{
    return type->unknown + (uint64_t)(type->open > 0 ? type->open : 0);
}

static int by_total(const void *a, const void *b)
{
    const struct type *x = *(struct type *const *)a, *y = *(struct type *const *)b;

    if (x->total != y->total)
        return x->total > y->total ? -1 : 1;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return strcmp(x->text, y->text);
}

static struct summary_times times_of(struct type *type)
{
    struct summary_times ret = histogram_times(&type->times);

    ret.count = type->count;
    ret.total = type->total;
    ret.max = type->max;
    ret.exact = ret.exact && !type->untimed;
    return ret;
}

static int fill(struct type *type, struct summary_arena **arena, struct summary_row *ret)
{
    char *name;
    int r = arena_new(arena, type->len + 1, &name);

    if (r < 0)
        return r;
    memcpy(name, type->text, type->len + 1);
    ret->name = name;
    ret->open = open_of(type);
    ret->misnested = type->misnested;
    ret->grouped = type->is_group;
    ret->times = times_of(type);
    return 0;
}

int types_rows(struct types *t, struct summary_arena **arena, struct summary_rows *ret)
{
    struct type **list = malloc((t->n + 1) * sizeof(struct type *));
    size_t n = 0, shown;
    int r;

    if (!list)
        return -ENOMEM;
    for (uint32_t i = 0; i < t->n; i++) {
        struct type *type = &t->list[i];

        if (type->text && (!type->is_group || type->n_alike > TYPES_ALIKE))
            list[n++] = type;
    }
    if (n > 1)
        qsort(list, n, sizeof(struct type *), by_total);
    shown = n < TYPES_SHOWN ? n : TYPES_SHOWN;
    r = arena_new(arena, shown * sizeof(*ret->list), &ret->list);
    for (size_t i = 0; r == 0 && i < shown; i++)
        r = fill(list[i], arena, &ret->list[i]);
    for (size_t i = shown; i < n; i++)
        add_sums(&t->left_out, list[i]);
    ret->n = r == 0 ? shown : 0;
    ret->left_out = (struct summary_left_out){
        .names = t->n_left_out + (n - shown),
        .count = t->left_out.count,
        .total = t->left_out.total,
        .max = t->left_out.max,
        .open = open_of(&t->left_out),
    };
    free(list);
    return r;
}
