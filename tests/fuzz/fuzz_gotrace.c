/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Any bytes as a trace, given in pieces. The first byte of the input chooses the pieces, the second
 * the bounds. Whatever it is: times rise, handles can be looked up, the reader ends, keeps within
 * its memory, and says the same again when asked again; and neither how the bytes were cut, nor
 * whether they were read or mapped, changes anything.
 */

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fuzz/fuzz_source.h"
#include "trace/gotrace.h"

struct result {
    uint64_t events;
    uint64_t hash;
    int code;
    uint64_t offset;
};

static void stir(struct result *r, const void *data, size_t n)
{
    const uint8_t *p = data;

    for (size_t i = 0; i < n; i++)
        r->hash = (r->hash ^ p[i]) * 0x100000001b3U;
}

static void look_up_string(const struct gotrace *t, uint64_t handle, struct result *r)
{
    size_t len;
    const char *text = gotrace_string(t, handle, &len);

    CHECK(text && len <= 1024);
    stir(r, text, len);
}

static void look_up_stack(const struct gotrace *t, uint32_t handle, struct result *r)
{
    size_t n;
    const uint32_t *row = gotrace_stack(t, handle, &n);

    CHECK(n <= 128);
    for (size_t i = 0; i < n; i++) {
        const struct gotrace_frame *frame = gotrace_frame(t, row[i]);

        CHECK(frame);
        look_up_string(t, frame->func, r);
        look_up_string(t, frame->file, r);
    }
}

static void look_at(const struct gotrace *t, const struct gotrace_event *e, struct result *r)
{
    struct gotrace_generation gen;

    CHECK(e->kind > GOTRACE_BAD && e->kind <= GOTRACE_EXPERIMENTAL);
    stir(r, e, sizeof(*e));
    if (gotrace_generation(t, &gen) < 0) {
        CHECK(e->kind == GOTRACE_SYNC);
        return;
    }
    CHECK(e->stack <= gen.n_stacks && e->string <= gen.n_strings);
    look_up_string(t, e->string, r);
    look_up_stack(t, e->stack, r);
    if (e->kind == GOTRACE_LOG)
        look_up_string(t, e->message, r);
    if (e->type == GOTRACE_EV_GO_CREATE)
        look_up_stack(t, e->new_stack, r);
}

static void run(struct result *r, struct gotrace *t, size_t size,
                const struct gotrace_options *options)
{
    const struct gotrace_event *e;
    int64_t last = INT64_MIN;

    memset(r, 0, sizeof(*r));
    while ((r->code = gotrace_next(t, &e)) > 0) {
        CHECK(e->time > last || last == INT64_MAX || r->events == 0);
        last = e->time;
        look_at(t, e, r);
        r->events++;
        CHECK(gotrace_memory(t) <= options->max_memory + 65536);
    }
    CHECK(gotrace_next(t, &e) == r->code);
    CHECK(gotrace_last_error(t).code == r->code);
    r->offset = gotrace_last_error(t).offset;
    CHECK(r->offset <= size);
    CHECK(r->code == 0 || gotrace_last_error(t).text[0] != '\0');
    gotrace_close(t);
}

static void run_pieces(struct result *r, const uint8_t *data, size_t size, size_t piece,
                       const struct gotrace_options *options)
{
    struct fuzz_source source = {data, size, piece};
    struct gotrace *t;

    CHECK(gotrace_open(options, fuzz_source_read, &source, &t) == 0);
    run(r, t, size, options);
}

/* The bytes as a file, whose end is somewhere in a page. */
static void run_mapped(struct result *r, const uint8_t *data, size_t size,
                       const struct gotrace_options *options)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    struct gotrace *t;

    CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0);
    CHECK(gotrace_open_mapped(options, fd, &t) == 0);
    run(r, t, size, options);
    (void)close(fd);
}

static bool same(const struct result *a, const struct result *b)
{
    return a->code == b->code && a->offset == b->offset && a->events == b->events &&
           a->hash == b->hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gotrace_options options = {.max_memory = 64U << 20};
    struct result once, pieces, mapped;

    if (size < 2)
        return 0;
    if (data[1] & 1)
        options.max_generation_bytes = 200 + data[1];
    if (data[1] & 2)
        options.max_memory = (3U << 20) / 2 + 256U * data[1];
    run_pieces(&once, data + 2, size - 2, 0, &options);
    run_pieces(&pieces, data + 2, size - 2, 1U + data[0], &options);
    CHECK(same(&once, &pieces));
    run_mapped(&mapped, data + 2, size - 2, &options);
    /* Blocks count against the memory, what is mapped does not. */
    CHECK((data[1] & 2) || same(&once, &mapped));
    return 0;
}
