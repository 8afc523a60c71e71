/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/common/command.h"
#include "cli/common/screen.h"
#include "cli/find/moment.h"
#include "cli/fleet/duckdb.h"
#include "cli/fleet/fetch.h"
#include "cli/fleet/questions.h"
#include "cli/fleet/workdir.h"

static const char intro[] =
    "Usage: contrace fleet\n"
    "       contrace fleet [OPTIONS] QUESTION\n"
    "       contrace fleet [OPTIONS] --sql=SQL\n"
    "Asks the rows that all contraced of a store have shipped there. DuckDB answers: 'duckdb' must\n"
    "be on the PATH. Without a question, lists those that there are. The tables are traces,\n"
    "profiles, findings, outliers.\n";

#define USUAL_SINCE "7d"
#define SCRIPT_MAX ((size_t)1 << 20)

struct fleet_arguments {
    struct sources_arguments where;
    const char *sql, *dir, *since, *until, *service, *format;
    bool print;
};

#define FIELD(name) offsetof(struct fleet_arguments, name)

static const char *const formats[][2] = {
    {"table", "-box"}, {"csv", "-csv"}, {"json", "-json"}, {"markdown", "-markdown"}};

static const char *read_format(void *field, const char *value)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (strcmp(value, formats[i][0]) == 0) {
            *(const char **)field = formats[i][1];
            return NULL;
        }
    }
    return "table, csv, json or markdown";
}

static const struct argument rows[] = {
    {"sql", 0, "SQL", "a question of your own, one statement", argument_text, FIELD(sql)},
    {"store", 0, "URL", "the store, over the file's: s3://bucket/prefix, …", argument_text,
     FIELD(where.upload_url)},
    {"dir", 0, "DIR", "not a store: a directory, as 'contrace rows --output' writes it",
     argument_text, FIELD(dir)},
    {"since", 0, "TIME", "not older (" USUAL_SINCE "): 2h, 15:04, 2026-11-21 (UTC)", argument_text,
     FIELD(since)},
    {"until", 0, "TIME", "not newer; a day counts whole", argument_text, FIELD(until)},
    {"service", 's', "SERVICE", "of this service; may be a pattern such as 'check*'", argument_text,
     FIELD(service)},
    {"format", 0, "FORMAT", "table, csv, json or markdown", read_format, FIELD(format)},
    {"print", 0, NULL, "print the SQL instead of asking", argument_flag, FIELD(print)},
    {"config.file", 'c', "FILE", "the daemon's configuration, which names the store", argument_text,
     FIELD(where.config_file)},
    {"verbose", 'v', NULL, "say more, such as which credentials are used", argument_flag,
     FIELD(where.verbose)},
};

struct ask {
    const struct fleet_arguments *arguments;
    const char *sql;
    size_t sql_length;
    struct fetch_range range;
};

static int list_questions(void)
{
    struct question q;

    for (size_t i = 0; questions_at(i, &q); i++)
        (void)printf("  %-18.*s  %.*s\n", (int)q.name_length, q.name, (int)q.title_length, q.title);
    return screen_finish() < 0 ? STATUS_FAILED : STATUS_OK;
}

/* A text as SQL writes it. */
static void add_text(struct buf *b, const char *text)
{
    (void)buf_adds(b, "'");
    for (; *text; text++)
        (void)buf_add(b, *text == '\'' ? "\'\'" : text, *text == '\'' ? 2 : 1);
    (void)buf_adds(b, "'");
}

static void set_variable(struct buf *b, const char *name, const char *value)
{
    (void)buf_addf(b, "SET VARIABLE contrace_%s = ", name);
    add_text(b, value);
    (void)buf_adds(b, ";\n");
}

static void write_script(const struct ask *a, const char *files, struct buf *b)
{
    char time[CLOCK_RFC3339_SIZE];
    const char *tables;
    size_t n;

    set_variable(b, "rows", files);
    if (a->range.since > 0)
        set_variable(b, "since", clock_rfc3339(a->range.since, time));
    if (a->range.until != USEC_NEVER)
        set_variable(b, "until", clock_rfc3339(a->range.until, time));
    if (a->range.service)
        set_variable(b, "service", a->range.service);
    tables = questions_tables(&n);
    (void)buf_add(b, tables, n);
    (void)buf_adds(b, "\n");
    (void)buf_add(b, a->sql, a->sql_length);
    (void)buf_adds(b, "\n;\n");
}

static void complain_of_script(int r)
{
    complain(r == -ENOMEM ? "not enough memory" : "the question is too long");
}

static int complain_of_duckdb(int r)
{
    if (r == -ENOENT)
        complain("there is no duckdb on the PATH, which answers the questions: "
                 "'pip install duckdb-cli' or https://duckdb.org/install brings it; --print shows "
                 "the SQL for other engines");
    else if (r < 0 && r != -EIO) /* else it has said what is wrong */
        complain("duckdb cannot be run: %s", strerror(-r));
    return r;
}

/* The files are named from inside their directory, as a path may have what is a pattern to
 * DuckDB. */
