/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/export/packets.h"

#include <string.h>

/* Packets are handed out when there are so many bytes. */
#define BLOCK ((size_t)256 << 10)

/* No name is longer than this in the file. */
#define TEXT_MOST ((size_t)1024)

/* Fields of the messages, by the names of the proto files. */
enum { TRACE_PACKET = 1 };
enum {
    PACKET_CLOCK_SNAPSHOT = 6,
    PACKET_TIMESTAMP = 8,
    PACKET_SEQUENCE_ID = 10,
    PACKET_TRACK_EVENT = 11,
    PACKET_INTERNED_DATA = 12,
    PACKET_SEQUENCE_FLAGS = 13,
    PACKET_TIMESTAMP_CLOCK_ID = 58,
    PACKET_DEFAULTS = 59,
    PACKET_TRACK_DESCRIPTOR = 60,
    PACKET_FIRST_ON_SEQUENCE = 87,
    PACKET_STACK_SAMPLE = 135,
};
enum { SEQUENCE_CLEARED = 1, SEQUENCE_NEEDS_STATE = 2 };
enum { SNAPSHOT_CLOCKS = 1, SNAPSHOT_PRIMARY = 2 };
enum { CLOCK_ID = 1, CLOCK_TIMESTAMP = 2, CLOCK_IS_INCREMENTAL = 3 };
enum { DEFAULTS_CLOCK_ID = 58, DEFAULTS_STACK_SAMPLE = 100 };
enum { SAMPLE_DEFAULTS_SOURCE = 1, SAMPLE_DEFAULTS_PRIMARY = 2 };
enum { SAMPLE_COUNTER_NAME = 2, SAMPLE_COUNTER_UNIT = 3, SAMPLE_UNIT_COUNT = 9 };
enum {
    SAMPLE_TASK = 1,
    SAMPLE_EXECUTION = 3,
    SAMPLE_CALLSTACK = 5,
    SAMPLE_WEIGHT = 11,
    TASK_ASYNC_ID = 4,
    EXECUTION_CPU = 2,
};
enum { CALLSTACK_FRAMES = 1, FRAME_FUNCTION = 1, FRAME_FILE = 2, FRAME_LINE = 3 };
enum { INTERNED_EVENT_NAMES = 2, INTERNED_KEYS = 3, INTERNED_ASYNC = 51 };
enum { NAME_IID = 1, NAME_TEXT = 2, ASYNC_KIND = 3 };
enum {
    EVENT_ANNOTATION = 4,
    EVENT_TYPE = 9,
    EVENT_NAME_IID = 10,
    EVENT_TRACK = 11,
    EVENT_VALUE = 30
};
enum { TYPE_BEGIN = 1, TYPE_END = 2, TYPE_COUNTER = 4 };
enum { ANNOTATION_KEY_IID = 1, ANNOTATION_INT = 4 };
enum {
    TRACK_ID = 1,
    TRACK_NAME = 2,
    TRACK_PARENT = 5,
    TRACK_COUNTER = 8,
    TRACK_ORDERING = 11,
    TRACK_RANK = 12,
    TRACK_MERGE = 15,
    TRACK_MERGE_NONE = 2,
    TRACK_ORDERING_EXPLICIT = 3,
    COUNTER_UNIT = 3,
};

/* The clocks: one of the sequence, whose times are differences, and two of the system. */
enum { CLOCK_REAL = 1, CLOCK_MONO = 3, CLOCK_SEQUENCE = 64 };

static const char *const keys[] = {
    [PACKETS_GOROUTINE] = "goroutine",
    [PACKETS_P] = "P",
    [PACKETS_TASK] = "task",
    [PACKETS_PARENT] = "parent task",
};

static void text(struct proto *out, unsigned field, const char *string)
{
    proto_text(out, field, string, strnlen(string, TEXT_MOST));
}

static void begin(struct packets *p)
{
    proto_begin(&p->out, TRACE_PACKET);
    proto_number(&p->out, PACKET_SEQUENCE_ID, 1);
}

static void end(struct packets *p)
{
    proto_end(&p->out);
    p->count++;
    if (p->out.n >= BLOCK)
        (void)packets_flush(p);
}

/* One from before the last packet, as of what was there when the trace began, is told in the
 * system's clock. */
