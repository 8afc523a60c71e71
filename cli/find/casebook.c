/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/find/casebook.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/write.h"
#include "cli/common/screen.h"
#include "cli/find/parcel.h"
#include "lib/record/kind.h"

#define TEXT_MAX (256u << 10)

static bool is_trace(const struct entry *e)
{
    return e->name.kind == KIND_TRACE || e->name.kind == KIND_FLIGHT;
}

/* Records may contain anything: what would end a line or a cell does not. */
static void add_plain(struct buf *out, const char *text)
{
    for (; *text; text++)
        (void)buf_addf(out, "%c",
                       (unsigned char)*text < 0x20 || *text == '|' || *text == '`' ? ' ' : *text);
}

static void add_line(struct buf *out, const char *name, const char *text)
{
    if (!text)
        return;
    (void)buf_addf(out, "* %s: ", name);
    add_plain(out, text);
    (void)buf_adds(out, "\n");
}

/* What all records say alike is taken from the first that has it. */
static const struct facts *first_facts(const struct catalog *c)
{
    for (size_t i = c->n; i > 0; i--) {
        if (c->items[i - 1].facts)
            return c->items[i - 1].facts;
    }
    return NULL;
}

/* Those who joined it: the record that knows of the most of them. */
static const char *joined(const struct catalog *c)
{
    const char *most = NULL;

    for (size_t i = 0; i < c->n; i++) {
        const char *text = c->items[i].facts ? c->items[i].facts->joined : NULL;

        if (text && (!most || strlen(text) > strlen(most)))
            most = text;
    }
    return most;
}

static void add_why(struct buf *out, const struct catalog *c)
{
    const struct facts *f = first_facts(c);
    char time[CLOCK_RFC3339_SIZE];

    add_line(out, "begun", clock_rfc3339(c->items[c->n - 1].name.time, time));
    add_line(out, "service", c->items[0].name.service);
    add_line(out, "host", c->items[0].name.host);
    if (!f)
        return;
    add_line(out, "reason", f->reason);
    add_line(out, "rule", f->rule);
    add_line(out, "because", f->text);
    add_line(out, "joined by", joined(c));
    if (f->rule && f->has_value)
        (void)buf_addf(out, "* value: %.6g, threshold: %.6g", f->value, f->threshold);
    if (f->rule && f->has_value && f->unit) {
        (void)buf_adds(out, " ");
        add_plain(out, f->unit);
    }
    if (f->rule && f->has_value)
        (void)buf_adds(out, "\n");
}

static void add_found(struct buf *out, const struct catalog *c)
{
    for (size_t i = c->n; i-- > 0;) {
        const struct entry *e = &c->items[i];

        if (!e->facts || !e->facts->label)
            continue;
        (void)buf_addf(out, "* %s: ", kind_name(e->name.kind));
        add_plain(out, e->facts->label);
        if (e->facts->findings) {
            (void)buf_adds(out, "; findings: ");
            add_plain(out, e->facts->findings);
        }
        (void)buf_adds(out, "\n");
    }
}

/* What the records tell of a kind that the incident takes: whether it is here, and if not, why. */
static void add_missing_kind(struct buf *out, const struct catalog *c, enum kind kind)
{
    const char *why =
        "it had not ended when the last of these was kept; the log says what came of it";
    bool wanted = false;

    for (size_t i = 0; i < c->n; i++) {
        const struct facts *f = c->items[i].facts;

        if (c->items[i].name.kind == kind)
            return;
        wanted = wanted || (f && f->takes & 1u << kind);
        if (f && f->without[kind])
            why = f->without[kind];
    }
    if (!wanted)
        return;
    (void)buf_addf(out, "* missing: %s: ", kind_name(kind));
    add_plain(out, strcmp(why, "missing") == 0 ? "the service does not serve it" : why);
    (void)buf_adds(out, "\n");
}

static void add_missing(struct buf *out, const struct catalog *c)
{
    for (unsigned k = 0; k < KINDS; k++)
        add_missing_kind(out, c, (enum kind)k);
}

/* Which call makes a service fill a profile of this kind; NULL: it needs none. */
static const char *call_for(enum kind kind)
{
    if (kind == KIND_MUTEX)
        return "runtime.SetMutexProfileFraction(100)";
    return kind == KIND_BLOCK ? "runtime.SetBlockProfileRate(int(time.Millisecond))" : NULL;
}

static void add_empty(struct buf *out, const struct catalog *c)
{
    for (size_t i = c->n; i-- > 0;) {
        const struct entry *e = &c->items[i];
        const char *call = call_for(e->name.kind);

        if (call && e->facts && e->facts->has_samples && e->facts->samples == 0)
            (void)buf_addf(out,
                           "* empty: %s: nobody waited meanwhile, or the service never called %s\n",
                           kind_name(e->name.kind), call);
    }
}

/* The oldest first, in which order they were taken. */
static void add_files(struct buf *out, const struct catalog *c)
{
    (void)buf_adds(out, "\n| artifact | file | open it with |\n|---|---|---|\n");
    for (size_t i = c->n; i-- > 0;) {
        const struct entry *e = &c->items[i];
        struct parcel p;

        parcel_init(&p, e->key, -1, true, false);
        (void)buf_addf(out, "| %s | `%s` | `%s %s`%s |\n", kind_name(e->name.kind), p.path,
                       is_trace(e) ? "contrace summary" : "go tool pprof -http=:", p.path,
                       is_trace(e) ? ", `go tool trace`" : "");
        parcel_done(&p);
    }
}

static int write_text(const char *directory, const struct buf *text)
{
    _cleanup_close_ int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_close_ int fd = -1;

    if (dir < 0)
        return -errno;
    fd = openat(dir, CASEBOOK_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
    return fd < 0 ? -errno : write_all(fd, text->data, text->len);
}

int casebook_write(const char *directory, const char *incident, const struct catalog *c)
{
    struct buf text;
    int r;

    if (c->n == 0)
        return 0;
    buf_init(&text, TEXT_MAX);
    (void)buf_addf(&text, "# Incident %s\n\n", incident);
    add_why(&text, c);
    add_found(&text, c);
    add_empty(&text, c);
    add_missing(&text, c);
    add_files(&text, c);
    r = buf_error(&text);
    if (r == 0)
        r = write_text(directory, &text);
    if (r < 0)
        complain("%s/" CASEBOOK_NAME " cannot be written: %s", directory, strerror(-r));
    buf_done(&text);
    return r;
}
