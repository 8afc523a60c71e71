/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/settings/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"
#include "config.h"
#include "lib/config/listen.h"
#include "lib/yaml/text.h"

#define DEFAULT_FILE CONTRACE_SYSCONFDIR "/contrace/contraced.yaml"

enum {
    OPT_STORAGE_PATH = 256,
    OPT_UPLOAD_URL,
    OPT_LISTEN,
    OPT_INTERVAL,
    OPT_SECONDS,
    OPT_ONCE,
    OPT_CHECK_CONFIG,
    OPT_LOG_LEVEL,
    OPT_LOG_FORMAT,
    OPT_VERSION,
};

static const struct option long_options[] = {
    {"config.file", required_argument, NULL, 'c'},
    {"target", required_argument, NULL, 't'},
    {"storage.path", required_argument, NULL, OPT_STORAGE_PATH},
    {"upload.url", required_argument, NULL, OPT_UPLOAD_URL},
    {"interval", required_argument, NULL, OPT_INTERVAL},
    {"seconds", required_argument, NULL, OPT_SECONDS},
    {"web.listen-address", required_argument, NULL, OPT_LISTEN},
    {"once", no_argument, NULL, OPT_ONCE},
    {"check-config", no_argument, NULL, OPT_CHECK_CONFIG},
    {"log.level", required_argument, NULL, OPT_LOG_LEVEL},
    {"log.format", required_argument, NULL, OPT_LOG_FORMAT},
    {"version", no_argument, NULL, OPT_VERSION},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static const char help[] =
    "Usage: contraced [OPTIONS]\n"
    "Keeps a rolling record of Go execution traces of running services.\n"
    "\n"
    "  -c, --config.file=FILE      read this file (" DEFAULT_FILE ")\n"
    "  -t, --target=[SERVICE=]URL  capture this; may be repeated; needs no file\n"
    "      --storage.path=DIR      keep traces here (/var/lib/contrace)\n"
    "      --upload.url=URL        upload traces there: s3://, gs://, az://, https://, file://\n"
    "      --interval=DURATION     time between two captures of a target (5m)\n"
    "      --seconds=N             length of a trace (2)\n"
    "      --once                  capture every target once and exit: 0 all well, 1 some failed\n"
    "      --web.listen-address=ADDR   status page, metrics and API: 127.0.0.1:7465, unix:/PATH, off\n"
    "      --check-config          say what is wrong with the configuration: exit 0 or 1\n"
    "      --log.level=LEVEL       error, warn, info or debug (info)\n"
    "      --log.format=FORMAT     text, json or journal (the journal's if stderr is the journal)\n"
    "      --version               print the version\n"
    "  -h, --help                  print this\n"
    "\n"
    "Signals: USR1 captures now, USR2 suspends and resumes, HUP reloads, TERM stops.\n"
    "See contraced(8) and contraced.yaml(5).\n";

static const char *without_password(const char *text)
{
    return text_word_may_be_secret(text) ? "(not shown)" : text;
}

/* An argument as it may be quoted on a terminal. */
static const char *shown(char *text)
{
    text_make_printable(text);
    return without_password(text);
}

static int usage_error(const char *option, char *value, const char *expected)
{
    (void)fprintf(stderr, "contraced: %s=%s: expected %s\n", option, shown(value), expected);
    return -EINVAL;
}

static int parse_seconds(const char *text, usec *ret)
{
    const double max = (double)CONFIG_WINDOW_MAX / (double)USEC_PER_SEC;
    double seconds;

    if (parse_decimal(text, &seconds) < 0 || seconds > max)
        return -EINVAL;
    *ret = (usec)(seconds * (double)USEC_PER_SEC + 0.5);
    return *ret >= USEC_PER_MSEC ? 0 : -EINVAL;
}

static int set_listen(struct options *o, char *text)
{
    struct listen_list list;
    const char *why;

    if (listen_parse_list(text, &list, &why) < 0) {
        (void)fprintf(stderr, "contraced: --web.listen-address=%s %s\n", shown(text), why);
        return -EINVAL;
    }
    o->listen_address = text;
    return 0;
}

/* One option. 0, 1 when all is done, or -EINVAL. */
static int apply(struct options *o, int opt)
{
    switch (opt) {
    case 'c': o->config_file = optarg; return 0;
    case 't': o->targets[o->n_targets++] = optarg; return 0;
    case OPT_STORAGE_PATH:
        o->storage_path = optarg;
        return optarg[0] == '\0' ? usage_error("--storage.path", optarg, "a directory") : 0;
    case OPT_UPLOAD_URL: o->upload_url = optarg; return 0;
    case OPT_LISTEN: return set_listen(o, optarg);
    case OPT_INTERVAL:
        if (parse_duration(optarg, &o->interval) < 0 || o->interval == 0)
            return usage_error("--interval", optarg, "a duration such as 5m or 30s");
        return 0;
    case OPT_SECONDS:
        if (parse_seconds(optarg, &o->window) < 0)
            return usage_error("--seconds", optarg, "a number of seconds such as 2 or 1.9");
        return 0;
    case OPT_ONCE: o->once = true; return 0;
    case OPT_CHECK_CONFIG: o->check_config = true; return 0;
    case OPT_LOG_LEVEL:
        o->has_log_level = true;
        if (log_level_parse(optarg, &o->log_level) < 0)
            return usage_error("--log.level", optarg, "error, warn, info or debug");
        return 0;
    case OPT_LOG_FORMAT:
        o->has_log_format = true;
        if (log_format_parse(optarg, &o->log_format) < 0)
            return usage_error("--log.format", optarg, "text, json, journal or auto");
        return 0;
    case OPT_VERSION: (void)printf("contraced %s\n", PACKAGE_VERSION); return 1;
    case 'h': (void)fputs(help, stdout); return 1;
    default: (void)fputs("Try 'contraced --help'.\n", stderr); return -EINVAL;
    }
}

int options_parse(int argc, char **argv, struct options *ret)
{
    struct options o = {0};
    int opt, r = 0;

    o.targets = calloc((size_t)argc, sizeof(char *));
    if (!o.targets) {
        (void)fputs("contraced: not enough memory\n", stderr);
        return -EINVAL;
    }
    while (r == 0 && (opt = getopt_long(argc, argv, "c:t:h", long_options, NULL)) >= 0)
        r = apply(&o, opt);
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

/* The file that is to be read; NULL when targets alone say what to do. */
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
 * A timeout of the file that no longer fits between window and interval gives way to the default.
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
    if (r == 0 && diags_count(d) == 0)
        r = config_check(c, o->once, d);
    if (r == 0 && diags_count(d) > 0)
        r = -EINVAL;
    if (r < 0) {
        config_free(c);
        return r;
    }
    *ret = c;
    *ret_file = file;
    return 0;
}