static void begin_at(struct packets *p, int64_t time)
{
    begin(p);
    proto_number(&p->out, PACKET_SEQUENCE_FLAGS, SEQUENCE_NEEDS_STATE);
    if (time < p->last) {
        proto_number(&p->out, PACKET_TIMESTAMP_CLOCK_ID, CLOCK_MONO);
        proto_number(&p->out, PACKET_TIMESTAMP, (uint64_t)(time - p->clock.time) + p->clock.mono);
        return;
    }
    proto_number(&p->out, PACKET_TIMESTAMP, (uint64_t)(time - p->last));
    p->last = time;
}

static void put_clock(struct proto *out, unsigned id, uint64_t time, bool incremental)
{
    proto_begin(out, SNAPSHOT_CLOCKS);
    proto_number(out, CLOCK_ID, id);
    proto_number(out, CLOCK_TIMESTAMP, time);
    if (incremental)
        proto_number(out, CLOCK_IS_INCREMENTAL, 1);
    proto_end(out);
}

static void put_defaults(struct proto *out)
{
    proto_begin(out, PACKET_DEFAULTS);
    proto_number(out, DEFAULTS_CLOCK_ID, CLOCK_SEQUENCE);
    proto_begin(out, DEFAULTS_STACK_SAMPLE);
    text(out, SAMPLE_DEFAULTS_SOURCE, "go.cpu");
    proto_begin(out, SAMPLE_DEFAULTS_PRIMARY);
    text(out, SAMPLE_COUNTER_NAME, "samples");
    proto_number(out, SAMPLE_COUNTER_UNIT, SAMPLE_UNIT_COUNT);
    proto_end(out);
    proto_end(out);
    proto_end(out);
}

static void put_keys(struct proto *out)
{
    proto_begin(out, PACKET_INTERNED_DATA);
    for (unsigned i = 1; i < sizeof(keys) / sizeof(keys[0]); i++) {
        proto_begin(out, INTERNED_KEYS);
        proto_number(out, NAME_IID, i);
        text(out, NAME_TEXT, keys[i]);
        proto_end(out);
    }
    proto_end(out);
}

void packets_init(struct packets *p, const struct texts *texts, const struct packets_clock *clock,
                  packets_write_fn write, void *userdata)
{
    *p = (struct packets){.texts = texts, .write = write, .userdata = userdata, .clock = *clock};
    p->last = clock->time;
    proto_init(&p->out);
    begin(p);
    proto_number(&p->out, PACKET_SEQUENCE_FLAGS, SEQUENCE_CLEARED | SEQUENCE_NEEDS_STATE);
    proto_number(&p->out, PACKET_FIRST_ON_SEQUENCE, 1);
    put_defaults(&p->out);
    put_keys(&p->out);
    proto_begin(&p->out, PACKET_CLOCK_SNAPSHOT);
    put_clock(&p->out, CLOCK_SEQUENCE, 0, true);
    put_clock(&p->out, CLOCK_MONO, clock->mono, false);
    if (clock->real > 0)
        put_clock(&p->out, CLOCK_REAL, (uint64_t)clock->real, false);
    proto_number(&p->out, SNAPSHOT_PRIMARY, CLOCK_MONO);
    proto_end(&p->out);
    end(p);
}

void packets_done(struct packets *p)
{
    proto_done(&p->out);
}

void packets_track(struct packets *p, const struct packets_track *t)
{
    struct proto *out = &p->out;

    begin(p);
    proto_begin(out, PACKET_TRACK_DESCRIPTOR);
    proto_number(out, TRACK_ID, t->id);
    if (*t->name)
        text(out, TRACK_NAME, t->name);
    if (t->parent > 0)
        proto_number(out, TRACK_PARENT, t->parent);
    if (t->by_rank)
        proto_number(out, TRACK_ORDERING, TRACK_ORDERING_EXPLICIT);
    if (t->rank != 0)
        proto_number(out, TRACK_RANK, (uint64_t)t->rank);
    if (t->alone)
        proto_number(out, TRACK_MERGE, TRACK_MERGE_NONE);
    if (t->unit > 0) {
        proto_begin(out, TRACK_COUNTER);
        proto_number(out, COUNTER_UNIT, t->unit);
        proto_end(out);
    }
    proto_end(out);
    end(p);
}

/* A name is told with the first packet that uses it. */
static void tell(struct packets *p, uint32_t name)
{
    uint64_t bit = (uint64_t)1 << (name & 63), *word = &p->told[name / 64];

    if (*word & bit)
        return;
    *word |= bit;
    proto_begin(&p->out, PACKET_INTERNED_DATA);
    proto_begin(&p->out, INTERNED_EVENT_NAMES);
    proto_number(&p->out, NAME_IID, (uint64_t)name + 1);
    text(&p->out, NAME_TEXT, texts_get(p->texts, name));
    proto_end(&p->out);
    proto_end(&p->out);
}

