/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/framing.h"

#include <errno.h>
#include <string.h>

#include "trace/foreign.h"

/* Event types that frame a trace (internal/trace/tracev2/events.go): the same in every version. */
enum {
    EV_EVENT_BATCH = 1,
    EV_FREQUENCY = 8,
    EV_EXPERIMENTAL_BATCH = 49,
    EV_SYNC = 50,
    EV_END_OF_GENERATION = 52,
};

enum { FIELD_GENERATION, FIELD_THREAD, FIELD_TIMESTAMP, FIELD_SIZE, N_FIELDS };

#define MAX_BATCH_SIZE (64U << 10) /* tracev2.MaxBatchSize, the same since Go 1.22 */

static const char magic[16] = "go 1.NN trace\0\0";
#define MAGIC_TENS 5
#define MAGIC_ONES 6

struct framing_rules {
    unsigned minor;
    enum framing_format format;
    uint8_t clock_event; /* opens the batch that every generation has exactly one of */
    bool explicit_end;   /* generations end with EvEndOfGeneration */
};

/* The versions that Go ever wrote into a header; other versions had no format of their own. */
static const struct framing_rules rules_table[] = {
    {11, FRAMING_V1, 0, false},
    {19, FRAMING_V1, 0, false},
    {21, FRAMING_V1, 0, false},
    {22, FRAMING_V2, EV_FREQUENCY, false},
    {23, FRAMING_V2, EV_FREQUENCY, false},
    {25, FRAMING_V2, EV_SYNC, false},
    {26, FRAMING_V2, EV_SYNC, true},
};
#define N_RULES (sizeof(rules_table) / sizeof(rules_table[0]))

enum {
    STATE_MAGIC,      /* within the 16 bytes that open the trace */
    STATE_TYPE,       /* between two batches */
    STATE_EXPERIMENT, /* after an experimental batch's type */
    STATE_FIELD,      /* within the numbers of a batch header */
    STATE_PAYLOAD,    /* within a batch */
    STATE_TEXT,       /* where a batch should begin stands what may be text */
    STATE_OPAQUE,     /* within a trace of the old format */
};

/* The result of reading one byte; a negative one is -EBADMSG. */
enum {
    STEP_MORE,  /* in the middle of a header */
    STEP_DONE,  /* a header is complete and belongs to the open generation */
    STEP_FIRST, /* a header is complete, and ends the generation before it */
    STEP_LAST,  /* this byte ends a generation */
};

void framing_init(struct framing *f, const struct framing_sink *sink)
{
    memset(f, 0, sizeof(*f));
    if (sink)
        f->sink = *sink;
    f->state = STATE_MAGIC;
}

static int bad(struct framing *f, const char *text)
{
    f->error = text;
    return -EBADMSG;
}

/*
 * A newer version is read by the newest known rules: so services built with a newer Go can be
 * recorded, and that Go's tools open the file. If its framing is different, the first unknown batch
 * is an error.
 */
static const struct framing_rules *rules_find(unsigned minor)
{
    if (minor > rules_table[N_RULES - 1].minor)
        return &rules_table[N_RULES - 1];
    for (size_t i = 0; i < N_RULES; i++)
        if (rules_table[i].minor == minor)
            return &rules_table[i];
    return NULL;
}

static const char not_a_batch[] = "not a batch";
static const char text_within[] = "text in the trace: another trace, or what the program printed";

static int step_magic(struct framing *f, uint8_t byte)
{
    size_t at = (size_t)f->offset;

    if (at == MAGIC_TENS || at == MAGIC_ONES) {
        if (byte < '0' || byte > '9') {
            f->format = FRAMING_NOT_A_TRACE;
            return bad(f, "not a Go execution trace");
        }
        f->number[0] = f->number[0] * 10 + (byte - '0');
    } else if (byte != (uint8_t)magic[at]) {
        f->format = FRAMING_NOT_A_TRACE;
        return bad(f, "not a Go execution trace");
    }
    if (at == MAGIC_ONES) {
        f->rules = rules_find((unsigned)f->number[0]);
        if (!f->rules) {
            f->format = FRAMING_NOT_A_TRACE;
            return bad(f, "not a version of Go that has an execution trace format");
        }
    }
    if (at + 1 < sizeof(magic))
        return STEP_MORE;
    f->format = f->rules->format;
    f->go_minor = (unsigned)f->number[0];
    f->state = f->format == FRAMING_V1 ? STATE_OPAQUE : STATE_TYPE;
    return STEP_DONE;
}

