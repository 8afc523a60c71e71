/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/rows/rows.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "cli/common/command.h"
#include "cli/common/screen.h"
#include "cli/find/query.h"
#include "cli/fleet/rowdir.h"
#include "cli/fleet/texts.h"

static const char intro[] =
    "Usage: contrace rows [OPTIONS]\n"
    "       contrace rows [OPTIONS] --output=DIR\n"
    "Makes rows of the records in the local spool and in the store: JSON, one line for each\n"
    "capture, finding and outlier. contraced ships the same; this makes them again.\n";

struct rows_arguments {
    const char *output;
};

static const struct argument rows[] = {
    {"output", 'o', "DIR", "write files by day and service into DIR, as in a store", argument_text,
     offsetof(struct rows_arguments, output)},
};

struct making {
    struct rowdir *dir; /* NULL: to standard output */
    const char *path;   /* its */
    usec now;
    struct buf text;
    uint64_t records, skipped;
};

static int on_record(void *userdata, const struct entry *e, const char *text, size_t n)
{
    struct making *m = userdata;
    int r;

    buf_clear(&m->text);
    r = rows_of_record(e->key, text, n, m->now, &m->text);
    if (r == -EINVAL || r == -E2BIG) {
        m->skipped++;
        return 0;
    }
    if (r < 0)
        return complain_memory();
    m->records++;
    if (!m->dir)
        return fwrite(m->text.data, 1, m->text.len, stdout) == m->text.len ? 0 : -EIO;
    r = rowdir_add(m->dir, &e->name, m->text.data, m->text.len);
    if (r < 0)
        complain("%s cannot be written: %s", m->path, strerror(-r));
    return r;
}

static int finish(struct making *m, int r)
{
    uint64_t files = 0;
    int ended;

    if (m->skipped > 0)
        complain("%" PRIu64 " records have no rows, as they are not JSON or too long", m->skipped);
    if (!m->dir)
        return r < 0 ? r : screen_finish() < 0 ? -EIO : r;
    ended = r < 0 ? 0 : rowdir_finish(m->dir, &files);
    if (ended < 0)
        complain("%s cannot be written: %s", m->path, strerror(-ended));
    if (r < 0 || ended < 0)
        return r < 0 ? r : ended;
    (void)printf("%" PRIu64 " records, %" PRIu64 " files\n", m->records, files);
    return screen_finish() < 0 ? -EIO : r;
}

/* Files of a day, a service and a host one after the other. */
static int by_key(const struct entry *a, const struct entry *b)
{
    return strcmp(a->key, b->key);
}

static int make(struct sources *s, const struct query *q, const struct selection *selection,
                const struct rows_arguments *a)
{
    struct making m = {.path = a->output, .now = clock_real()};
    struct catalog c = {0};
    int found = query_run(s, q, selection, &c), r = found < 0 ? found : 0;

    buf_init(&m.text, ROWS_MAX);
    if (r == 0 && a->output) {
        r = rowdir_open(a->output, &m.dir);
        if (r < 0)
            complain("%s cannot be written: %s", a->output, strerror(-r));
    }
    if (r == 0) {
        catalog_sort(&c, by_key, false);
        r = finish(&m, texts_read(s, &c, on_record, &m));
    }
    rowdir_free(m.dir);
    buf_done(&m.text);
    catalog_done(&c);
    return r < 0 ? r : r || found;
}

int command_rows(int argc, char **argv)
{
    struct sources_arguments where = {0};
    struct query q = {0};
    struct rows_arguments a = {0};
    const struct argument_group groups[] = {GROUP(query_rows, &q), GROUP(rows, &a),
                                            GROUP(sources_rows, &where)};
    struct selection selection;
    struct name incident;
    struct sources s;
    int rest, r = arguments_parse(argc, argv, groups, 3, intro, &rest);

    if (r != 0)
        return r < 0 ? STATUS_USAGE : STATUS_OK;
    if (rest < argc) {
        complain("rows: '%s' is not an option; --service=%s is one service", argv[rest],
                 argv[rest]);
        return STATUS_USAGE;
    }
    if (query_selection(&q, clock_real(), &incident, &selection) < 0)
        return STATUS_USAGE;
    q.with_facts = selection_needs_record(&selection);
    q.remote_facts = q.with_facts;
    r = sources_open(&s, &where);
    if (r < 0)
        return command_exit(r);
    r = make(&s, &q, &selection, &a);
    sources_close(&s);
    return command_exit(r);
}
