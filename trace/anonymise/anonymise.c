/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/anonymise/anonymise.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "trace/anonymise/batches.h"
#include "trace/anonymise/usage.h"
#include "trace/common/varint.h"
#include "trace/gotrace.h"
#include "trace/reader/specs.h"
#include "trace/reader/stacks.h"

/* The experiment of internal/trace/tracev2 that dumps types, and the kinds of its batches: those of
 * runtime/traceallocfree.go. */
#define ALLOC_FREE 1
enum { ALLOC_FREE_TYPES = 0, ALLOC_FREE_INFO = 1 };

#define RECORD_MAX (6 * VARINT_PADDING + PSEUDONYM_MAX)

struct job {
    struct pseudonyms *p;
    struct usage *usage;
    struct anonymise_output *out;
    struct anonymise_fault *fault;
    struct batches in;
    struct batches_item item;      /* the batch that is being read */
    uint8_t made[BATCHES_PAYLOAD]; /* a payload that is being written */
    size_t n_made;
    uint8_t lead; /* its first byte */
    struct pseudonym name;
};

static int wrong(struct job *job, int r, uint64_t offset, const char *text)
{
    *job->fault = (struct anonymise_fault){offset, text};
    return r;
}

static int bad(struct job *job, const uint8_t *at, const char *text)
{
    return wrong(job, -EBADMSG, job->item.offset + (uint64_t)(at - job->item.raw), text);
}

static int put(struct job *job, const void *data, size_t n)
{
    int r = job->out->write(job->out->userdata, data, n);

    if (r < 0)
        job->out->error = r;
    return r;
}

/* The next item. 1; 0: the file's end; or an error. */
static int next(struct job *job)
{
    int r = batches_next(&job->in, &job->item);

    return r == -EBADMSG ? wrong(job, r, job->in.offset, "not a batch") : r;
}

typedef int (*visit_fn)(struct job *job);

/* Visits what is of the generation that begins at `offset`. 1: job->in is where the next one begins; 0:
 * the file ended. */
static int each(struct job *job, uint64_t offset, visit_fn visit)
{
    uint64_t generation = 0, before;
    int r;

    job->in.offset = offset;
    for (;;) {
        before = job->in.offset;
        r = next(job);
        if (r <= 0)
            return r;
        if (generation != 0 && job->item.generation != 0 && job->item.generation != generation) {
            job->in.offset = before;
            return 1;
        }
        generation = job->item.generation ? job->item.generation : generation;
        r = visit(job);
        if (r < 0)
            return r;
        if (job->item.type == EV_END_OF_GENERATION)
            return 1;
    }
}

static bool opens_with(const struct batches_item *item, uint8_t event)
{
    return item->type == EV_EVENT_BATCH && item->n > 0 && item->payload[0] == event;
}

static const uint8_t *numbers(const uint8_t *p, const uint8_t *end, size_t n, uint64_t *ret)
{
    for (size_t i = 0; i < n && p; i++)
        p = varint_get(p, end, &ret[i]);
    return p;
}

/* Of a batch of stacks: which strings its frames refer to. */
static int visit_stacks(struct job *job)
{
    const uint8_t *p, *end;
    int r = 0;

    if (!opens_with(&job->item, EV_STACKS))
        return 0;
    p = job->item.payload + 1;
    end = job->item.payload + job->item.n;
    while (p < end) {
        uint64_t head[2], frame[4]; /* id, frames; pc, function, file, line */
        const uint8_t *at = p;

        p = *p == EV_STACK ? numbers(p + 1, end, 2, head) : NULL;
        if (!p || head[1] > STACKS_MAX_FRAMES)
            return bad(job, at, "not a stack");
        for (uint64_t i = 0; i < head[1] && r == 0; i++) {
            at = p;
            p = numbers(p, end, 4, frame);
            if (!p)
                return bad(job, at, "not a frame of a stack");
            r = usage_add_frame(job->usage, frame[1], frame[2]);
        }
        if (r < 0)
            return r;
    }
    return 0;
}

typedef int (*string_fn)(struct job *job, uint64_t id, const uint8_t *text, size_t len);

/* Of a batch of strings: each of them. */
static int strings(struct job *job, string_fn visit)
{
    const uint8_t *p = job->item.payload + 1, *end = job->item.payload + job->item.n;
    int r = 0;

    while (p < end && r == 0) {
        uint64_t head[2]; /* id, length */
        const uint8_t *at = p;

        p = *p == EV_STRING ? numbers(p + 1, end, 2, head) : NULL;
        if (!p || head[1] > PSEUDONYM_MAX || head[1] > (size_t)(end - p))
            return bad(job, at, "not a string");
        r = visit(job, head[0], p, (size_t)head[1]);
        p += head[1];
    }
    return r;
}

static int remember(struct job *job, uint64_t id, const uint8_t *text, size_t len)
{
    return usage_add_text(job->usage, id, text, len);
}

static int visit_texts(struct job *job)
{
    return opens_with(&job->item, EV_STRINGS) ? strings(job, remember) : 0;
}

/* A payload that is being written begins. */
static void begin(struct job *job, uint8_t lead)
{
    job->lead = lead;
    job->made[0] = lead;
    job->n_made = 1;
}

/* Writes what was made as a batch like the one that is read. */
static int flush(struct job *job)
{
    uint8_t header[FRAMING_HEADER_MAX];
    int r = put(job, header, batches_header(&job->item, job->n_made, header));

    if (r == 0)
        r = put(job, job->made, job->n_made);
    begin(job, job->lead);
    return r;
}

