/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/read/soundness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/read/tracefile.h"
#include "trace/gotrace.h"

#define DRAIN_SIZE (256u << 10)

/* All bytes that the decoder reads are also given to the framing. */
struct source {
    int fd;
    int error; /* of read(2) */
    bool ended;
    bool bad; /* the framing is broken */
    struct framing framing;
    struct soundness *found;
};

/* How far the decoder came. */
struct progress {
    int code;
    uint64_t generations; /* generations whose events were all decoded */
    uint64_t end;         /* offset in the file at which they end */
    uint64_t misnested;
    uint64_t open_end; /* the same of the one that is being decoded; 0: none */
};

static ssize_t source_read(void *userdata, void *data, size_t n)
{
    struct source *s = userdata;
    struct soundness *found = s->found;
    ssize_t got;

    do
        got = read(s->fd, data, n);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return s->error = -errno;
    s->ended = got == 0;
    if (found->n_begins < sizeof(found->begins)) {
        size_t room = sizeof(found->begins) - found->n_begins;

        if ((size_t)got < room)
            room = (size_t)got;
        memcpy(found->begins + found->n_begins, data, room);
        found->n_begins += room;
    }
    if (!s->bad)
        s->bad = framing_feed(&s->framing, data, (size_t)got) < 0;
    return got;
}

/* A generation starts, or the trace ends: the one before is complete. */
static void step(struct progress *p, const struct gotrace *t)
{
    struct gotrace_generation g;

    if (p->open_end > 0) {
        p->generations++;
        p->end = p->open_end;
    }
    p->open_end = 0;
    /* Since Go 1.26 one byte after the last batch ends a generation. */
    if (gotrace_generation(t, &g) == 0)
        p->open_end = g.offset + g.bytes + (gotrace_version(t) >= 26);
}

static void decode(struct gotrace *t, struct progress *p)
{
    const struct gotrace_event *events;
    size_t n;

    while ((p->code = gotrace_next_batch(t, &events, &n)) > 0) {
        if (events[0].kind == GOTRACE_SYNC)
            step(p, t);
        for (size_t i = 0; i < n; i++)
            p->misnested += events[i].kind == GOTRACE_REGION_END && events[i].args[1] != 0;
    }
}

/* After the decoder gave up, only the framing reads the rest. */
static int drain(struct source *s)
{
    _cleanup_free_ char *buffer = malloc(DRAIN_SIZE);

    if (!buffer)
        return -ENOMEM;
    while (!s->ended && !s->bad && s->error == 0)
        (void)source_read(s, buffer, DRAIN_SIZE);
    return s->error;
}

static void say(struct soundness *found, enum soundness_verdict verdict, uint64_t offset,
                const char *text)
{
    found->verdict = verdict;
    found->offset = offset;
    (void)snprintf(found->text, sizeof(found->text), "%s", text);
}

static void say_error(struct soundness *found, enum soundness_verdict verdict,
                      const struct gotrace_error *e)
{
    say(found, verdict, e->offset, e->text);
    found->generation = e->generation;
    found->thread = e->thread;
}

/*
 * Combines both verdicts. If the framing does not count a generation as whole, the decoder's error
 * in it follows from that and is not told.
 */
static void judge(struct soundness *found, struct source *s, const struct progress *p,
                  const struct gotrace_error *e)
{
    struct framing *f = &s->framing;
    int finish = framing_finish(f, true);
    bool beyond = p->code == -E2BIG; /* what was not decoded is not wrong: others may read it */

    found->misnested = p->misnested;
    found->kept_generations =
        beyond || f->generations < p->generations ? f->generations : p->generations;
    found->kept_bytes = beyond || f->whole_bytes < p->end ? f->whole_bytes : p->end;
    if (p->code == -EPROTONOSUPPORT || p->code == -ENOTSUP)
        say_error(found, p->code == -ENOTSUP ? SOUND_UNKNOWN_FORMAT : SOUND_OLD_FORMAT, e);
    else if (f->format == FRAMING_NOT_A_TRACE || p->code == -ENOMSG)
        say(found, SOUND_NOT_A_TRACE, f->offset, f->error ? f->error : e->text);
    else if (p->code == -E2BIG)
        say_error(found, SOUND_TOO_LARGE, e);
    else if (p->code < 0 && (finish > 0 || p->generations < f->generations))
        say_error(found, SOUND_CONTRADICTION, e);
    else if (s->bad && p->code < 0 && e->offset == f->offset)
        /* The framing only says that something is wrong there; the decoder says what is there. */
        say(found, SOUND_CONTRADICTION, e->offset, e->text);
    else if (s->bad)
        say(found, SOUND_CONTRADICTION, f->offset, f->error);
    else if (finish <= 0)
        say(found, SOUND_TRUNCATED, f->offset, f->error);
    else
        say(found, SOUND_COMPLETE, f->offset, "");
}

int soundness_check(int fd, const struct framing_sink *sink, struct soundness *ret)
{
    struct soundness found = {.thread = GOTRACE_NONE};
    struct source s = {.fd = fd, .found = &found};
    struct progress p = {0};
    struct gotrace_error e;
    struct gotrace *t;
    int r;

    framing_init(&s.framing, sink);
    r = gotrace_open(NULL, source_read, &s, &t);
    if (r < 0)
        return r;
    gotrace_spill(t, tracefile_unnamed, NULL);
    decode(t, &p);
    r = s.error < 0 ? s.error : p.code == -ENOMEM ? p.code : drain(&s);
    if (r == 0) {
        e = gotrace_last_error(t);
        found.go_minor = gotrace_version(t);
        judge(&found, &s, &p, &e);
        *ret = found;
    }
    gotrace_close(t);
    return r;
}
