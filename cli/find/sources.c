/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/find/sources.h"

#include <errno.h>
#include <grp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cli/ask/running.h"
#include "cli/common/screen.h"
#include "config.h"
#include "lib/config/upload_rules.h"
#include "lib/store/kinds.h"

#define DEFAULT_FILE CONTRACE_SYSCONFDIR "/contrace/contraced.yaml"

#define FIELD(name) offsetof(struct sources_arguments, name)

const struct argument sources_rows[SOURCES_ROWS] = {
    {"config.file", 'c', "FILE", "the daemon's configuration (" DEFAULT_FILE ")", argument_text,
     FIELD(config_file)},
    {"storage.path", 0, "DIR", "the local spool, over the file's", argument_text,
     FIELD(storage_path)},
    {"upload.url", 0, "URL", "the store, over the file's: s3://bucket/prefix, …", argument_text,
     FIELD(upload_url)},
    {"local", 0, NULL, "only what is in the spool", argument_flag, FIELD(local)},
    {"remote", 0, NULL, "only what is in the store", argument_flag, FIELD(remote)},
    {"verbose", 'v', NULL, "say more, such as which credentials are used", argument_flag,
     FIELD(verbose)},
};

/* The default configuration file is not needed if the options name spool or store. */
static bool can_do_without(const struct sources_arguments *a)
{
    return !a->config_file && (a->storage_path || a->upload_url);
}

static int load_file(const char *file, const struct sources_arguments *a, struct config **ret)
{
    struct diags diags = {0};
    int r = config_load(file, ret, &diags);

    if (r >= 0 || can_do_without(a)) {
        if (r < 0)
            complain("going on without %s, which cannot be used", file);
    } else {
        diags_print(&diags, stderr);
        complain("run it as a user who may read the file (sudo), name another by --config.file, "
                 "or do without by --upload.url=URL or --storage.path=DIR");
    }
    diags_done(&diags);
    return r;
}

static int replace(char **field, const char *value)
{
    char *copy = value ? strdup(value) : NULL;

    if (!value)
        return 0;
    if (!copy)
        return -ENOMEM;
    free(*field);
    *field = copy;
    return 0;
}

static int load(const struct sources_arguments *a, struct config **ret)
{
    const char *file = a->config_file ? a->config_file : DEFAULT_FILE;
    struct config *c = NULL;
    int r = 0;

    if (a->config_file || access(file, F_OK) == 0 || errno != ENOENT)
        r = load_file(file, a, &c);
    if (r < 0 && !can_do_without(a))
        return r;
    *ret = c;
    return 0;
}

/* If there is no configuration and no option names a spool or a store, the spool is that of the
 * contraced that runs on this machine, if one does. */
static int find_spool(struct sources *s, const struct sources_arguments *a, char **ret)
{
    int r = 0;

    *ret = NULL;
    if (!s->config && !can_do_without(a) && !a->remote)
        r = running_spool(ret, &s->told_by);
    return r;
}

static int configure(struct sources *s, const struct sources_arguments *a)
{
    _cleanup_free_ char *found = NULL;
    int r = load(a, &s->config);

    if (r == 0)
        r = find_spool(s, a, &found);
    if (r < 0 && r != -ENOMEM)
        return r;
    if (r == 0 && !s->config)
        s->config = config_new();
    if (r < 0 || !s->config ||
        replace(&s->config->storage.path, found ? found : a->storage_path) < 0 ||
        (a->upload_url && config_set_upload_url(s->config, a->upload_url) < 0))
        return complain_memory();
    return 0;
}

/* If there is a store, a missing default directory is no error: this machine may have no
 * contraced. */
static bool may_be_missing(const struct sources *s, const struct sources_arguments *a)
{
    return !a->local && !a->storage_path && s->config->upload.url;
}

/* The hint names the group that may read the directory, unless that is root's. */
static void denied(const char *path, int r, bool has_store)
{
    const char *remote = has_store ? "; --remote asks the store alone" : "";
    const struct group *group = NULL;
    struct stat st;

    if (stat(path, &st) == 0 && st.st_gid != 0 && (st.st_mode & S_IRGRP))
        group = getgrgid(st.st_gid);
    if (group)
        complain("%s cannot be read: %s; use sudo, or become a member of the group %s%s", path,
                 strerror(-r), group->gr_name, remote);
    else
        complain("%s cannot be read: %s; use sudo%s", path, strerror(-r), remote);
}

