/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"
#include "config.h"
#include "daemon/artifactrules.h"
#include "lib/net/listen.h"
#include "lib/config/upload_rules.h"
#include "lib/store/kinds.h"
#include "lib/yaml/text.h"

#define DEFAULT_FILE CONTRACE_SYSCONFDIR "/contrace/contraced.yaml"

static const char *without_password(const char *text)
{
    return text_word_may_be_secret(text) ? "(not shown)" : text;
}

/* An argument in a form that may be shown on a terminal, without secrets. */
static const char *shown(char *text)
{
    text_make_printable(text);
    return without_password(text);
}

/* Each of these functions takes one option. 0; 1 when the program is done (--help, --version); or
 * -EINVAL. */
static int take_config_file(struct options *o, char *value)
{
    o->config_file = value;
    return 0;
}

static int take_target(struct options *o, char *value)
{
    o->targets[o->n_targets++] = value;
    return 0;
}

static int take_storage_path(struct options *o, char *value)
{
    o->storage_path = value;
    return value[0] == '\0' ? -EINVAL : 0;
}

static int take_upload_url(struct options *o, char *value)
{
    o->upload_url = value;
    return 0;
}

static int take_interval(struct options *o, char *value)
{
    return parse_duration(value, &o->interval) < 0 || o->interval == 0 ? -EINVAL : 0;
}

static int take_seconds(struct options *o, char *value)
{
    const double max = (double)CONFIG_WINDOW_MAX / (double)USEC_PER_SEC;
    double seconds;

    if (parse_decimal(value, &seconds) < 0 || seconds > max)
        return -EINVAL;
    o->window = (usec)(seconds * (double)USEC_PER_SEC + 0.5);
    return o->window >= USEC_PER_MSEC ? 0 : -EINVAL;
}

static int take_once(struct options *o, char *value)
{
    (void)value;
    o->once = true;
    return 0;
}

/* Prints its own error message. */
static int take_listen(struct options *o, char *value)
{
    struct listen_list list;
    const char *why;

    if (listen_parse_list(value, &list, &why) < 0) {
        (void)fprintf(stderr, "contraced: --web.listen-address=%s %s\n", shown(value), why);
        return -EINVAL;
    }
    o->listen_address = value;
    return 0;
}

static int take_check_config(struct options *o, char *value)
{
    (void)value;
    o->check_config = true;
    return 0;
}

static int take_probe(struct options *o, char *value)
{
    (void)value;
    o->probe = true;
    return 0;
}

static int take_log_level(struct options *o, char *value)
{
    o->has_log_level = true;
    return log_level_parse(value, &o->log_level);
}

static int take_log_format(struct options *o, char *value)
{
    o->has_log_format = true;
    return log_format_parse(value, &o->log_format);
}

static int print_version(struct options *o, char *value)
{
    (void)o;
    (void)value;
    (void)printf("contraced %s\n", PACKAGE_VERSION);
    return 1;
}

static int print_help(struct options *o, char *value);

static const struct row {
    const char *name;
    char letter;       /* or 0 */
    const char *value; /* placeholder in the help; NULL: the option takes no value */
    const char *help;
    int (*take)(struct options *o, char *value);
    /* What an error message names as expected; NULL: `take` prints its own. */
    const char *expected;
} rows[] = {
    {"config.file", 'c', "FILE", "read this file (" DEFAULT_FILE ")", take_config_file, NULL},
    {"target", 't', "[SERVICE=]URL", "capture this; may be repeated; needs no file", take_target,
     NULL},
    {"storage.path", 0, "DIR", "keep traces here (/var/lib/contrace)", take_storage_path,
     "a directory"},
    {"upload.url", 0, "URL", "upload traces there: s3://, gs://, az://, https://, file://",
     take_upload_url, NULL},
    {"interval", 0, "DURATION", "time between two captures of a target (5m)", take_interval,
     "a duration such as 5m or 30s"},
    {"seconds", 0, "N", "length of a trace (2)", take_seconds,
     "a number of seconds such as 2 or 1.9"},
    {"once", 0, NULL, "capture every target once and exit: 0 all well, 1 some failed", take_once,
     NULL},
    {"web.listen-address", 0, "ADDR",
     "status page, metrics and API: 127.0.0.1:7465, unix:/PATH, off", take_listen, NULL},
    {"check-config", 0, NULL, "say what is wrong with the configuration: exit 0 or 1",
     take_check_config, NULL},
    {"probe", 0, NULL, "with --check-config: ask the targets for the metrics that rules want",
     take_probe, NULL},
    {"log.level", 0, "LEVEL", "error, warn, info or debug (info)", take_log_level,
     "error, warn, info or debug"},
    {"log.format", 0, "FORMAT", "text, json or journal (the journal's if stderr is the journal)",
     take_log_format, "text, json, journal or auto"},
    {"version", 0, NULL, "print the version", print_version, NULL},
    {"help", 'h', NULL, "print this", print_help, NULL},
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))
#define CODE_FIRST 256 /* getopt's code of a row is this plus the row's index */
#define HELP_COLUMN 26

