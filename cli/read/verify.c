/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/parse.h"
#include "cli/common/arguments.h"
#include "cli/common/command.h"
#include "cli/common/quantity.h"
#include "cli/common/screen.h"
#include "cli/read/outfile.h"
#include "cli/read/soundness.h"
#include "cli/read/tracefile.h"
#include "trace/gotrace.h"

static const char intro[] =
    "Usage: contrace verify FILE...\n"
    "       contrace verify --salvage=OUT [--force] FILE\n"
    "Reads Go execution traces to their ends and says of each whether it is complete; '-' is the\n"
    "standard input.\n";

#define LINE_MAX_BYTES (32u << 10) /* room for an escaped path and the verdict */

struct verify_arguments {
    const char *salvage;
    bool force;
};

#define FIELD(name) offsetof(struct verify_arguments, name)

static const struct argument rows[] = {
    {"salvage", 'o', "OUT", "write the generations that are whole here", argument_text,
     FIELD(salvage)},
    {"force", 'f', NULL, "replace OUT if there is one", argument_flag, FIELD(force)},
};

/* Receives the whole part while the file is read. */
struct salvage {
    struct landing landing;
    int error; /* the negative errno of the first write that failed; 0: none */
};

static void add_kept(struct buf *line, const struct soundness *s)
{
    if (s->kept_generations == 0)
        (void)buf_adds(line, "; nothing before it is whole");
    else
        (void)buf_addf(line, "; whole before it: %" PRIu64 " generation%s, %" PRIu64 " bytes",
                       s->kept_generations, quantity_plural(s->kept_generations), s->kept_bytes);
}

static void add_place(struct buf *line, const struct soundness *s)
{
    (void)buf_addf(line, "contradicts itself at byte %" PRIu64, s->offset);
    if (s->generation > 0)
        (void)buf_addf(line, ", generation %" PRIu64, s->generation);
    if (s->thread != GOTRACE_NONE)
        (void)buf_addf(line, ", thread %" PRId64, s->thread);
    (void)buf_adds(line, ": ");
    buf_add_escaped(line, s->text, strlen(s->text));
    add_kept(line, s);
}

static void add_verdict(struct buf *line, const struct soundness *s)
{
    char size[PARSE_TEXT_SIZE];

    switch (s->verdict) {
    case SOUND_COMPLETE:
        (void)buf_addf(line, "complete: go 1.%u, %" PRIu64 " generation%s, %s", s->go_minor,
                       s->kept_generations, quantity_plural(s->kept_generations),
                       format_size(s->kept_bytes, size));
        if (s->misnested > 0)
            (void)buf_addf(line,
                           "; the program ends %" PRIu64 " region%s in the wrong order, where "
                           "Go's own reader stops",
                           s->misnested, quantity_plural(s->misnested));
        break;
    case SOUND_TRUNCATED:
        (void)buf_addf(line, "truncated at byte %" PRIu64 ": %s", s->offset, s->text);
        add_kept(line, s);
        break;
    case SOUND_CONTRADICTION: add_place(line, s); break;
    case SOUND_NOT_A_TRACE:
        (void)buf_addf(line, "not a trace: %s", s->text);
        if (s->n_begins > 0) {
            (void)buf_adds(line, "; begins with \"");
            buf_add_escaped(line, s->begins, s->n_begins);
            (void)buf_adds(line, "\"");
        }
        break;
    case SOUND_OLD_FORMAT: (void)buf_addf(line, "old format: %s", s->text); break;
    case SOUND_UNKNOWN_FORMAT: (void)buf_addf(line, "unknown format: %s", s->text); break;
    case SOUND_TOO_LARGE:
        (void)buf_addf(line, "too large to check: %s, at byte %" PRIu64, s->text, s->offset);
        add_kept(line, s);
        break;
    }
}

/* 0, or a negative errno after a message. */
static int print_line(const char *path, const struct soundness *s)
{
    const char *called = tracefile_called(path);
    struct buf line;
    int r;

    buf_init(&line, LINE_MAX_BYTES);
    buf_add_escaped(&line, called, strlen(called));
    (void)buf_adds(&line, ": ");
    add_verdict(&line, s);
    r = buf_error(&line);
    if (r < 0)
        complain("%s: %s", called, strerror(-r));
    else
        (void)puts(buf_str(&line));
    buf_done(&line);
    return r;
}

static void salvage_bytes(void *userdata, const void *data, size_t n)
{
    struct salvage *s = userdata;

    if (s->error == 0)
        s->error = landing_write(&s->landing, data, n);
}

static int salvage_begin(struct salvage *s, const struct verify_arguments *a)
{
    s->error = 0;
    return outfile_begin(&s->landing, a->salvage, a->force);
}

/* Cuts what was written behind the last whole generation before the file gets its name. */
static int salvage_finish(struct salvage *s, uint64_t kept, bool replace)
{
    if (s->error < 0)
        return s->error;
    if (ftruncate(s->landing.fd, (off_t)kept) < 0)
        return -errno;
    return landing_finish(&s->landing, replace);
}

/* 0: complete; 1: not, and said so; a negative errno after a message. */
static int verify(const char *path, const struct framing_sink *sink, struct soundness *ret)
{
    _cleanup_close_ int fd = tracefile_open(path);
    int r = fd < 0 ? fd : soundness_check(fd, sink, ret);

    if (r < 0) {
        complain("%s: %s", tracefile_called(path), strerror(-r));
        return r;
    }
    r = print_line(path, ret);
    return r < 0 ? r : ret->verdict != SOUND_COMPLETE;
}

static int verify_and_salvage(const char *path, const struct verify_arguments *a)
{
    struct salvage s;
    struct framing_sink sink = {.bytes = salvage_bytes, .userdata = &s};
    struct soundness found;
    int saved = salvage_begin(&s, a), r;

    if (saved < 0)
        return outfile_complain(a->salvage, saved);
    r = verify(path, &sink, &found);
    if (r >= 0 && (found.kept_generations == 0 || found.kept_bytes == 0)) {
        complain("%s: there is nothing to salvage", tracefile_called(path));
        r = -ENODATA;
    } else if (r >= 0) {
        saved = salvage_finish(&s, found.kept_bytes, a->force);
        if (saved < 0)
            r = outfile_complain(a->salvage, saved);
    }
    landing_done(&s.landing);
    return r;
}

int command_verify(int argc, char **argv)
{
    struct verify_arguments a = {0};
    const struct argument_group groups[] = {GROUP(rows, &a)};
    int rest, worst = 0, r = arguments_parse(argc, argv, groups, 1, intro, &rest);

    if (r != 0)
        return r < 0 ? STATUS_USAGE : STATUS_OK;
    if (rest == argc || (a.salvage && argc - rest > 1) || (a.force && !a.salvage)) {
        complain(rest == argc ? "verify: which file?"
                 : a.salvage  ? "verify: --salvage takes one file"
                              : "verify: --force says to replace what --salvage names");
        return STATUS_USAGE;
    }
    tracefile_may_go_away();
    for (int i = rest; i < argc; i++) {
        struct soundness found;

        r = a.salvage ? verify_and_salvage(argv[i], &a) : verify(argv[i], NULL, &found);
        worst = r != 0 ? 1 : worst;
    }
    return screen_finish() < 0 || worst ? STATUS_FAILED : STATUS_OK;
}