static void open_spool(struct sources *s, const struct sources_arguments *a)
{
    const char *path = s->config->storage.path;
    int r = local_open(&s->local, path);

    s->has_local = r >= 0;
    if (r >= 0 || (r == -ENOENT && may_be_missing(s, a)))
        return;
    s->failed = true;
    if (r == -EACCES)
        denied(path, r, s->config->upload.url);
    else if (r == -ENOENT && s->told_by)
        complain("there is no %s here, where the contraced at %s keeps its traces", path,
                 s->told_by);
    else if (r == -ENOENT)
        complain("there is no %s; --storage.path=DIR names another spool", path);
    else
        complain("%s cannot be read: %s", path, strerror(-r));
}

static int open_store(struct sources *s, const struct sources_arguments *a)
{
    const struct upload_config *u = &s->config->upload;
    struct store_context context;
    char why[STORE_TEXT_MAX];
    int r;

    if (!u->url) {
        if (a->remote)
            complain("no store is configured; --upload.url=URL names one");
        return a->remote ? -ENODEV : 0;
    }
    r = store_check(u, why);
    if (r < 0) {
        complain("the store cannot be used: upload.%s", why);
        return r;
    }
    r = http_new(s->event, "contrace/" PACKAGE_VERSION, &s->http);
    context = (struct store_context){.event = s->event, .http = s->http, .disk = s->disk};
    if (r >= 0)
        r = store_new(&context, u, &s->store);
    if (r < 0)
        complain("%s cannot be used: %s", u->url, strerror(-r));
    return r;
}

static int open_loop(struct sources *s)
{
    int r = sd_event_new(&s->event);

    if (r >= 0)
        r = interrupt_open(&s->interrupt, s->event);
    if (r >= 0)
        r = disk_new(s->event, &s->disk);
    if (r < 0)
        complain("cannot start: %s", strerror(-r));
    return r < 0 ? r : 0;
}

int sources_open(struct sources *s, const struct sources_arguments *a)
{
    int r;

    *s = (struct sources){.local.root = -1};
    if (a->local && a->remote) {
        complain("--local and --remote exclude each other");
        return -EINVAL;
    }
    r = configure(s, a);
    log_set_level(a->verbose ? LOG_LEVEL_INFO : LOG_LEVEL_WARN);
    if (r == 0)
        r = open_loop(s);
    if (r == 0 && !a->remote)
        open_spool(s, a);
    if (r == 0 && !a->local && open_store(s, a) < 0)
        s->failed = true;
    if (r == 0 && !s->has_local && !s->store)
        r = -ENODEV;
    if (r < 0)
        sources_close(s);
    return r == -EINVAL ? -EIO : r;
}

void sources_close(struct sources *s)
{
    store_free(s->store);
    http_free(s->http);
    disk_free(s->disk);
    local_close(&s->local);
    config_free(s->config);
    free(s->told_by);
    s->told_by = NULL;
    s->store = NULL;
    s->http = NULL;
    s->disk = NULL;
    s->event = sd_event_unref(s->event);
    s->config = NULL;
    interrupt_close(&s->interrupt);
}

int sources_wait(struct sources *s)
{
    return interrupt_wait(&s->interrupt, s->event);
}

static int on_pause(sd_event_source *source, uint64_t now, void *userdata)
{
    (void)source;
    (void)now;
    *(bool *)userdata = true;
    return 0;
}

int sources_pause(struct sources *s, usec pause)
{
    sd_event_source *timer = NULL;
    bool over = false;
    int r = sd_event_add_time_relative(s->event, &timer, CLOCK_BOOTTIME, pause, 10 * USEC_PER_MSEC,
                                       on_pause, &over);

    while (r >= 0 && !over)
        r = sources_wait(s);
    (void)sd_event_source_disable_unref(timer);
    return r < 0 ? r : 0;
}
