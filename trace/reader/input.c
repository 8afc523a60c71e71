/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/reader/input.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "trace/common/varint.h"
#include "trace/foreign.h"
#include "trace/reader/specs.h"

#define BLOCK_SIZE MEMORY_LARGE
#define HEADER_SIZE 16
#define BATCH_HEADER_MAX 42 /* a type, an experiment and four numbers of ten bytes */

struct input_block {
    struct input_block *next;
    uint8_t data[BLOCK_SIZE - sizeof(void *)];
};
#define BLOCK_ROOM (sizeof(((struct input_block *)0)->data) - INPUT_PADDING)

/* Up to this many blocks of a generation stay in memory; if there are more, only the last does. */
#define AMPLE_BLOCKS (MAPPING_AMPLE / BLOCK_SIZE)

_Static_assert(BLOCK_SIZE % MAPPING_UNIT == 0, "what input_leave gives back lies within a block");
_Static_assert(BLOCK_ROOM >= INPUT_MAX_BATCH + BATCH_HEADER_MAX, "a batch must fit into a block");

void input_init(struct input *in, gotrace_read_fn read, void *userdata, struct memory *mem,
                struct fault *fault)
{
    memset(in, 0, sizeof(*in));
    in->read = read;
    in->userdata = userdata;
    in->mem = mem;
    in->fault = fault;
    in->spill_fd = -1;
}

static void free_blocks(struct input *in, struct input_block *block)
{
    while (block) {
        struct input_block *next = block->next;

        memory_free(in->mem, block, sizeof(*block));
        block = next;
    }
}

/* Replaces the block's memory by a mapping of the file. */
static int spill_block(struct input *in, struct input_block *block)
{
    off_t at = (off_t)(in->n_spilled * BLOCK_SIZE);

    for (size_t done = 0; done < BLOCK_SIZE;) {
        ssize_t n = pwrite(in->spill_fd, (const uint8_t *)block + done, BLOCK_SIZE - done,
                           at + (off_t)done);

        if (n < 0 && errno != EINTR)
            return -errno;
        done += n > 0 ? (size_t)n : 0;
    }
    if (mmap(block, BLOCK_SIZE, PROT_READ, MAP_PRIVATE | MAP_FIXED, in->spill_fd, at) == MAP_FAILED)
        return -errno;
    in->n_spilled++;
    in->mem->used -= sizeof(*block);
    return 0;
}

/* All but the last one. */
static int spill(struct input *in)
{
    struct input_block *block = in->n_spilled > 0 ? in->before_last : in->first;
    int r = 0;

    if (in->spill_fd < 0)
        in->spill_fd = in->spill(in->spill_data);
    if (in->spill_fd < 0)
        r = in->spill_fd;
    while (r == 0 && block != in->last) {
        struct input_block *next = block->next;

        r = spill_block(in, block);
        block = next;
    }
    in->large = r == 0;
    if (r < 0)
        return fault_set(in->fault, r, input_taken(in), "keeping a large generation in a file: %s",
                         strerror(-r));
    return 0;
}

/* Turns the first mapped block back into memory and frees it. If memory is short at that moment,
 * its address range is lost. */
static void take_back(struct input *in, struct input_block *block)
{
    if (mmap(block, BLOCK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
             0) == MAP_FAILED)
        return;
    in->mem->used += sizeof(*block);
    memory_free(in->mem, block, sizeof(*block));
}

void input_leave_slow(const struct input *in, const uint8_t *data, const uint8_t *end)
{
    if (in->mapped || data < (const uint8_t *)in->last ||
        data >= (const uint8_t *)in->last + BLOCK_SIZE)
        mapping_leave(data, end);
}

void input_done(struct input *in)
{
    input_release(in);
    if (in->spill_fd >= 0)
        (void)close(in->spill_fd);
    free_blocks(in, in->first);
    free_blocks(in, in->spare);
    in->first = in->last = in->spare = NULL;
    if (in->mapped)
        mapping_done(&in->map);
}

/* Maps the next window of the file from `head` on. */
static int next_window(struct input *in)
{
    size_t rest = (size_t)(in->tail - in->head), n = 0;
    int r = mapping_next(&in->map, in->offset, &in->head, &n);

    if (r < 0)
        return r;
    in->large = mapping_is_large(&in->map);
    if (n <= rest)
        in->ended = true;
    in->tail = n > 0 ? in->head + n : in->head; /* there may be neither */
    return 0;
}

int input_map(struct input *in, int fd)
{
    int r = mapping_init(&in->map, in->mem, fd);

    if (r == 0)
        r = next_window(in);
    in->mapped = r == 0;
    return r;
}

/* Adds a block, and copies the batch that was started in the last one. */
static int next_block(struct input *in)
{
    size_t rest = (size_t)(in->tail - in->head);
    struct input_block *block = in->spare;

    if (block) {
        in->spare = block->next;
    } else {
        int r = memory_new_aligned(in->mem, BLOCK_SIZE, sizeof(*block), &block);

        if (r < 0)
            return fault_memory(in->fault, r, in->offset);
    }
    block->next = NULL;
    if (in->last)
        in->last->next = block;
    else
        in->first = block;
    in->before_last = in->last;
    in->last = block;
    if (rest > 0)
        memcpy(block->data, in->head, rest);
    in->head = block->data;
    in->tail = block->data + rest;
    return ++in->n_blocks > AMPLE_BLOCKS && in->spill ? spill(in) : 0;
}

