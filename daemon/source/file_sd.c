/* SPDX-License-Identifier: Apache-2.0 */

/*
 * file_sd_configs: targets from Prometheus's file_sd files. The directories are watched by inotify,
 * and read again every refresh_interval for file systems without inotify events (NFS). A new file
 * adds its targets, a removed file drops them, and a broken file keeps its last good targets. Files
 * that stay keep their last good targets across reloads.
 */

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "daemon/source/dirwatch.h"
#include "daemon/source/target_source.h"
#include "lib/config/filesd.h"

/*
 * From a change of a directory until it is read. Editors and config map updates make several
 * changes in a row.
 */
#define SETTLE (200 * USEC_PER_MSEC)
#define FILES_MAX 10000 /* files that one pattern may match */

/* After an error everything is read again after this time, then less and less often, but at least
 * every refresh_interval. */
#define AGAIN_FIRST USEC_PER_SEC

/* A file that a pattern matched, with its last good targets. */
struct file {
    char *path;
    struct target_list targets;
    bool good;   /* it was read without errors at least once */
    bool broken; /* the log says that it is broken */
    bool marked;
};

struct pattern {
    char *job; /* by name: another configuration may have another order */
    char *glob;
    /* What the log has said: its directory cannot be read; no file matches; too many files
     * match. */
    bool unseen, empty, many;
};

struct file_sd {
    struct target_source_context context;
    struct pattern *patterns;
    size_t n_patterns;
    struct file *files; /* in the order in which they were found */
    size_t n_files;
    struct dirwatch watches;
    sd_event_source *settle, *refresh;
    usec refresh_interval; /* the shortest of all jobs; USEC_NEVER without patterns */
    bool failed;           /* something could not be read or watched when all was last read */
    unsigned failures;     /* how often in a row that has happened */
};

static void file_done(struct file *f)
{
    free(f->path);
    target_list_done(&f->targets);
}

static struct file *file_find(struct file_sd *d, const char *path)
{
    for (size_t i = 0; i < d->n_files; i++) {
        if (strcmp(d->files[i].path, path) == 0)
            return &d->files[i];
    }
    return NULL;
}

static struct file *file_add(struct file_sd *d, const char *path)
{
    struct file *files = reallocarray(d->files, d->n_files + 1, sizeof(*files));
    char *copy = strdup(path);

    if (files)
        d->files = files;
    if (!files || !copy) {
        free(copy);
        return NULL;
    }
    files[d->n_files] = (struct file){.path = copy};
    return &files[d->n_files++];
}

static void say_broken(const struct file *f, struct diags *diags)
{
    _cleanup_free_ char *text = diags_brief(diags);

    log_warn("file_sd %s is broken, %s: %s", f->path,
             f->good ? "its last good targets stay" : "it adds no targets",
             text ? text : strerror(ENOMEM));
}

/* Reads one file again. Logs once that it is broken, and when it is good again. */
static void file_read(struct file_sd *d, struct file *f)
{
    struct target_list fresh = {0};
    struct diags diags = {0};
    int r = filesd_load(f->path, &fresh, &diags);

    /* A wrong or too long text is no reason to try again soon: inotify tells when the file is
     * written again. */
    d->failed = d->failed || (r < 0 && r != -EINVAL && r != -E2BIG);
    if (r == 0) {
        target_list_done(&f->targets);
        f->targets = fresh;
        if (f->broken)
            log_info("file_sd %s is good again: %zu target%s", f->path, f->targets.n,
                     f->targets.n == 1 ? "" : "s");
        f->broken = false;
        f->good = true;
    } else if (!f->broken) {
        f->broken = true;
        say_broken(f, &diags);
    }
    diags_done(&diags);
}

static bool matches(const char *pattern, const char *path)
{
    return fnmatch(pattern, path, FNM_PATHNAME | FNM_PERIOD) == 0;
}

/* The directory of a pattern, new; NULL without memory. Prometheus allows a wildcard only in the
 * last component. */
static char *directory_of(const char *pattern)
{
    const char *slash = strrchr(pattern, '/');

    if (!slash)
        return strdup(".");
    return slash == pattern ? strdup("/") : strndup(pattern, (size_t)(slash - pattern));
}

/* True if the directory can be read, or is gone itself: only then does "no file matches" mean that
 * files are gone. Otherwise, with no free descriptor, all targets would seem to be gone. */
static bool can_look(const char *pattern)
{
    _cleanup_free_ char *directory = directory_of(pattern);
    DIR *dir = directory ? opendir(directory) : NULL;

    if (!dir)
        return directory && (errno == ENOENT || errno == ENOTDIR);
    (void)closedir(dir);
    return true;
}

/* Keeps the files that are known for this pattern. Logs that once, until the pattern can be read
 * again. */
static void keep_pattern(struct file_sd *d, struct pattern *p)
{
    if (!p->unseen)
        log_warn("file_sd %s cannot be looked for now, its last targets stay", p->glob);
    p->unseen = true;
    d->failed = true;
    for (size_t i = 0; i < d->n_files; i++) {
        if (matches(p->glob, d->files[i].path))
            d->files[i].marked = true;
    }
}

