/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/settings/settings.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/artifact/artifacts.h"
#include "lib/store/kinds.h"

/* Put where the URL stands, if that is in the file. */
static int check_store(const struct upload_config *u, const char *file, struct diags *d)
{
    char why[STORE_TEXT_MAX] = "";
    int r = u->url ? store_check(u, why) : 0;

    if (r < 0 && r != -ENOMEM)
        diags_add(d, u->url_line > 0 ? file : NULL, u->url_line, u->url_column, NULL, "upload: %s",
                  why);
    return r;
}

/* Those that the job wants and that cannot be taken, or not from there. */
static void check_artifacts(const struct job_config *job, struct diags *d)
{
    for (unsigned kind = 0; kind < KINDS; kind++) {
        const struct artifact *a = artifacts_of_kind((enum kind)kind);
        char *path = NULL;

        if (!(job->artifacts & 1u << kind))
            continue;
        if (!a)
            diags_add(d, NULL, 0, 0, NULL, "job `%s`: artifacts: contraced does not take %s",
                      job->name, kind_name((enum kind)kind));
        else if (artifact_path(a, job->path, job->profiles_path, &path) == -EINVAL)
            diags_add(d, NULL, 0, 0, NULL,
                      "job `%s`: artifacts: where is the %s? `path` %s does not end in /trace, so "
                      "profiles_path must say where net/http/pprof's profiles are",
                      job->name, a->noun, job->path);
        free(path);
    }
}

static int check_jobs(const struct config *c, struct diags *d)
{
    size_t before = d->n;

    for (size_t i = 0; i < c->n_jobs; i++)
        check_artifacts(&c->jobs[i], d);
    return d->n > before ? -EINVAL : 0;
}

int settings_load(const struct options *o, struct config **ret, const char **ret_file,
                  struct diags *d)
{
    struct config *c = NULL;
    const char *file = NULL;
    int r = options_load(o, &c, &file, d);

    if (r < 0)
        return r;
    r = check_jobs(c, d);
    if (r == 0)
        r = check_store(&c->upload, file, d);
    if (r < 0) {
        config_free(c);
        return r;
    }
    *ret = c;
    *ret_file = file;
    return 0;
}

struct retention_limits settings_limits(const struct config *c)
{
    return (struct retention_limits){
        .max_bytes = c->storage.max_bytes,
        .max_age = c->storage.max_age,
        .max_files = c->storage.max_files,
        .min_free = c->storage.min_free,
    };
}
