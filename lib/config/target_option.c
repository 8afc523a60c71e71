/* SPDX-License-Identifier: Apache-2.0 */
/* config_add_target: what --target=[SERVICE=]URL adds to a configuration. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "lib/config/check.h"
#include "lib/config/config.h"
#include "lib/config/filesd.h"
#include "lib/config/group.h"
#include "lib/config/schema.h"

struct option_target {
    char *service; /* NULL: not given */
    char *scheme, *path;
    struct target_config target;
};

static void option_target_done(struct option_target *o)
{
    free(o->service);
    free(o->scheme);
    free(o->path);
    target_config_done(&o->target);
}

static int refuse(const char **ret_why, const char *why)
{
    *ret_why = why;
    return -EINVAL;
}

/* SERVICE is the text before the first '=', unless characters of a URL come before that. */
static int parse_service(const char *arg, struct option_target *o, const char **ret_url,
                         const char **ret_why)
{
    size_t len = strcspn(arg, "=:/");

    *ret_url = arg;
    if (arg[len] != '=')
        return 0;
    if (len == 0)
        return refuse(ret_why, "the service before = is empty");
    if (len > CONFIG_JOB_NAME_MAX)
        return refuse(ret_why, "the service's name is longer than 100 bytes");
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)arg[i] < ' ' || arg[i] == 0x7f)
            return refuse(ret_why, "the service's name has a control character");
    }
    o->service = strndup(arg, len);
    *ret_url = arg + len + 1;
    return o->service ? 0 : -ENOMEM;
}

static int parse_option(const char *arg, struct option_target *o, const char **ret_why)
{
    const char *url;
    int r = parse_service(arg, o, &url, ret_why);

    if (r == 0)
        r = address_split_url(url, &o->scheme, &o->target.address, &o->path, ret_why);
    if (r == 0)
        r = address_parse(o->target.address, &o->target.parsed, ret_why);
    if (r == 0 && o->path) {
        *ret_why = address_check_path(o->path);
        r = *ret_why ? -EINVAL : 0;
    }
    return r;
}

/* Makes a name of the address; for a socket, of its file's name. */
static char *derive_name(const struct target_config *t)
{
    static const char suffix[] = ".sock";
    const char *path = t->parsed.unix_path, *base;
    size_t len;

    if (!path)
        return strndup(t->address, CONFIG_JOB_NAME_MAX);
    base = path[0] == '@' ? path + 1 : strrchr(path, '/') + 1;
    len = strlen(base);
    if (len > strlen(suffix) && strcmp(base + len - strlen(suffix), suffix) == 0)
        len -= strlen(suffix);
    if (len > CONFIG_JOB_NAME_MAX)
        len = CONFIG_JOB_NAME_MAX;
    return len > 0 ? strndup(base, len) : strdup("socket");
}

static struct job_config *find_job(const struct config *c, const char *name)
{
    for (size_t i = 0; i < c->n_jobs; i++) {
        if (strcmp(c->jobs[i].name, name) == 0)
            return &c->jobs[i];
    }
    return NULL;
}

/* `base` if it is free, else with the first free suffix "-2", "-3", … */
static char *free_name(const struct config *c, const char *base)
{
    char *name = strdup(base);

    for (unsigned i = 2; name && find_job(c, name); i++) {
        free(name);
        if (asprintf(&name, "%s-%u", base, i) < 0)
            return NULL;
    }
    return name;
}

static bool same_access(const struct job_config *job, const struct job_config *other)
{
    return job->from_option && job->https == other->https && strcmp(job->path, other->path) == 0;
}

static bool has_target(const struct config *c, const struct job_config *like, const char *address)
{
    for (size_t i = 0; i < c->n_jobs; i++) {
        const struct job_config *job = &c->jobs[i];

        if (!same_access(job, like))
            continue;
        for (size_t j = 0; j < job->targets.n; j++) {
            if (strcmp(job->targets.items[j].address, address) == 0)
                return true;
        }
    }
    return false;
}

static int add_service_label(struct target_config *t, const char *service)
{
    t->labels = calloc(1, sizeof(*t->labels));
    if (!t->labels)
        return -ENOMEM;
    t->n_labels = 1;
    t->labels[0].name = strdup("service");
    t->labels[0].value = strdup(service);
    return t->labels[0].name && t->labels[0].value ? 0 : -ENOMEM;
}

/* Names the new job. If SERVICE is taken, adds the label `service` to the target. */
static int name_job(const struct config *c, struct option_target *o, struct job_config *job)
{
    _cleanup_free_ char *base = o->service ? strdup(o->service) : derive_name(&o->target);

    if (!base)
        return -ENOMEM;
    job->name = free_name(c, base);
    if (!job->name)
        return -ENOMEM;
    if (o->service && strcmp(job->name, o->service) != 0)
        return add_service_label(&o->target, o->service);
    return 0;
}

/* The configuration takes over the job. */
static int append_job(struct config *c, struct job_config *job)
{
    struct job_config *jobs = reallocarray(c->jobs, c->n_jobs + 1, sizeof(*jobs));

    if (!jobs)
        return -ENOMEM;
    c->jobs = jobs;
    check_inherit(c, false, job);
    c->jobs[c->n_jobs++] = *job;
    *job = (struct job_config){0};
    return 0;
}

static int add(struct config *c, struct option_target *o, struct job_config *job,
               const char **ret_why)
{
    struct job_config *existing = o->service ? find_job(c, o->service) : NULL;
    int r;

    if (schema_job_defaults(job) < 0)
        return -ENOMEM;
    job->from_option = true;
    job->https = strcmp(o->scheme, "https") == 0;
    if (o->path) {
        free(job->path);
        job->path = steal(&o->path);
    }
    if (has_target(c, job, o->target.address))
        return refuse(ret_why, "the same target is given twice");
    if (existing && same_access(existing, job))
        return target_list_add(&existing->targets, &o->target);
    r = name_job(c, o, job);
    if (r == 0)
        r = target_list_add(&job->targets, &o->target);
    return r < 0 ? r : append_job(c, job);
}

int config_add_target(struct config *c, const char *arg, const char **ret_why)
{
    struct option_target o = {0};
    struct job_config job = {0};
    int r = parse_option(arg, &o, ret_why);

    if (r == 0)
        r = add(c, &o, &job, ret_why);
    /* What was not handed over. */
    free(job.name);
    free(job.path);
    target_list_done(&job.targets);
    option_target_done(&o);
    return r;
}
