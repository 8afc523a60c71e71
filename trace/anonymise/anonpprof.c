/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/anonymise/anonpprof.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "trace/anonymise/batches.h"
#include "trace/anonymise/usage.h"
#include "trace/common/varint.h"

/* What a field holds. What no row allows is refused: names may be in it. */
enum content {
    NOTHING = 0,
    NUMBER,  /* or several in one */
    TEXT,    /* the index of a string that is hidden */
    PUBLIC,  /* the index of one that is kept */
    NAME,    /* of a function, */
    SYSTEM,  /* of it before it was demangled, */
    FILE_OF, /* and of its file */
    STRING,  /* a string of the table */
    MESSAGE,
};

#define FIELDS_MAX 16

struct shape {
    uint8_t fields[FIELDS_MAX]; /* enum content by number */
    const struct shape *inner[FIELDS_MAX];
    bool is_function;
};

static const struct shape value_type = {.fields = {[1] = PUBLIC, [2] = PUBLIC}};
static const struct shape label = {
    .fields = {[1] = PUBLIC, [2] = TEXT, [3] = NUMBER, [4] = PUBLIC}};
static const struct shape sample = {.fields = {[1] = NUMBER, [2] = NUMBER, [3] = MESSAGE},
                                    .inner = {[3] = &label}};
static const struct shape mapping = {.fields = {[1] = NUMBER,
                                                [2] = NUMBER,
                                                [3] = NUMBER,
                                                [4] = NUMBER,
                                                [5] = TEXT,
                                                [6] = TEXT,
                                                [7] = NUMBER,
                                                [8] = NUMBER,
                                                [9] = NUMBER,
                                                [10] = NUMBER}};
static const struct shape line = {.fields = {[1] = NUMBER, [2] = NUMBER, [3] = NUMBER}};
static const struct shape location = {
    .fields = {[1] = NUMBER, [2] = NUMBER, [3] = NUMBER, [4] = MESSAGE, [5] = NUMBER},
    .inner = {[4] = &line}};
static const struct shape function = {
    .fields = {[1] = NUMBER, [2] = NAME, [3] = SYSTEM, [4] = FILE_OF, [5] = NUMBER},
    .is_function = true};
static const struct shape profile = {.fields = {[1] = MESSAGE,
                                                [2] = MESSAGE,
                                                [3] = MESSAGE,
                                                [4] = MESSAGE,
                                                [5] = MESSAGE,
                                                [6] = STRING,
                                                [7] = TEXT,
                                                [8] = TEXT,
                                                [9] = NUMBER,
                                                [10] = NUMBER,
                                                [11] = MESSAGE,
                                                [12] = NUMBER,
                                                [13] = TEXT,
                                                [14] = PUBLIC,
                                                [15] = TEXT},
                                     .inner = {[1] = &value_type,
                                               [2] = &sample,
                                               [3] = &mapping,
                                               [4] = &location,
                                               [5] = &function,
                                               [11] = &value_type}};

struct job {
    const uint8_t *begin;
    struct pseudonyms *p;
    struct usage *usage;
    struct anonymise_output *out;
    struct anonymise_fault *fault;
    uint64_t n_strings;
    uint8_t *is_public;  /* by string */
    uint64_t names[3];   /* of the function that is read: NAME, SYSTEM, FILE_OF */
    struct pseudonym to; /* of a string */
};

/* A field of a message. */
struct field {
    const uint8_t *at; /* its key */
    uint64_t number;
    unsigned wire;
    uint64_t value;
    const uint8_t *data; /* of wire type 2: `value` bytes */
};

static int bad(struct job *job, const uint8_t *at, const char *text)
{
    *job->fault = (struct anonymise_fault){(uint64_t)(at - job->begin), text};
    return -EBADMSG;
}

/* Reads a field. What follows it, or NULL: it is not whole, or of a type that profiles do not have. */
static const uint8_t *field_at(const uint8_t *p, const uint8_t *end, struct field *ret)
{
    uint64_t key;

    ret->at = p;
    p = varint_get(p, end, &key);
    if (p)
        p = varint_get(p, end, &ret->value);
    if (!p)
        return NULL;
    ret->number = key >> 3;
    ret->wire = key & 7;
    ret->data = p;
    if (ret->wire == 0)
        return p;
    return ret->wire == 2 && ret->value <= (uint64_t)(end - p) ? p + ret->value : NULL;
}

static int refer(struct job *job, const struct field *f, enum content content, uint64_t index)
{
    if (index >= job->n_strings)
        return bad(job, f->at, "a string that the profile does not have");
    if (content == PUBLIC)
        job->is_public[index] = 1;
    if (content >= NAME && content <= FILE_OF)
        job->names[content - NAME] = index;
    return 0;
}

/* One index, or several in one field. */
static int refer_all(struct job *job, const struct field *f, enum content content)
{
    const uint8_t *p = f->data, *end = p + f->value;
    int r = 0;

    if (f->wire == 0)
        return refer(job, f, content, f->value);
    while (p < end && r == 0) {
        uint64_t index;

        p = varint_get(p, end, &index);
        r = p ? refer(job, f, content, index) : bad(job, f->at, "numbers that do not end");
    }
    return r;
}

