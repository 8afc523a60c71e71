/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/pfpackets.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH 64
#define NAMES 65536

struct track {
    bool told;
    char name[PFPACKETS_TEXT];
    uint64_t parent;
    unsigned depth;
    int64_t last;
    size_t open[DEPTH];
};

struct state {
    uint64_t mono;
    struct track tracks[PFPACKETS_TRACKS];
    char names[NAMES][PFPACKETS_TEXT];
};

/* A message, field by field. */
struct message {
    const uint8_t *at, *end;
    unsigned field;
    uint64_t number;
    const uint8_t *data; /* of a field of bytes, of `number` bytes */
    bool broken;
};

static uint64_t varint(struct message *m)
{
    uint64_t v = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (m->at == m->end)
            break;
        v |= (uint64_t)(*m->at & 0x7f) << shift;
        if (*m->at++ < 0x80)
            return v;
    }
    m->broken = true;
    return 0;
}

static bool next(struct message *m)
{
    uint64_t tag;

    if (m->at == m->end || m->broken)
        return false;
    tag = varint(m);
    m->field = (unsigned)(tag >> 3);
    m->number = varint(m);
    m->data = NULL;
    if ((tag & 7) == 2) {
        if (m->number > (uint64_t)(m->end - m->at))
            m->broken = true;
        else
            m->data = m->at;
        m->at += m->data ? m->number : 0;
    } else if ((tag & 7) != 0) {
        m->broken = true;
    }
    return !m->broken;
}

static struct message inner(const struct message *m)
{
    return (struct message){.at = m->data, .end = m->data + m->number};
}

static void rule(struct pfpackets *p, bool kept, const char *text)
{
    if (!kept && !p->wrong)
        p->wrong = text;
}

static void copy(char to[PFPACKETS_TEXT], const struct message *m)
{
    size_t n = m->number < PFPACKETS_TEXT ? (size_t)m->number : PFPACKETS_TEXT - 1;

    if (n > 0)
        (void)memcpy(to, m->data, n);
    to[n] = '\0';
}

static void interned(struct pfpackets *p, struct message m)
{
    struct state *s = p->state;

    while (next(&m)) {
        struct message name = inner(&m);
        uint64_t iid = 0;

        if (m.field != 2)
            continue;
        while (next(&name)) {
            if (name.field == 1)
                iid = name.number;
            rule(p, iid > 0 && iid < NAMES, "a name's number");
            if (name.field == 2 && iid > 0 && iid < NAMES)
                copy(s->names[iid], &name);
        }
    }
    rule(p, !m.broken, "interned data");
}

static struct track *track_of(struct pfpackets *p, uint64_t id)
{
    struct state *s = p->state;

    rule(p, id > 0 && id < PFPACKETS_TRACKS, "a track's number");
    return &s->tracks[id < PFPACKETS_TRACKS ? id : 0];
}

static void descriptor(struct pfpackets *p, struct message m)
{
    struct track *t = NULL;

    while (next(&m)) {
        if (m.field == 1) {
            t = track_of(p, m.number);
            p->tracks += !t->told;
            t->told = true;
        } else if (m.field == 2 && t && !t->name[0]) {
            copy(t->name, &m);
        } else if (m.field == 5) {
            rule(p, track_of(p, m.number)->told, "a parent is told first");
        }
    }
    rule(p, t && !m.broken, "a track");
}

static void begin(struct pfpackets *p, uint64_t id, struct track *t, uint64_t name, int64_t time)
{
    struct state *s = p->state;

    p->begins++;
    rule(p, name > 0 && name < NAMES, "a slice's name");
    rule(p, t->depth < DEPTH, "depth");
    if (p->n < p->cap && name < NAMES) {
        struct pfpackets_slice *slice = &p->slices[p->n];

        *slice = (struct pfpackets_slice){.track = id, .begin = time, .end = -1, .depth = t->depth};
        (void)memcpy(slice->name, s->names[name], PFPACKETS_TEXT);
        if (t->depth < DEPTH)
            t->open[t->depth] = p->n;
        p->n++;
    }
    t->depth++;
}

static void end(struct pfpackets *p, struct track *t, int64_t time)
{
    p->ends++;
    rule(p, t->depth > 0, "an end without a begin");
    t->depth -= t->depth > 0;
    if (t->depth < DEPTH && t->open[t->depth] < p->n)
        p->slices[t->open[t->depth]].end = time;
}

static void event(struct pfpackets *p, struct message m, int64_t time)
{
    uint64_t type = 0, id = 0, name = 0;
    struct track *t;

    while (next(&m)) {
        if (m.field == 9)
            type = m.number;
        else if (m.field == 11)
            id = m.number;
        else if (m.field == 10)
            name = m.number;
    }
    rule(p, !m.broken, "a track's event");
    t = track_of(p, id);
    rule(p, t->told, "a track is told first");
    rule(p, time >= t->last, "times go back");
    t->last = time;
    if (type == 1)
        begin(p, id, t, name, time);
    else if (type == 2)
        end(p, t, time);
    else
        p->counters++;
}

static void clocks(struct pfpackets *p, struct message m)
{
    struct state *s = p->state;

    while (next(&m)) {
        struct message clock;
        uint64_t id = 0;

        if (m.field != 1)
            continue;
        clock = inner(&m);
        while (next(&clock)) {
            if (clock.field == 1)
                id = clock.number;
            else if (clock.field == 2 && id == 3)
                s->mono = clock.number;
        }
    }
}

static void packet(struct pfpackets *p, struct message m)
{
    struct state *s = p->state;
    uint64_t clock = 0;
    int64_t time = -1;

    p->packets++;
    while (next(&m)) {
        switch (m.field) {
        case 6: clocks(p, inner(&m)); break;
        case 58: clock = m.number; break;
        case 8:
            if (clock == 0)
                p->now += (int64_t)m.number;
            time = clock == 0 ? p->now : (int64_t)(m.number - s->mono);
            break;
        case 12: interned(p, inner(&m)); break;
        case 60: descriptor(p, inner(&m)); break;
        case 11: event(p, inner(&m), time); break;
        case 135: p->samples++; break;
        default: break;
        }
    }
    rule(p, !m.broken, "a packet");
}

void pfpackets_init(struct pfpackets *p, size_t cap)
{
    *p = (struct pfpackets){.cap = cap};
    p->state = calloc(1, sizeof(struct state));
    p->slices = calloc(cap + 1, sizeof(*p->slices));
    if (!p->state || !p->slices)
        abort();
}

void pfpackets_done(struct pfpackets *p)
{
    free(p->state);
    free(p->slices);
    *p = (struct pfpackets){0};
}

int pfpackets_write(void *userdata, const void *data, size_t n)
{
    struct pfpackets *p = userdata;
    struct message m = {.at = data, .end = (const uint8_t *)data + n};

    while (next(&m)) {
        rule(p, m.field == 1 && m.data, "a packet's field");
        if (m.data)
            packet(p, inner(&m));
    }
    rule(p, !m.broken, "the file");
    return 0;
}

void pfpackets_end(struct pfpackets *p)
{
    const struct state *s = p->state;

    for (size_t i = 0; i < PFPACKETS_TRACKS; i++)
        rule(p, s->tracks[i].depth == 0, "what begins, ends");
    for (size_t i = 0; i < p->n; i++)
        (void)memcpy(p->slices[i].where, s->tracks[p->slices[i].track].name, PFPACKETS_TEXT);
}