static int answer(const struct ask *a, const struct workdir *w)
{
    const char *format = a->arguments->format ? a->arguments->format : formats[0][1];
    struct buf script;
    int r;

    buf_init(&script, SCRIPT_MAX);
    write_script(a, "*/*/*.jsonl.gz", &script);
    r = buf_error(&script);
    if (r < 0)
        complain_of_script(r);
    else
        r = complain_of_duckdb(duckdb_run(w->path, format, &script));
    buf_done(&script);
    return r;
}

static int nothing(const char *where, const struct ask *a)
{
    const char *since = a->arguments->since ? a->arguments->since : USUAL_SINCE;

    complain("there are no rows in %s, --since=%s: contraced ships them every few hours (rows in "
             "contraced.yaml(5)), and 'contrace rows --output=DIR' makes them of records now",
             where, since);
    return 1;
}

static int ask_dir(const struct ask *a)
{
    struct workdir w;
    int r = workdir_open(&w, a->arguments->dir);

    if (r < 0)
        complain("%s cannot be read: %s", a->arguments->dir, strerror(-r));
    else
        r = workdir_has_rows(&w) ? answer(a, &w) : nothing(a->arguments->dir, a);
    workdir_close(&w);
    return r;
}

static int fetch(const struct ask *a, struct sources *s, const struct workdir *w)
{
    uint64_t files, bytes;
    int r = fetch_rows(s, &a->range, w->fd, &files, &bytes);

    if (r == 0 && files == 0)
        return nothing(store_describe(s->store), a);
    if (r == 0 && a->arguments->where.verbose)
        complain("%" PRIu64 " files with rows, %" PRIu64 " bytes", files, bytes);
    return r;
}

static int ask_store(const struct ask *a)
{
    struct sources_arguments where = a->arguments->where;
    struct sources s;
    struct workdir w;
    int r;

    where.remote = true;
    r = sources_open(&s, &where);
    if (r < 0)
        return r;
    r = workdir_make(&w);
    if (r < 0)
        complain("%s cannot be made: %s", w.path, strerror(-r));
    else
        r = fetch(a, &s, &w);
    if (r == 0)
        r = answer(a, &w);
    workdir_close(&w);
    sources_close(&s);
    return r;
}

static int print_script(const struct ask *a)
{
    const char *dir = a->arguments->dir;
    struct buf script, files;
    int r;

    buf_init(&script, SCRIPT_MAX);
    buf_init(&files, SCRIPT_MAX);
    (void)buf_addf(&files, "%s/*/*/*.jsonl.gz", dir ? dir : "DIR");
    write_script(a, buf_str(&files), &script);
    r = buf_error(&files) < 0 ? buf_error(&files) : buf_error(&script);
    if (r < 0)
        complain_of_script(r);
    else
        (void)fwrite(script.data, 1, script.len, stdout);
    buf_done(&files);
    buf_done(&script);
    return r < 0 ? r : screen_finish();
}

static int set_range(const struct fleet_arguments *a, struct fetch_range *ret)
{
    const char *since = a->since ? a->since : USUAL_SINCE;
    usec now = clock_real(), other;

    *ret = (struct fetch_range){.until = USEC_NEVER, .service = a->service};
    if (moment_parse(since, now, &ret->since, &other) < 0) {
        complain("--since=%s: expected a duration back from now (2h), a time of day (15:04), a day "
                 "(2026-11-21) or RFC 3339",
                 since);
        return -EINVAL;
    }
    if (a->until && moment_parse(a->until, now, &other, &ret->until) < 0) {
        complain("--until=%s: expected the same as --since", a->until);
        return -EINVAL;
    }
    if (ret->since >= ret->until) {
        complain("--since=%s is not before --until=%s", since, a->until);
        return -EINVAL;
    }
    return 0;
}

static int choose(const struct fleet_arguments *a, const char *word, struct ask *ret)
{
    struct question q;

    if (a->dir && a->where.upload_url) {
        complain("--dir and --store exclude each other");
        return -EINVAL;
    }
    if (word && a->sql) {
        complain("either a question or --sql");
        return -EINVAL;
    }
    if (word && !questions_find(word, &q)) {
        complain("'%s' is no question; 'contrace fleet' lists them", word);
        return -EINVAL;
    }
    ret->arguments = a;
    ret->sql = word ? q.sql : a->sql;
    ret->sql_length = word ? q.sql_length : strlen(a->sql);
    return set_range(a, &ret->range);
}

int command_fleet(int argc, char **argv)
{
    struct fleet_arguments a = {0};
    const struct argument_group groups[] = {GROUP(rows, &a)};
    struct ask ask;
    int rest, r = arguments_parse(argc, argv, groups, 1, intro, &rest);

    if (r != 0)
        return r < 0 ? STATUS_USAGE : STATUS_OK;
    if (rest < argc - 1) {
        complain("fleet: one question at a time");
        return STATUS_USAGE;
    }
    if (rest == argc && !a.sql)
        return list_questions();
    if (choose(&a, rest < argc ? argv[rest] : NULL, &ask) < 0)
        return STATUS_USAGE;
    r = a.print ? print_script(&ask) : a.dir ? ask_dir(&ask) : ask_store(&ask);
    return command_exit(r == -EINVAL ? -EIO : r);
}