static int end_function(struct job *job)
{
    int r = usage_add_frame(job->usage, job->names[0], job->names[2]);

    return r < 0 ? r : usage_add_frame(job->usage, job->names[1], job->names[2]);
}

static int walk(struct job *job, const struct shape *shape, const uint8_t *p, const uint8_t *end);

static int enter(struct job *job, const struct shape *shape, const struct field *f)
{
    memset(job->names, 0, sizeof(job->names));
    return walk(job, shape, f->data, f->data + f->value);
}

static int visit(struct job *job, const struct shape *shape, const struct field *f)
{
    enum content content = f->number < FIELDS_MAX ? shape->fields[f->number] : NOTHING;

    switch (content) {
    case NUMBER: return 0;
    case STRING: return f->wire == 2 ? 0 : bad(job, f->at, "a string that is a number");
    case MESSAGE:
        return f->wire == 2 ? enter(job, shape->inner[f->number], f)
                            : bad(job, f->at, "a message that is a number");
    case NOTHING: return bad(job, f->at, "a field that is not known: names may be in it");
    default: return refer_all(job, f, content);
    }
}

/* Which strings a message refers to. It goes no deeper than the shapes do. */
static int walk(struct job *job, const struct shape *shape, const uint8_t *p, const uint8_t *end)
{
    struct field f;
    int r = 0;

    while (p < end && r == 0) {
        const uint8_t *next = field_at(p, end, &f);

        if (!next)
            return bad(job, p, "not a profile");
        r = visit(job, shape, &f);
        p = next;
    }
    return r == 0 && shape->is_function ? end_function(job) : r;
}

typedef int (*string_fn)(struct job *job, uint64_t index, const struct field *f);

/* Each string with its index, and each other field of the profile with none. */
static int each(struct job *job, const uint8_t *p, const uint8_t *end, string_fn string,
                int (*other)(struct job *job, const uint8_t *data, size_t n))
{
    struct field f;
    uint64_t index = 0;
    int r = 0;

    while (p < end && r == 0) {
        const uint8_t *next = field_at(p, end, &f);

        if (!next)
            return bad(job, p, "not a profile");
        if (f.number == 6 && f.wire == 2)
            r = string(job, index++, &f);
        else if (other)
            r = other(job, p, (size_t)(next - p));
        p = next;
    }
    return r;
}

static int count(struct job *job, uint64_t index, const struct field *f)
{
    (void)f;
    job->n_strings = index + 1;
    return index < ANONPPROF_STRINGS_MAX ? 0 : -E2BIG;
}

static int remember(struct job *job, uint64_t index, const struct field *f)
{
    return usage_add_text(job->usage, index, f->data, (size_t)f->value);
}

static int put(struct job *job, const uint8_t *data, size_t n)
{
    int r = job->out->write(job->out->userdata, data, n);

    if (r < 0)
        job->out->error = r;
    return r;
}

static int rewrite(struct job *job, uint64_t index, const struct field *f)
{
    uint8_t head[1 + VARINT_PADDING];
    size_t n;
    int r;

    if (job->is_public[index])
        return put(job, f->at, (size_t)(f->data + f->value - f->at));
    usage_pseudonym(job->usage, job->p, index, f->data, (size_t)f->value, &job->to);
    head[0] = 6 << 3 | 2;
    n = (size_t)(batches_number(head + 1, job->to.len) - head);
    r = put(job, head, n);
    return r < 0 ? r : put(job, (const uint8_t *)job->to.text, job->to.len);
}

static int run(struct job *job, const uint8_t *data, size_t n)
{
    _cleanup_free_ uint8_t *is_public = NULL;
    const uint8_t *end = data + n;
    int r = each(job, data, end, count, NULL);

    if (r == 0 && job->n_strings == 0)
        r = bad(job, data, "a profile without strings");
    if (r < 0)
        return r;
    job->is_public = is_public = calloc(1, job->n_strings);
    if (!is_public)
        return -ENOMEM;
    r = walk(job, &profile, data, end);
    if (r == 0)
        r = each(job, data, end, remember, NULL);
    if (r == 0)
        r = usage_judge(job->usage, job->p);
    if (r == 0)
        r = each(job, data, end, rewrite, put);
    return r == 0 ? job->p->error : r;
}

int anonymise_pprof(const void *data, size_t n, struct pseudonyms *p, uint64_t seed,
                    struct anonymise_output *out, struct anonymise_fault *ret_fault)
{
    _cleanup_free_ struct job *job = calloc(1, sizeof(*job));
    int r;

    *ret_fault = (struct anonymise_fault){0, NULL};
    if (!job)
        return -ENOMEM;
    job->begin = data;
    job->p = p;
    job->out = out;
    job->fault = ret_fault;
    r = usage_new(seed, &job->usage);
    if (r == 0)
        r = run(job, data, n);
    usage_free(job->usage);
    return r;
}