/* Reads more bytes at `tail`, with room for n bytes from `head` on. */
static int read_more(struct input *in, size_t n)
{
    const uint8_t *limit;
    ssize_t got;

    if (!in->last || (size_t)(in->last->data + BLOCK_ROOM - in->head) < n) {
        int r = next_block(in);

        if (r < 0)
            return r;
    }
    limit = in->last->data + BLOCK_ROOM;
    got = in->read(in->userdata, in->tail, (size_t)(limit - in->tail));
    if (got < 0)
        return (int)got;
    if (got == 0)
        in->ended = true;
    in->tail += got;
    memset(in->tail, 0, INPUT_PADDING);
    return 0;
}

/* Provides n bytes at `head`, or as many as the trace has. */
static int need(struct input *in, size_t n)
{
    while ((size_t)(in->tail - in->head) < n && !in->ended) {
        int r = in->mapped ? next_window(in) : read_more(in, n);

        if (r < 0)
            return fault_set(in->fault, r, input_taken(in), "reading: %s", strerror(-r));
    }
    return 0;
}

static void skip(struct input *in, size_t n)
{
    in->head += n;
    in->offset += n;
}

static const char *no_trace(const struct input *in)
{
    static const uint8_t gzip[] = {0x1f, 0x8b};

    if (in->tail - in->head >= (ptrdiff_t)sizeof(gzip) && memcmp(in->head, gzip, sizeof(gzip)) == 0)
        return "not a Go execution trace: it is compressed, as profiles for 'go tool pprof' are";
    return "not a Go execution trace";
}

int input_header(struct input *in)
{
    int r = need(in, HEADER_SIZE);

    if (r < 0)
        return r;
    if (in->tail - in->head < HEADER_SIZE || !foreign_header(in->head, &in->version))
        return fault_set(in->fault, -ENOMSG, 0, "%s", no_trace(in));
    if (in->version < 22)
        return fault_set(in->fault, -EPROTONOSUPPORT, 0,
                         "a trace of Go 1.%u, whose format (Go 1.11 to 1.21) is not analysed",
                         in->version);
    if (in->version > INPUT_TRIED || in->version == 24)
        return fault_set(in->fault, -ENOTSUP, 0, "trace format go 1.%u is not known", in->version);
    in->fault->newer = in->version > GOTRACE_NEWEST ? in->version : 0;
    skip(in, HEADER_SIZE);
    return 0;
}

static int broken_off(struct input *in, const char *what)
{
    return fault_set(in->fault, -ENODATA, in->offset, "the trace breaks off within %s", what);
}

/* The numbers of a batch header. */
static int parse_batch(struct input *in, struct batch *b, size_t *ret_size)
{
    static const char *const names[] = {"generation", "thread", "time", "size"};
    const uint8_t *p = in->head + 1 + b->experimental;
    uint64_t v[4];

    if (p > in->tail)
        return broken_off(in, "a batch's header");
    for (unsigned i = 0; i < 4; i++) {
        const uint8_t *next = varint_get(p, in->tail, &v[i]);

        if (!next && in->tail - p < 10)
            return broken_off(in, "a batch's header");
        if (!next)
            return fault_set(in->fault, -EBADMSG, in->offset + (size_t)(p - in->head),
                             "a batch's %s has more than 64 bits", names[i]);
        p = next;
    }
    if (v[3] > INPUT_MAX_BATCH)
        return fault_set(in->fault, -EBADMSG, in->offset,
                         "batch of %" PRIu64 " bytes, more than 64 KiB", v[3]);
    b->generation = v[0];
    b->thread = (int64_t)v[1];
    b->time = v[2];
    if (!b->experimental && b->time > in->newest)
        in->newest = b->time;
    *ret_size = (size_t)v[3];
    skip(in, (size_t)(p - in->head));
    return 0;
}

/* No batch begins here. */
static int foreign(struct input *in)
{
    char text[FOREIGN_TEXT_SIZE];
    int r = need(in, FOREIGN_LOOK);
    size_t n = (size_t)(in->tail - in->head);

    if (r < 0)
        return r;
    return fault_set(in->fault, -EBADMSG, in->offset, "%s",
                     foreign_name(in->head, n < FOREIGN_LOOK ? n : FOREIGN_LOOK, text));
}

int input_batch(struct input *in, struct batch *ret)
{
    struct batch b = {.start = in->offset, .thread = GOTRACE_NONE};
    size_t size = 0;
    int r = need(in, 1);

    if (r < 0)
        return r;
    if (in->head == in->tail)
        return 0;
    if (*in->head == EV_END_OF_GENERATION) {
        skip(in, 1);
        b.end_of_generation = true;
        *ret = b;
        return 1;
    }
    if (*in->head != EV_EVENT_BATCH && *in->head != EV_EXPERIMENTAL_BATCH)
        return foreign(in);
    b.experimental = *in->head == EV_EXPERIMENTAL_BATCH;
    r = need(in, BATCH_HEADER_MAX);
    if (r == 0)
        r = parse_batch(in, &b, &size);
    if (r == 0)
        r = need(in, size);
    if (r < 0)
        return r;
    if ((size_t)(in->tail - in->head) < size)
        return broken_off(in, "a batch");
    b.data = in->head;
    b.end = in->head + size;
    b.offset = in->offset;
    skip(in, size);
    *ret = b;
    return 1;
}

uint64_t input_drain(struct input *in)
{
    for (;;) {
        input_release(in);
        skip(in, (size_t)(in->tail - in->head));
        if (in->ended || need(in, 1) < 0 || in->head == in->tail)
            return in->offset;
    }
}

void input_release(struct input *in)
{
    if (in->mapped)
        mapping_release(&in->map);
    while (in->first != in->last) {
        struct input_block *block = in->first;

        in->first = block->next;
        if (in->n_spilled > 0) {
            in->n_spilled--;
            take_back(in, block);
            continue;
        }
        block->next = in->spare;
        in->spare = block;
    }
    in->n_blocks = in->last ? 1 : 0;
    in->large = false;
}