static int step_type(struct framing *f, uint8_t byte)
{
    f->field = 0;
    f->shift = 0;
    memset(f->number, 0, sizeof(f->number));

    switch (byte) {
    case EV_EVENT_BATCH:
        f->experimental = false;
        f->state = STATE_FIELD;
        return STEP_MORE;
    case EV_EXPERIMENTAL_BATCH: /* since Go 1.23, but Go's reader accepts it in any version */
        f->experimental = true;
        f->state = STATE_EXPERIMENT;
        return STEP_MORE;
    case EV_END_OF_GENERATION: /* in Go 1.25 it exists inside the runtime, but is never written */
        if (!f->rules->explicit_end)
            return bad(f, "end of generation in a version that has none");
        if (f->generation == 0)
            return bad(f, "end of a generation that has no batch");
        if (!f->clocked)
            return bad(f, "generation without a sync batch");
        f->last_generation = f->generation;
        f->generation = 0;
        f->clocked = false;
        f->whole_newest = f->newest;
        return STEP_LAST;
    default:
        if (!foreign_is_text(byte))
            return bad(f, not_a_batch);
        f->n_text = 1;
        f->state = STATE_TEXT;
        return STEP_MORE;
    }
}

/* The trace made sense up to where the text begins. */
static int refuse_text(struct framing *f, const char *error)
{
    f->offset -= f->n_text;
    return bad(f, error);
}

/* Fewer than FOREIGN_TEXT_MIN characters are taken for chance, as foreign_name does. */
static int step_text(struct framing *f, uint8_t byte)
{
    if (!foreign_is_text(byte))
        return refuse_text(f, not_a_batch);
    if (f->n_text + 1 == FOREIGN_TEXT_MIN)
        return refuse_text(f, text_within);
    f->n_text++;
    return STEP_MORE;
}

/*
 * Generation numbers grow by one; after the greatest number of the word size comes 4 (traceNextGen
 * in runtime/trace.go). Before 1.26 Go's reader does not accept that, and neither do we: Go's tools
 * can open a file that is cut before it, but not one that contains it.
 */
static bool follows(const struct framing *f, uint64_t before, uint64_t gen)
{
    if (gen == before + 1)
        return true;
    return f->rules->explicit_end && gen == 4 && (before == UINT32_MAX || before == UINT64_MAX);
}

/* Checks the batch's generation number against the ones before it. */
static int enter_generation(struct framing *f, uint64_t gen)
{
    if (gen == 0)
        return bad(f, "generation 0");
    if (gen == f->generation)
        return STEP_DONE;
    if (f->generation == 0) {
        if (f->last_generation != 0 && !follows(f, f->last_generation, gen))
            return bad(f, "generations out of order");
        f->generation = gen;
        return STEP_DONE;
    }
    if (f->rules->explicit_end)
        return bad(f, "generation without an end");
    if (!follows(f, f->generation, gen))
        return bad(f, "generations out of order");
    if (!f->clocked)
        return bad(f, f->rules->clock_event == EV_SYNC ? "generation without a sync batch"
                                                       : "generation without a frequency batch");
    f->last_generation = f->generation;
    f->generation = gen;
    f->clocked = false;
    return STEP_FIRST;
}

static void note_time(struct framing *f, uint64_t time)
{
    if (!f->timed || time < f->first)
        f->first = time;
    if (!f->timed || time > f->newest)
        f->newest = time;
    f->timed = true;
}

/* Unsigned LEB128 as encoding/binary.ReadUvarint accepts it: at most ten bytes, padded or not. */
static int step_field(struct framing *f, uint8_t byte)
{
    int r;

    if (f->shift == 63 && byte > 1)
        return bad(f, "number of more than 64 bits in a batch header");
    f->number[f->field] |= (uint64_t)(byte & 0x7f) << f->shift;
    if (byte & 0x80) {
        f->shift += 7;
        return STEP_MORE;
    }
    f->shift = 0;
    if (++f->field < N_FIELDS)
        return STEP_MORE;

    if (f->number[FIELD_SIZE] > MAX_BATCH_SIZE)
        return bad(f, "batch of more than 64 KiB");
    r = enter_generation(f, f->number[FIELD_GENERATION]);
    if (r < 0)
        return r;
    if (r == STEP_FIRST)
        f->whole_newest = f->newest;
    if (!f->experimental)
        note_time(f, f->number[FIELD_TIMESTAMP]);
    f->payload = f->number[FIELD_SIZE];
    f->fresh = true;
    f->state = f->payload > 0 ? STATE_PAYLOAD : STATE_TYPE;
    return r;
}

static int step(struct framing *f, uint8_t byte)
{
    switch (f->state) {
    case STATE_MAGIC: return step_magic(f, byte);
    case STATE_TYPE: return step_type(f, byte);
    case STATE_EXPERIMENT: f->state = STATE_FIELD; return STEP_MORE;
    case STATE_TEXT: return step_text(f, byte);
    default: return step_field(f, byte);
    }
}