static void read_found(struct file_sd *d, const char *path)
{
    struct file *f = file_find(d, path);

    if (!f)
        f = file_add(d, path);
    if (!f) {
        d->failed = true;
        log_error("file_sd %s: not enough memory, not read", path);
        return;
    }
    if (!f->marked)
        file_read(d, f);
    f->marked = true;
}

/* Logs if no file or too many files match; again only after that has changed. */
static void say_matches(struct pattern *p, size_t n)
{
    if (n == 0 && !p->empty)
        log_info("file_sd %s matches no file: its targets come with one", p->glob);
    if (n > FILES_MAX && !p->many)
        log_warn("file_sd %s matches %zu files: only %d are read", p->glob, n, FILES_MAX);
    p->empty = n == 0;
    p->many = n > FILES_MAX;
}

static void read_pattern(struct file_sd *d, struct pattern *p)
{
    glob_t found = {0};
    int r = glob(p->glob, GLOB_NOSORT, NULL, &found);

    if (r == 0 || (r == GLOB_NOMATCH && can_look(p->glob)))
        p->unseen = false;
    else
        keep_pattern(d, p);
    if (!p->unseen)
        say_matches(p, r == 0 ? found.gl_pathc : 0);
    for (size_t i = 0; r == 0 && i < found.gl_pathc && i < FILES_MAX; i++)
        read_found(d, found.gl_pathv[i]);
    globfree(&found);
}

/* Reads all files again and forgets those that are gone. */
static void read_all(struct file_sd *d)
{
    size_t kept = 0;

    for (size_t i = 0; i < d->n_patterns; i++)
        read_pattern(d, &d->patterns[i]);
    for (size_t i = 0; i < d->n_files; i++) {
        struct file f = d->files[i];

        if (!f.marked) {
            log_info("file_sd %s is gone, with its %zu target%s", f.path, f.targets.n,
                     f.targets.n == 1 ? "" : "s");
            file_done(&f);
            continue;
        }
        f.marked = false;
        d->files[kept++] = f;
    }
    d->n_files = kept;
}

static int arm(sd_event_source *source, usec relative)
{
    int r = sd_event_source_set_time_relative(source, relative);

    return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static void watch_directories(struct file_sd *d);

static usec next_look(struct file_sd *d)
{
    const struct backoff backoff = {.base = AGAIN_FIRST, .cap = d->refresh_interval};

    d->failures = d->failed ? d->failures + 1 : 0;
    return d->failed ? backoff_ceiling(&backoff, d->failures - 1) : d->refresh_interval;
}

static void look(struct file_sd *d)
{
    (void)sd_event_source_set_enabled(d->settle, SD_EVENT_OFF);
    d->failed = false;
    watch_directories(d);
    read_all(d);
    if (d->refresh_interval != USEC_NEVER)
        (void)arm(d->refresh, next_look(d));
    else
        (void)sd_event_source_set_enabled(d->refresh, SD_EVENT_OFF);
}

static int on_due(sd_event_source *s, uint64_t now, void *userdata)
{
    struct file_sd *d = userdata;

    (void)s;
    (void)now;
    look(d);
    d->context.changed(d->context.userdata);
    return 0;
}

/* Called for each change in a watched directory. */
static void on_touched(void *userdata)
{
    struct file_sd *d = userdata;

    (void)arm(d->settle, SETTLE);
}

static int watch(struct file_sd *d, const char *pattern)
{
    _cleanup_free_ char *directory = directory_of(pattern);

    return directory ? dirwatch_add(&d->watches, directory) : -ENOMEM;
}

/* Watches the directories of all patterns. A directory that does not exist yet is tried again at
 * each refresh. */
static void watch_directories(struct file_sd *d)
{
    dirwatch_clear(&d->watches);
    for (size_t i = 0; i < d->n_patterns; i++) {
        int r = watch(d, d->patterns[i].glob);

        d->failed = d->failed || (r < 0 && r != -ENOENT && r != -ENOTDIR);
        if (r < 0)
            log_debug("file_sd %s cannot be watched (%s), it is read at each refresh_interval",
                      d->patterns[i].glob, strerror(-r));
    }
}

static void file_sd_free(void *state);

static int file_sd_new(const struct target_source_context *context, void **ret)
{
    struct file_sd *d = calloc(1, sizeof(*d));
    int r;

    if (!d)
        return -ENOMEM;
    d->context = *context;
    dirwatch_init(&d->watches, context->event, on_touched, d);
    d->refresh_interval = USEC_NEVER;
    r = sd_event_add_time(context->event, &d->settle, CLOCK_BOOTTIME, 0, 0, on_due, d);
    if (r >= 0)
        r = sd_event_source_set_enabled(d->settle, SD_EVENT_OFF);
    if (r >= 0)
        r = sd_event_add_time(context->event, &d->refresh, CLOCK_BOOTTIME, 0, USEC_PER_SEC, on_due,
                              d);
    if (r >= 0)
        r = sd_event_source_set_enabled(d->refresh, SD_EVENT_OFF);
    if (r < 0) {
        file_sd_free(d);
        return r;
    }
    *ret = d;
    return 0;
}

static void patterns_free(struct pattern *patterns, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(patterns[i].job);
        free(patterns[i].glob);
    }
    free(patterns);
}