/* Pseudonyms may be longer than names: what fills a batch goes on in another one. */
static int make(struct job *job, const uint8_t *record, size_t n)
{
    int r = job->n_made + n > sizeof(job->made) ? flush(job) : 0;

    memcpy(job->made + job->n_made, record, n);
    job->n_made += n;
    return r;
}

static int rewrite(struct job *job, uint64_t id, const uint8_t *text, size_t len)
{
    uint8_t record[RECORD_MAX], *p = record;

    usage_pseudonym(job->usage, job->p, id, text, len, &job->name);
    *p++ = EV_STRING;
    p = batches_number(p, id);
    p = batches_number(p, job->name.len);
    memcpy(p, job->name.text, job->name.len);
    return make(job, record, (size_t)(p + job->name.len - record));
}

/* [id, address, size, pointer bytes, length, name]… */
static int rewrite_types(struct job *job)
{
    const uint8_t *p = job->item.payload + 1, *end = job->item.payload + job->item.n;
    int r = 0;

    begin(job, ALLOC_FREE_TYPES);
    while (p < end && r == 0) {
        uint8_t record[RECORD_MAX], *to = record;
        const uint8_t *at = p;
        uint64_t v[5];

        p = numbers(p, end, 5, v);
        if (!p || v[4] > (size_t)(end - p))
            return bad(job, at, "not a type");
        pseudonym_of_text(job->p, (const char *)p, (size_t)v[4], &job->name);
        p += v[4];
        v[4] = job->name.len;
        for (size_t i = 0; i < 5; i++)
            to = batches_number(to, v[i]);
        memcpy(to, job->name.text, job->name.len);
        r = make(job, record, (size_t)(to + job->name.len - record));
    }
    return r == 0 ? flush(job) : r;
}

static int copy(struct job *job)
{
    return put(job, job->item.raw, job->item.n_raw);
}

static int write_experiment(struct job *job)
{
    const struct batches_item *item = &job->item;

    if (item->experiment != ALLOC_FREE || item->n == 0 || item->payload[0] > ALLOC_FREE_INFO)
        return bad(job, item->raw, "data of an experiment that is not known: names may be in it");
    return item->payload[0] == ALLOC_FREE_TYPES ? rewrite_types(job) : copy(job);
}

/* Batches of events have numbers only. */
static bool is_known(const struct batches_item *item)
{
    uint8_t type = item->n > 0 ? item->payload[0] : EV_STACKS;

    return type == EV_STACKS || type == EV_CPU_SAMPLES || type == EV_FREQUENCY || type == EV_SYNC ||
           specs[type].numbers > 0;
}

static int visit_write(struct job *job)
{
    int r;

    if (job->item.type == EV_EXPERIMENTAL_BATCH)
        return write_experiment(job);
    if (job->item.type == EV_EVENT_BATCH && !opens_with(&job->item, EV_STRINGS) &&
        !is_known(&job->item))
        return bad(job, job->item.raw, "a batch that is not known: names may be in it");
    if (!opens_with(&job->item, EV_STRINGS))
        return copy(job);
    begin(job, EV_STRINGS);
    r = strings(job, rewrite);
    return r == 0 ? flush(job) : r;
}

/* Whether the file is a whole trace of a version that is known. */
static int check(struct job *job)
{
    struct framing f;
    uint8_t *data = job->in.data;
    ssize_t n;
    int r;

    framing_init(&f, NULL);
    for (uint64_t at = 0;; at += (uint64_t)n) {
        n = pread(job->in.fd, data, BATCHES_PAYLOAD, (off_t)at);
        if (n < 0 && errno == EINTR) {
            n = 0;
            continue;
        }
        if (n < 0)
            return -errno;
        if (n == 0 || framing_feed(&f, data, (size_t)n) < 0)
            break;
    }
    r = framing_finish(&f, true);
    if (f.format == FRAMING_V1)
        return wrong(job, -ENOTSUP, 0, "a trace of Go 1.21 or older, whose format is not read");
    if (f.format == FRAMING_V2 && f.go_minor > GOTRACE_NEWEST)
        return wrong(job, -ENOTSUP, 0,
                     "a newer format than is known: names may be where nobody looks");
    if (r != 1)
        return wrong(job, f.format == FRAMING_NOT_A_TRACE ? -ENOMSG : -EBADMSG, f.offset, f.error);
    return 0;
}

static int generation(struct job *job, uint64_t offset)
{
    int r;

    usage_clear(job->usage);
    r = each(job, offset, visit_stacks);
    if (r >= 0)
        r = each(job, offset, visit_texts);
    if (r >= 0)
        r = usage_judge(job->usage, job->p);
    return r < 0 ? r : each(job, offset, visit_write);
}

static int run(struct job *job)
{
    uint8_t header[BATCHES_HEADER];
    int r = check(job);

    if (r < 0)
        return r;
    if (pread(job->in.fd, header, sizeof(header), 0) != (ssize_t)sizeof(header))
        return -EIO;
    r = put(job, header, sizeof(header));
    job->in.offset = sizeof(header);
    if (r == 0)
        r = 1;
    while (r == 1)
        r = generation(job, job->in.offset);
    return r == 0 ? job->p->error : r;
}

int anonymise_trace(int fd, struct pseudonyms *p, uint64_t seed, struct anonymise_output *out,
                    struct anonymise_fault *ret_fault)
{
    _cleanup_free_ struct job *job = calloc(1, sizeof(*job));
    int r;

    *ret_fault = (struct anonymise_fault){0, NULL};
    if (!job)
        return -ENOMEM;
    job->p = p;
    job->out = out;
    job->fault = ret_fault;
    job->in.fd = fd;
    r = usage_new(seed, &job->usage);
    if (r == 0)
        r = run(job);
    usage_free(job->usage);
    return r;
}
