/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Any bytes as a trace or, if they do not begin as one, as a profile without compression, of which a copy
 * without names is written. Whatever it is: it ends; what a reader takes to its end has as many events
 * afterwards, and can be copied again.
 */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "tests/fuzz/fuzz_source.h"
#include "trace/anonymise/anonpprof.h"
#include "trace/anonymise/anonymise.h"
#include "trace/gotrace.h"

#define COPY_MAX (64U << 20)

static const struct gotrace_options bounds = {.max_memory = 64U << 20};

static int digest(void *userdata, const void *text, size_t n, uint8_t ret[PSEUDONYM_DIGEST])
{
    uint64_t h = 0xcbf29ce484222325U;

    (void)userdata;
    for (size_t i = 0; i < n; i++)
        h = (h ^ ((const uint8_t *)text)[i]) * 0x100000001b3U;
    for (size_t i = 0; i < PSEUDONYM_DIGEST; i++)
        ret[i] = (uint8_t)(h >> 8 * (i % 8));
    return 0;
}

static int add(void *userdata, const void *data, size_t n)
{
    return buf_add(userdata, data, n);
}

static int as_trace(const void *data, size_t size, struct pseudonyms *p,
                    struct anonymise_output *out, struct anonymise_fault *fault)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC), r;

    CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    r = anonymise_trace(fd, p, 1, out, fault);
    (void)close(fd);
    return r;
}

static int anonymise(const void *data, size_t size, struct buf *made)
{
    struct pseudonyms p = {.digest = digest};
    struct anonymise_output out = {.write = add, .userdata = made};
    struct anonymise_fault fault;
    bool trace = size >= 5 && memcmp(data, "go 1.", 5) == 0;
    int r = trace ? as_trace(data, size, &p, &out, &fault)
                  : anonymise_pprof(data, size, &p, 1, &out, &fault);

    CHECK(r <= 0 && p.error == 0);
    CHECK(out.error == 0 || (r == out.error && r == -E2BIG));
    CHECK((fault.text != NULL) == (r == -EBADMSG || r == -ENOMSG || r == -ENOTSUP));
    CHECK(!fault.text || fault.offset <= size);
    return r;
}

/* The events of a whole trace; -1: it is none. */
static int64_t count(const void *data, size_t size)
{
    struct fuzz_source source = {.data = data, .left = size};
    const struct gotrace_event *ev;
    struct gotrace *t;
    int64_t n = 0;
    int r;

    CHECK(gotrace_open(&bounds, fuzz_source_read, &source, &t) == 0);
    while ((r = gotrace_next(t, &ev)) == 1)
        n++;
    gotrace_close(t);
    return r == 0 ? n : -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf made, again;
    int64_t n;

    buf_init(&made, COPY_MAX);
    buf_init(&again, COPY_MAX);
    if (anonymise(data, size, &made) == 0) {
        n = size > 0 && data[0] == 'g' ? count(data, size) : -1;
        CHECK(n < 0 || count(made.data, made.len) == n);
        CHECK(anonymise(made.data, made.len, &again) == 0);
        CHECK(n < 0 || count(again.data, again.len) == n);
    }
    buf_done(&made);
    buf_done(&again);
    return 0;
}