static int print_help(struct options *o, char *value)
{
    (void)o;
    (void)value;
    (void)fputs("Usage: contraced [OPTIONS]\n"
                "Keeps a rolling record of Go execution traces of running services.\n\n",
                stdout);
    for (size_t i = 0; i < N_ROWS; i++) {
        const struct row *row = &rows[i];
        char letter[5] = "    ", left[64];

        if (row->letter)
            (void)snprintf(letter, sizeof(letter), "-%c, ", row->letter);
        (void)snprintf(left, sizeof(left), "%s--%s%s%s", letter, row->name, row->value ? "=" : "",
                       row->value ? row->value : "");
        (void)printf("  %-*s  %s\n", HELP_COLUMN, left, row->help);
    }
    (void)fputs(
        "\n"
        "Signals: USR1 makes incidents, USR2 suspends and resumes, HUP reloads, TERM stops.\n"
        "See contraced(8) and contraced.yaml(5).\n",
        stdout);
    return 1;
}

static int apply(struct options *o, int code)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        int r;

        if (code != CODE_FIRST + (int)i && (!rows[i].letter || code != rows[i].letter))
            continue;
        r = rows[i].take(o, optarg);
        if (r < 0 && rows[i].expected)
            (void)fprintf(stderr, "contraced: --%s=%s: expected %s\n", rows[i].name, shown(optarg),
                          rows[i].expected);
        return r < 0 ? -EINVAL : r;
    }
    (void)fputs("Try 'contraced --help'.\n", stderr);
    return -EINVAL;
}

/* Converts the rows for getopt_long(3). */
static void list_options(struct option longs[N_ROWS + 1], char letters[2 * N_ROWS + 1])
{
    size_t n = 0;

    for (size_t i = 0; i < N_ROWS; i++) {
        longs[i] = (struct option){rows[i].name, rows[i].value ? required_argument : no_argument,
                                   NULL, CODE_FIRST + (int)i};
        if (rows[i].letter)
            letters[n++] = rows[i].letter;
        if (rows[i].letter && rows[i].value)
            letters[n++] = ':';
    }
    longs[N_ROWS] = (struct option){0};
    letters[n] = '\0';
}

int options_parse(int argc, char **argv, struct options *ret)
{
    struct option longs[N_ROWS + 1];
    char letters[2 * N_ROWS + 1];
    struct options o = {0};
    int code, r = 0;

    list_options(longs, letters);
    o.targets = calloc((size_t)argc, sizeof(char *));
    if (!o.targets) {
        (void)fputs("contraced: not enough memory\n", stderr);
        return -EINVAL;
    }
    while (r == 0 && (code = getopt_long(argc, argv, letters, longs, NULL)) >= 0)
        r = apply(&o, code);
    if (r == 0 && o.probe && !o.check_config) {
        (void)fputs("contraced: --probe goes with --check-config\n", stderr);
        r = -EINVAL;
    }
    if (r == 0 && optind < argc) {
        const char *text = shown(argv[optind]);

        (void)fprintf(stderr,
                      "contraced: '%s' is not an option; a target is given as --target=%s\n", text,
                      text);
        r = -EINVAL;
    }
    if (r != 0) {
        options_done(&o);
        return r;
    }
    *ret = o;
    return 0;
}

void options_done(struct options *o)
{
    free(o->targets);
    o->targets = NULL;
    o->n_targets = 0;
}

/* The configuration file to read; NULL when targets are given and no file. */
static const char *file_of(const struct options *o)
{
    if (o->config_file)
        return o->config_file;
    return o->n_targets > 0 ? NULL : DEFAULT_FILE;
}

