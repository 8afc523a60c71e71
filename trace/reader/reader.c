/* SPDX-License-Identifier: Apache-2.0 */

/* The reader: reads a generation, returns its events in order, and so on to the end of the
 * trace. */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "trace/reader/order_hot.h"
#include "trace/reader/reader.h"

/* The bound of a generation that must be in memory as a whole. */
#define DEFAULT_GENERATION_BYTES ((size_t)48 << 20)
#define DEFAULT_MEMORY ((size_t)192 << 20)

/*
 * How many unsuccessful steps (trying threads that must wait, and sorting them) one generation may
 * take. A trace of a real program needs fewer than it has events; a hostile one could need their
 * square.
 */
#define PATIENCE_BASE (1ULL << 24)
#define PATIENCE_PER_BYTE 32

static ssize_t read_fd(void *userdata, void *data, size_t n)
{
    const struct gotrace *t = userdata;
    ssize_t got;

    do
        got = read(t->fd, data, n);
    while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

/* A seed that is hard to guess. If it cannot be read, hashing is predictable, but correct. */
static uint64_t seed(void)
{
    uint64_t value;

    if (getrandom(&value, sizeof(value), GRND_NONBLOCK) != sizeof(value))
        value = 0x9e3779b97f4a7c15U;
    return value | 1;
}

int gotrace_open(const struct gotrace_options *options, gotrace_read_fn read_fn, void *userdata,
                 struct gotrace **ret)
{
    static const struct gotrace_options none;
    const struct gotrace_options *opt = options ? options : &none;
    struct gotrace *t = calloc(1, sizeof(*t));
    uint64_t secret = seed();

    if (!t)
        return -ENOMEM;
    t->fault.thread = GOTRACE_NONE;
    t->mem.max = opt->max_memory ? opt->max_memory : DEFAULT_MEMORY;
    input_init(&t->in, read_fn, userdata, &t->mem, &t->fault);
    t->bounded = opt->max_generation_bytes != 0;
    generation_init(&t->gen, &t->in,
                    t->bounded ? opt->max_generation_bytes : DEFAULT_GENERATION_BYTES, &t->mem,
                    &t->fault, secret);
    order_init(&t->order, &t->gen, &t->mem, &t->fault, secret);
    frontier_init(&t->frontier, &t->mem);
    t->next = t->order.next;
    *ret = t;
    return 0;
}

int gotrace_open_fd(const struct gotrace_options *options, int fd, struct gotrace **ret)
{
    struct gotrace *t;
    int r = gotrace_open(options, read_fd, NULL, &t);

    if (r < 0)
        return r;
    t->fd = fd;
    t->in.userdata = t;
    *ret = t;
    return 0;
}

/* Generations need not be in memory. */
static void lift_bound(struct gotrace *t)
{
    if (!t->bounded)
        t->gen.max_bytes = SIZE_MAX;
}

int gotrace_open_mapped(const struct gotrace_options *options, int fd, struct gotrace **ret)
{
    struct gotrace *t;
    int r = gotrace_open_fd(options, fd, &t);

    if (r < 0)
        return r;
    r = input_map(&t->in, fd); /* if it cannot be mapped, it is read */
    if (r == 0)
        lift_bound(t);
    *ret = t;
    return 0;
}

void gotrace_spill(struct gotrace *t, gotrace_spill_fn open_fn, void *userdata)
{
    t->in.spill = open_fn;
    t->in.spill_data = userdata;
    lift_bound(t);
}

void gotrace_close(struct gotrace *t)
{
    if (!t)
        return;
    frontier_done(&t->frontier);
    order_done(&t->order);
    generation_done(&t->gen);
    input_done(&t->in);
    free(t);
}

/* Starts the next generation, or ends the trace, and returns the SYNC event. An error comes after
 * that. */
static int enter_generation(struct gotrace *t)
{
    int r = generation_read(&t->gen);

    if (r > 0) {
        t->next_sample = 0;
        t->freq = t->gen.freq;
        t->patience = PATIENCE_BASE + PATIENCE_PER_BYTE * t->gen.bytes;
        r = frontier_fill(&t->frontier, &t->gen);
        if (r < 0)
            return r;
        t->stage = STAGE_EVENTS;
        order_sync(&t->order, false, ++t->syncs);
        return 0;
    }
    t->stage = STAGE_END;
    order_sync(&t->order, true, ++t->syncs);
    return 0;
}

/* Advances the cursor after its event was returned. */
static int move_on(struct gotrace *t, size_t i)
{
    int r = cursor_next(t->frontier.heap[i].cursor, &t->gen);

    if (r > 0)
        frontier_moved(&t->frontier, i);
    else if (r == 0)
        frontier_remove(&t->frontier, i);
    return r < 0 ? r : 0;
}

static int stuck(struct gotrace *t)
{
    const struct cursor *c = t->frontier.heap[0].cursor;

    t->fault.thread = c->m;
    return fault_set(&t->fault, -EBADMSG, cursor_offset(c, &t->gen),
                     "%s is the earliest event, but neither it nor any other thread's next event "
                     "can come now",
                     specs[c->type].name);
}

/* Takes the price of a sort, which grows with the number of threads, out of the patience. */
static int pay(struct gotrace *t)
{
    uint64_t price = 1 + t->frontier.n / 8;

    if (t->patience > price) {
        t->patience -= price;
        return 0;
    }
    return fault_set(&t->fault, -E2BIG, t->gen.offset,
                     "the generation's %zu threads wait for each other too often", t->frontier.n);
}

static int advance(struct gotrace *t, struct cursor *c)
{
    if (!c->thread || c->m == GOTRACE_NONE) {
        int r = order_enter(&t->order, c);

        if (r < 0)
            return r;
    }
    return order_table[c->type](&t->order, c);
}

/*
 * The earliest event must wait: the next in time that need not. Sorting may put another event of
 * the same time first, which Go's reader does not try: it stops if no other can come. That is no
 * contradiction in the trace, so here it comes last.
 */
static int try_others(struct gotrace *t)
{
    struct frontier *f = &t->frontier;
    const struct cursor *tried = f->heap[0].cursor;
    int r = pay(t);

    if (r < 0)
        return r;
    frontier_sort(f);
    for (size_t i = 1; i < f->n; i++) {
        r = advance(t, f->heap[i].cursor);
        if (r < 0)
            return r;
        if (r > 0)
            return move_on(t, i);
        t->patience -= t->patience > 0;
    }
    r = f->heap[0].cursor != tried ? advance(t, f->heap[0].cursor) : 0;
    if (r < 0)
        return r;
    return r > 0 ? move_on(t, 0) : stuck(t);
}

/* Whether there is room for all events that one event may become. */
static bool has_room(const struct order *o)
{
    return o->next <= o->last_begin;
}

/*
 * The earliest thread's events, as long as it is the earliest and there is room. What an event
 * added is taken back if its thread then cannot go on, as Go's reader does it.
 */
static int take_turn(struct gotrace *t)
{
    struct order *o = &t->order;
    struct cursor *c = t->frontier.heap[0].cursor;
    struct gotrace_event *begin = o->next;
    int64_t ends = c->m == GOTRACE_NONE ? INT64_MIN : reader_turn_ends(t);
    int r = advance(t, c);

    while (__builtin_expect(r > 0, 1)) {
        r = cursor_next(c, &t->gen);
        if (__builtin_expect(r <= 0, 0))
            break;
        if (c->time > ends || !has_room(o)) {
            frontier_moved(&t->frontier, 0);
            return 0;
        }
        begin = o->next;
        r = order_event(o, c);
        if (__builtin_expect(r == 0, 0))
            t->frontier.heap[0].time = c->time;
    }
    if (r == 0 && o->next > begin) {
        frontier_remove(&t->frontier, 0);
        return 0;
    }
    if (r == 0)
        r = try_others(t);
    if (r < 0)
        o->next = begin;
    return r;
}

/* Fills `out` with events of this generation. An error is returned after them. */
static void fill_events(struct gotrace *t)
{
    while (has_room(&t->order)) {
        int r;

        if (reader_sample_is_next(t)) {
            r = order_sample(&t->order, &t->gen.samples[t->next_sample++]);
        } else if (t->frontier.n == 0) {
            t->stage = STAGE_BETWEEN;
            return;
        } else {
            r = take_turn(t);
        }
        if (r < 0)
            return;
    }
}

void reader_give_one(struct gotrace *t)
{
    t->order.last_begin = t->order.out;
}

/* Keeps the first error. */
void reader_skip_rest(struct gotrace *t, struct reader_rest *ret)
{
    struct batch b;

    t->stage = STAGE_END;
    while (input_batch(&t->in, &b) > 0)
        input_release(&t->in);
    ret->followed = t->in.offset;
    ret->bytes = input_drain(&t->in);
    ret->time = generation_time_slow(t->freq, t->in.newest);
}

/* Makes sure that order.out has an event. 1, 0 at the end, or an error. */
static int fill(struct gotrace *t)
{
    t->next = t->order.out;
    t->order.next = t->order.out;
    while (t->order.next == t->order.out) {
        int r = 0;

        if (t->fault.code != 0)
            return t->fault.code;
        if (t->stage == STAGE_HEADER) {
            r = input_header(&t->in);
            t->stage = STAGE_BETWEEN;
        } else if (t->stage == STAGE_BETWEEN) {
            r = enter_generation(t);
        } else if (t->stage == STAGE_EVENTS) {
            fill_events(t);
        } else {
            return 0;
        }
        if (r < 0)
            return r;
    }
    return 1;
}

int gotrace_next(struct gotrace *t, const struct gotrace_event **ret)
{
    if (t->next == t->order.next) {
        int r = fill(t);

        if (r <= 0)
            return r;
    }
    *ret = t->next++;
    return 1;
}

int gotrace_next_batch(struct gotrace *t, const struct gotrace_event **ret, size_t *ret_n)
{
    if (t->next == t->order.next) {
        int r = fill(t);

        if (r <= 0)
            return r;
    }
    *ret = t->next;
    *ret_n = (size_t)(t->order.next - t->next);
    t->next = t->order.next;
    return 1;
}

struct gotrace_error gotrace_last_error(const struct gotrace *t)
{
    return (struct gotrace_error){
        .code = t->fault.code,
        .offset = t->fault.offset,
        .generation = t->fault.generation,
        .thread = t->fault.thread,
        .text = t->fault.text,
    };
}

unsigned gotrace_version(const struct gotrace *t)
{
    return t->in.version;
}

uint64_t gotrace_bytes_read(const struct gotrace *t)
{
    return input_taken(&t->in);
}

size_t gotrace_memory(const struct gotrace *t)
{
    return t->mem.used + sizeof(*t);
}

int gotrace_generation(const struct gotrace *t, struct gotrace_generation *ret)
{
    const struct generation *g = &t->gen;

    if (t->syncs == 0 || t->stage == STAGE_END)
        return -ENOENT;
    *ret = (struct gotrace_generation){
        .number = g->number,
        .offset = g->offset,
        .bytes = g->bytes,
        .n_strings = g->strings.n,
        .n_stacks = g->stacks.n,
        .n_frames = g->stacks.n_frames,
        .n_threads = g->n_threads,
        .n_experimental_batches = g->n_experimental,
        .has_clock = g->has_clock,
        .clock_trace = g->has_clock ? generation_time(g, g->clock_time) : 0,
        .clock_mono = g->clock_mono,
        .clock_sec = g->clock_sec,
        .clock_nsec = g->clock_nsec,
    };
    return 0;
}

const char *gotrace_string(const struct gotrace *t, uint64_t handle, size_t *ret_len)
{
    return strings_text(&t->gen.strings, handle, ret_len);
}

const uint32_t *gotrace_stack(const struct gotrace *t, uint32_t handle, size_t *ret_n)
{
    return stacks_row(&t->gen.stacks, handle, ret_n);
}

const struct gotrace_frame *gotrace_frame(const struct gotrace *t, uint32_t n)
{
    return n < t->gen.stacks.n_frames ? &t->gen.stacks.frames[n] : NULL;
}

const char *gotrace_type_name(unsigned type)
{
    return type < 256 && specs[type].name ? specs[type].name : "?";
}