static void file_sd_free(void *state)
{
    struct file_sd *d = state;

    dirwatch_clear(&d->watches);
    for (size_t i = 0; i < d->n_files; i++)
        file_done(&d->files[i]);
    free(d->files);
    patterns_free(d->patterns, d->n_patterns);
    sd_event_source_disable_unref(d->settle);
    sd_event_source_disable_unref(d->refresh);
    free(d);
}

static int collect_patterns(const struct config *config, struct pattern **ret, size_t *ret_n,
                            usec *ret_refresh)
{
    struct pattern *patterns;
    usec refresh = USEC_NEVER;
    size_t n = 0, total = 0;

    for (size_t j = 0; j < config->n_jobs; j++)
        total += config->jobs[j].n_file_sd;
    patterns = calloc(total + 1, sizeof(*patterns));
    if (!patterns)
        return -ENOMEM;
    for (size_t j = 0; j < config->n_jobs; j++) {
        for (size_t i = 0; i < config->jobs[j].n_file_sd; i++) {
            struct pattern *p = &patterns[n++];

            p->job = strdup(config->jobs[j].name);
            p->glob = strdup(config->jobs[j].file_sd[i]);
            if (!p->job || !p->glob) {
                patterns_free(patterns, n);
                return -ENOMEM;
            }
        }
        if (config->jobs[j].n_file_sd > 0 && config->jobs[j].file_sd_refresh < refresh)
            refresh = config->jobs[j].file_sd_refresh;
    }
    *ret = patterns;
    *ret_n = n;
    *ret_refresh = refresh;
    return 0;
}

static int file_sd_set(void *state, const struct config *config)
{
    struct file_sd *d = state;
    struct pattern *patterns;
    size_t n;
    usec refresh;
    int r = collect_patterns(config, &patterns, &n, &refresh);

    if (r < 0)
        return r;
    patterns_free(d->patterns, d->n_patterns);
    d->patterns = patterns;
    d->n_patterns = n;
    d->refresh_interval = refresh;
    look(d);
    return 0;
}

static int append_pattern(struct file_sd *d, const char *pattern, struct target_sink *to)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < d->n_files; i++) {
        if (matches(pattern, d->files[i].path))
            r = target_sink_put_list(to, &d->files[i].targets, "__meta_filepath", d->files[i].path);
    }
    return r;
}

static int file_sd_targets(void *state, const struct config *config, size_t i,
                           struct target_sink *to)
{
    struct file_sd *d = state;
    int r = 0;

    for (size_t p = 0; r == 0 && p < d->n_patterns; p++) {
        if (strcmp(d->patterns[p].job, config->jobs[i].name) == 0)
            r = append_pattern(d, d->patterns[p].glob, to);
    }
    return r;
}

static bool is_blamed(const struct diags *d, const char *path)
{
    for (size_t i = 0; i < d->n; i++) {
        if (d->items[i].file && strcmp(d->items[i].file, path) == 0)
            return true;
    }
    return false;
}

static void check_file(const char *path, struct diags *d)
{
    struct target_list targets = {0};

    if (!is_blamed(d, path) && filesd_load(path, &targets, d) == 0)
        target_list_done(&targets);
}

/* If no file matches, that is only a warning, as in promtool. */
static void check_pattern(const char *pattern, FILE *warnings, struct diags *d)
{
    glob_t found = {0};
    int r = glob(pattern, GLOB_NOSORT, NULL, &found);

    if (r == GLOB_NOSPACE)
        diags_add(d, pattern, 0, 0, NULL, "not enough memory to look for its files");
    else if (r != 0 && !can_look(pattern))
        diags_add(d, pattern, 0, 0, NULL, "its directory cannot be read");
    else if (r != 0)
        (void)fprintf(warnings,
                      "contraced: warning: file_sd %s matches no file: its targets come with one\n",
                      pattern);
    for (size_t i = 0; r == 0 && i < found.gl_pathc && i < FILES_MAX; i++)
        check_file(found.gl_pathv[i], d);
    if (r == 0 && found.gl_pathc > FILES_MAX)
        (void)fprintf(warnings,
                      "contraced: warning: file_sd %s matches %zu files: only %d are read\n",
                      pattern, found.gl_pathc, FILES_MAX);
    globfree(&found);
}

static void file_sd_check(const struct config *config, FILE *warnings, struct diags *d)
{
    for (size_t j = 0; j < config->n_jobs; j++) {
        for (size_t i = 0; i < config->jobs[j].n_file_sd; i++)
            check_pattern(config->jobs[j].file_sd[i], warnings, d);
    }
}

const struct target_source source_file_sd = {
    .new = file_sd_new,
    .free = file_sd_free,
    .set = file_sd_set,
    .targets = file_sd_targets,
    .check = file_sd_check,
};