void packets_slice_begin(struct packets *p, int64_t time, uint64_t track,
                         const struct packets_slice *slice)
{
    struct proto *out = &p->out;

    begin_at(p, time);
    tell(p, slice->name);
    proto_begin(out, PACKET_TRACK_EVENT);
    proto_number(out, EVENT_TYPE, TYPE_BEGIN);
    proto_number(out, EVENT_TRACK, track);
    proto_number(out, EVENT_NAME_IID, (uint64_t)slice->name + 1);
    for (unsigned i = 0; i < PACKETS_VALUES; i++) {
        if (slice->keys[i] == PACKETS_NO_KEY)
            continue;
        proto_begin(out, EVENT_ANNOTATION);
        proto_number(out, ANNOTATION_KEY_IID, slice->keys[i]);
        proto_number(out, ANNOTATION_INT, (uint64_t)slice->values[i]);
        proto_end(out);
    }
    proto_end(out);
    end(p);
}

void packets_slice_end(struct packets *p, int64_t time, uint64_t track)
{
    begin_at(p, time);
    proto_begin(&p->out, PACKET_TRACK_EVENT);
    proto_number(&p->out, EVENT_TYPE, TYPE_END);
    proto_number(&p->out, EVENT_TRACK, track);
    proto_end(&p->out);
    end(p);
}

void packets_counter(struct packets *p, int64_t time, uint64_t track, int64_t value)
{
    begin_at(p, time);
    proto_begin(&p->out, PACKET_TRACK_EVENT);
    proto_number(&p->out, EVENT_TYPE, TYPE_COUNTER);
    proto_number(&p->out, EVENT_TRACK, track);
    proto_number(&p->out, EVENT_VALUE, (uint64_t)value);
    proto_end(&p->out);
    end(p);
}

static void put_string(struct proto *out, unsigned field, const struct gotrace *trace,
                       uint64_t handle)
{
    size_t len;
    const char *string = gotrace_string(trace, handle, &len);

    proto_text(out, field, string, len < TEXT_MOST ? len : TEXT_MOST);
}

/* The outermost frame first. */
static void put_stack(struct proto *out, const struct gotrace *trace, uint32_t stack)
{
    size_t n;
    const uint32_t *row = gotrace_stack(trace, stack, &n);

    proto_begin(out, SAMPLE_CALLSTACK);
    while (n-- > 0) {
        const struct gotrace_frame *frame = gotrace_frame(trace, row[n]);

        if (!frame)
            continue;
        proto_begin(out, CALLSTACK_FRAMES);
        put_string(out, FRAME_FUNCTION, trace, frame->func);
        put_string(out, FRAME_FILE, trace, frame->file);
        proto_number(out, FRAME_LINE, frame->line & UINT32_MAX);
        proto_end(out);
    }
    proto_end(out);
}

void packets_sample(struct packets *p, const struct gotrace *trace, const struct gotrace_event *e,
                    const char *named)
{
    struct proto *out = &p->out;

    begin_at(p, e->time);
    if (named) {
        proto_begin(out, PACKET_INTERNED_DATA);
        proto_begin(out, INTERNED_ASYNC);
        proto_number(out, NAME_IID, (uint64_t)e->g);
        text(out, NAME_TEXT, named);
        text(out, ASYNC_KIND, "goroutine");
        proto_end(out);
        proto_end(out);
    }
    proto_begin(out, PACKET_STACK_SAMPLE);
    if (e->g > 0) {
        proto_begin(out, SAMPLE_TASK);
        proto_number(out, TASK_ASYNC_ID, (uint64_t)e->g);
        proto_end(out);
    }
    if (e->p >= 0) {
        proto_begin(out, SAMPLE_EXECUTION);
        proto_number(out, EXECUTION_CPU, (uint64_t)e->p);
        proto_end(out);
    }
    put_stack(out, trace, e->stack);
    proto_number(out, SAMPLE_WEIGHT, 1);
    proto_end(out);
    end(p);
}

int packets_flush(struct packets *p)
{
    if (p->error == 0)
        p->error = p->out.error;
    if (p->error == 0 && p->out.n > 0) {
        p->bytes += p->out.n;
        p->error = p->write(p->userdata, p->out.data, p->out.n);
    }
    proto_clear(&p->out);
    return p->error;
}