/* Skips the piece's bytes of a batch or of an old trace; returns how many. */
static size_t skip(struct framing *f, const uint8_t *data, size_t n)
{
    if (f->state == STATE_PAYLOAD) {
        if (f->fresh) {
            bool clock = !f->experimental && data[0] == f->rules->clock_event;

            f->clocked = f->clocked || clock;
            f->in_clock = clock && f->n_clock == 0;
        }
        f->fresh = false;
        if (n > f->payload)
            n = (size_t)f->payload;
        for (size_t i = 0; f->in_clock && i < n && f->n_clock < sizeof(f->clock); i++)
            f->clock[f->n_clock++] = data[i];
        f->payload -= n;
        if (f->payload == 0)
            f->state = STATE_TYPE;
    }
    f->offset += n;
    return n;
}

static void give(struct framing *f, const uint8_t *data, size_t n)
{
    if (n == 0)
        return;
    f->settled += n;
    if (f->sink.bytes)
        f->sink.bytes(f->sink.userdata, data, n);
}

static void give_whole(struct framing *f)
{
    f->whole_bytes = f->settled;
    if (f->format == FRAMING_V2)
        f->generations++;
    if (f->sink.whole)
        f->sink.whole(f->sink.userdata);
}

/*
 * A piece is passed to the sink in the longest possible stretches. `from` is the start of the
 * stretch that was not passed yet, `head` the start of the header that is being read. If a part of
 * that header came with earlier pieces, it is in f->held, and from == head == data.
 */
int framing_feed(struct framing *f, const void *data, size_t n)
{
    const uint8_t *p = data, *from = p, *end = p + n;

    if (f->error)
        return -EBADMSG;
    while (p < end) {
        const uint8_t *head = p;
        int r = STEP_MORE;

        if (f->state == STATE_PAYLOAD || f->state == STATE_OPAQUE) {
            p += skip(f, p, (size_t)(end - p));
            continue;
        }
        for (; p < end && r == STEP_MORE; p++, f->offset++) {
            r = step(f, *p);
            if (r < 0) {
                give(f, from, (size_t)(head - from));
                return r;
            }
        }
        if (r == STEP_MORE || r == STEP_FIRST) {
            give(f, from, (size_t)(head - from));
            from = head;
        }
        if (r == STEP_MORE) {
            memcpy(f->held + f->n_held, head, (size_t)(p - head));
            f->n_held += (size_t)(p - head);
            return 0;
        }
        if (r == STEP_FIRST)
            give_whole(f);
        give(f, f->held, f->n_held);
        f->n_held = 0;
        if (r == STEP_LAST) {
            give(f, from, (size_t)(p - from));
            from = p;
            give_whole(f);
        }
    }
    give(f, from, (size_t)(end - from));
    return 0;
}

/* Why the stream, if it ends here, is no whole trace; NULL: it is one. */
static const char *why_not_whole(const struct framing *f, bool clean)
{
    if (f->whole_bytes == f->offset && f->whole_bytes > 0)
        return NULL;
    if (f->offset <= sizeof(magic))
        return "nothing after the header";
    if (f->format == FRAMING_V2 && f->state != STATE_TYPE)
        return "ends within a batch";
    if (f->format == FRAMING_V2 && f->rules->explicit_end)
        return "ends within a generation";
    if (!clean)
        return "broken off";
    if (f->format == FRAMING_V2 && !f->clocked)
        return "ends within a generation";
    return NULL;
}

int framing_finish(struct framing *f, bool clean)
{
    if (f->format == FRAMING_UNKNOWN) {
        f->format = FRAMING_NOT_A_TRACE;
        if (!f->error)
            f->error = f->offset == 0 ? "empty" : "ends within the header";
    }
    if (f->format == FRAMING_NOT_A_TRACE)
        return -EBADMSG;
    if (!f->error && f->state == STATE_TEXT)
        (void)refuse_text(f, text_within); /* short, but nothing follows it */
    if (!f->error) {
        f->error = why_not_whole(f, clean);
        if (!f->error) {
            if (f->whole_bytes < f->offset) {
                f->whole_newest = f->newest;
                give_whole(f);
            }
            return 1;
        }
    }
    return f->whole_bytes > 0 ? 0 : -ENODATA;
}

/* Units a second of the times in batch headers; 0: not known. */
static uint64_t frequency(const struct framing *f)
{
    size_t i = f->rules->clock_event == EV_SYNC ? 1 : 0;
    uint64_t value = 0;

    if (i >= f->n_clock || f->clock[i] != EV_FREQUENCY)
        return 0;
    for (unsigned shift = 0; ++i < f->n_clock && shift < 63; shift += 7) {
        value |= (uint64_t)(f->clock[i] & 0x7f) << shift;
        if (!(f->clock[i] & 0x80))
            return value;
    }
    return 0;
}

double framing_span(const struct framing *f)
{
    uint64_t units = f->format == FRAMING_V2 && f->whole_bytes > 0 ? frequency(f) : 0;

    if (units == 0 || f->whole_newest <= f->first)
        return 0;
    return (double)(f->whole_newest - f->first) / (double)units;
}