static int set_storage_path(struct config *c, const char *path)
{
    char *absolute = NULL, *cwd;

    if (path[0] == '/') {
        absolute = strdup(path);
    } else {
        cwd = getcwd(NULL, 0);
        if (cwd && asprintf(&absolute, "%s/%s", cwd, path) < 0)
            absolute = NULL;
        free(cwd);
    }
    if (!absolute)
        return -ENOMEM;
    free(c->storage.path);
    c->storage.path = absolute;
    return 0;
}

/*
 * If the file's timeout no longer fits between window and interval, the default is used.
 */
static void fit_timeout(usec interval, usec window, usec *timeout)
{
    if (*timeout <= window || *timeout > interval)
        *timeout = 0;
}

static void lay_times(const struct options *o, struct config *c)
{
    if (o->interval == 0 && o->window == 0)
        return;
    if (o->interval > 0)
        c->interval = o->interval;
    if (o->window > 0)
        c->window = o->window;
    fit_timeout(c->interval, c->window, &c->timeout);
    for (size_t i = 0; i < c->n_jobs; i++) {
        struct job_config *job = &c->jobs[i];

        if (o->interval > 0)
            job->own.interval = 0;
        if (o->window > 0)
            job->own.window = 0;
        fit_timeout(job->own.interval ? job->own.interval : c->interval,
                    job->own.window ? job->own.window : c->window, &job->own.timeout);
    }
}

static int lay_listen(struct config *c, const char *text)
{
    char *copy = strdup(text);

    if (!copy)
        return -ENOMEM;
    free(c->web.listen_address);
    c->web.listen_address = copy;
    return 0;
}

static int overlay(const struct options *o, struct config *c, struct diags *d)
{
    if (o->storage_path && set_storage_path(c, o->storage_path) < 0)
        return -ENOMEM;
    if (o->upload_url && config_set_upload_url(c, o->upload_url) < 0)
        return -ENOMEM;
    if (o->listen_address && lay_listen(c, o->listen_address) < 0)
        return -ENOMEM;
    lay_times(o, c);
    if (o->has_log_level)
        c->log_level = o->log_level;
    if (o->has_log_format)
        c->log_format = o->log_format;
    for (size_t i = 0; i < o->n_targets; i++) {
        const char *why = NULL;
        int r = config_add_target(c, o->targets[i], &why);

        if (r == -ENOMEM)
            return r;
        if (r < 0)
            diags_add(d, NULL, 0, 0, NULL, "--target=%s: %s", without_password(o->targets[i]), why);
    }
    return 0;
}

/* Lets the store check its own URL. An error is reported at the URL's line, if it is in the
 * file. */
static int check_store(const struct upload_config *u, const char *file, struct diags *d)
{
    char why[STORE_TEXT_MAX] = "";
    int r = u->url ? store_check(u, why) : 0;

    if (r < 0 && r != -ENOMEM)
        diags_add(d, u->url_line > 0 ? file : NULL, u->url_line, u->url_column, NULL, "upload: %s",
                  why);
    return r;
}

/* Checks the rules of file and options first. Only if they hold is the store asked. */
static int check(const struct options *o, struct config *c, const char *file, struct diags *d)
{
    int r = diags_count(d) == 0 ? config_check(c, o->once, d) : 0;

    if (r == 0 && diags_count(d) > 0)
        r = -EINVAL;
    if (r == 0)
        r = artifact_rules(c, o->once, file, d);
    return r == 0 ? check_store(&c->upload, file, d) : r;
}

int options_load(const struct options *o, struct config **ret, const char **ret_file,
                 struct diags *d)
{
    const char *file = file_of(o);
    struct config *c = NULL;
    int r;

    if (file) {
        if (!o->config_file && access(file, F_OK) < 0 && errno == ENOENT) {
            diags_add(d, NULL, 0, 0, NULL,
                      "nothing to capture: there is no %s; write one or give --target=URL", file);
            return -ENOENT;
        }
        r = config_load(file, &c, d);
        if (r < 0)
            return r;
    } else {
        c = config_new();
        if (!c)
            return -ENOMEM;
    }
    r = overlay(o, c, d);
    if (r == 0)
        r = check(o, c, file, d);
    if (r < 0) {
        config_free(c);
        return r;
    }
    *ret = c;
    *ret_file = file;
    return 0;
}
