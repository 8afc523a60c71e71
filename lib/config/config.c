/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/config/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "lib/config/keys/access_keys.h"
#include "lib/config/check.h"
#include "lib/config/filesd.h"
#include "lib/config/flight.h"
#include "lib/config/group.h"
#include "lib/config/http_sd.h"
#include "lib/net/listen.h"
#include "lib/config/schema.h"
#include "lib/config/trigger.h"
#include "lib/config/upload.h"
#include "lib/relabel/relabel.h"

#define DEFAULT_STORAGE "/var/lib/contrace"
#define DEFAULT_FLAG_FILE "/run/contrace/suspend"
#define MIB (1ULL << 20)

struct config *config_new(void)
{
    struct config *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    c->interval = 5 * USEC_PER_MIN;
    c->window = 2 * USEC_PER_SEC;
    c->body_size_limit = 64 * MIB;
    c->max_duty_cycle = 0.01;
    c->max_concurrent_captures = 64;
    c->shutdown_timeout = 25 * USEC_PER_SEC;
    c->storage.path = strdup(DEFAULT_STORAGE);
    c->storage.max_bytes = 512 * MIB;
    c->storage.max_age = 7 * USEC_PER_DAY;
    c->storage.max_files = 20000;
    c->storage.keep_worst = 20;
    c->storage.min_free = 0.1;
    upload_defaults(&c->upload);
    c->inspect.enabled = true;
    c->inspect.timeout = 30 * USEC_PER_SEC;
    c->inspect.max_memory = 256 * MIB;
    c->rows.enabled = true;
    c->rows.interval = 6 * USEC_PER_HOUR;
    c->web.listen_address = strdup(LISTEN_DEFAULT);
    c->suspend.flag_file = strdup(DEFAULT_FLAG_FILE);
    c->incidents.max_per_hour = 6;
    c->incidents.max_per_target_per_hour = 2;
    c->incidents.max_traced = 0.02;
    c->incidents.cpu_pressure_ceiling = 0.9;
    c->incidents.keep = 30 * USEC_PER_DAY;
    c->log_level = LOG_LEVEL_INFO;
    c->log_format = LOG_FORMAT_AUTO;
    if (!c->storage.path || !c->web.listen_address || !c->suspend.flag_file) {
        config_free(c);
        return NULL;
    }
    return c;
}

static void job_done(struct job_config *job)
{
    free(job->name);
    free(job->path);
    free(job->profiles_path);
    flight_done(&job->flight);
    for (size_t i = 0; i < KINDS; i++)
        free(job->of_kind[i].path);
    access_done(&job->access);
    free(job->pid_file);
    target_list_done(&job->targets);
    for (size_t i = 0; i < job->n_file_sd; i++)
        free(job->file_sd[i]);
    free(job->file_sd);
    for (size_t i = 0; i < job->n_http_sd; i++)
        http_sd_done(&job->http_sd[i]);
    free(job->http_sd);
    for (size_t i = 0; i < job->n_relabel; i++)
        relabel_rule_free(job->relabel[i]);
    free(job->relabel);
}

void config_free(struct config *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n_jobs; i++)
        job_done(&c->jobs[i]);
    free(c->jobs);
    for (size_t i = 0; i < c->n_triggers; i++)
        trigger_done(&c->triggers[i]);
    free(c->triggers);
    free(c->host);
    free(c->storage.path);
    upload_done(&c->upload);
    free(c->inspect.command);
    free(c->web.listen_address);
    free(c->web.bearer_token_file);
    free(c->suspend.flag_file);
    free(c);
}

static void keep_place(struct yaml_file *f, const void *of, unsigned *line, unsigned *column)
{
    const struct place *p = places_find(&f->places, of);

    *line = p ? p->line : 0;
    *column = p ? p->column : 0;
}

/* For errors that are found after the file was closed, as only stores and artifacts know them. */
static void keep_places(struct yaml_file *f, struct config *c)
{
    struct upload_config *u = &c->upload;

    keep_place(f, &u->url, &u->url_line, &u->url_column);
    for (size_t i = 0; i < c->n_jobs; i++) {
        struct job_config *job = &c->jobs[i];

        keep_place(f, &job->incident_artifacts, &job->incident_line, &job->incident_column);
        keep_place(f, &job->own.cpu_samples, &job->samples_line, &job->samples_column);
        for (size_t k = 0; k < KINDS; k++) {
            struct artifact_config *of = &c->jobs[i].of_kind[k];

            if (c->jobs[i].artifacts & 1u << k)
                keep_place(f, of, &of->line, &of->column);
        }
    }
}

/* Reads the file into the configuration and checks it. Errors go to the diagnostics. */
static int read_root(struct yaml_file *f, yaml_node_t *root, void *userdata)
{
    struct config *c = userdata;
    int r = root && !yaml_is_null(root) ? table_read(f, root, &schema_root, c) : 0;

    if (r < 0 && r != -EINVAL)
        return r;
    if (access_keys_fill(&c->upload.access.auth) < 0)
        return yaml_file_oom(f);
    keep_places(f, c);
    return check_rules(c, false, f, f->diags);
}

int config_load_text(const char *name, const char *text, size_t len, struct config **ret,
                     struct diags *d)
{
    struct config *c = config_new();
    int r;

    if (!c) {
        diags_add(d, name, 0, 0, NULL, "out of memory");
        return -ENOMEM;
    }
    r = yaml_file_use(name, text, len, true, read_root, c, d);
    if (r < 0)
        config_free(c);
    else
        *ret = c;
    return r;
}

int config_load(const char *path, struct config **ret, struct diags *d)
{
    struct buf text;
    int r;

    r = yaml_file_read(path, &text, d);
    if (r == 0)
        r = config_load_text(path, buf_str(&text), text.len, ret, d);
    buf_done(&text);
    return r;
}

int config_check(struct config *c, bool once, struct diags *d)
{
    size_t before = diags_count(d);
    int r;

    if (c->n_jobs == 0)
        diags_add(d, NULL, 0, 0, NULL,
                  "no targets: add scrape_configs to the configuration file, or give --target=URL");
    r = check_rules(c, once, NULL, d);
    if (r == 0 && diags_count(d) > before)
        r = -EINVAL;
    return r;
}
