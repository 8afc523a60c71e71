/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/config/http_sd.h"

#include <stdlib.h>
#include <string.h>

#include "lib/config/keys/access_keys.h"
#include "lib/config/keys/table.h"
#include "lib/net/origin.h"

#define AT(type, field) .offset = offsetof(struct type, field)
#define DEFAULT_REFRESH USEC_PER_MIN
#define YEAR (365 * USEC_PER_DAY)
#define URL_MAX 2048

static const char *check_url(const char *url)
{
    struct origin origin;
    size_t authority = strstr(url, "://") ? strcspn(strstr(url, "://") + 3, "/?#") : 0;

    if (authority > 0 && memchr(strstr(url, "://") + 3, '@', authority))
        return "must not have a user or a password: use `basic_auth`";
    if (origin_parse(url, &origin) < 0)
        return "must be http://HOST[:PORT][/PATH] or https://…";
    if (strchr(url, '#'))
        return "must not contain #";
    for (const char *p = url; *p; p++) {
        if (*p <= ' ' || *p >= 0x7f)
            return "has a blank or a letter outside ASCII: write it as %XX";
    }
    return NULL;
}

static const struct table_key keys[] = {
    {.name = "url",
     .type = TABLE_STRING,
     .flags = TABLE_REQUIRED,
     AT(http_sd, url),
     .max = URL_MAX,
     .check = check_url},
    {.name = "refresh_interval",
     .type = TABLE_DURATION,
     AT(http_sd, refresh),
     .min = USEC_PER_SEC,
     .max = YEAR},
    {.name = "basic_auth",
     .type = TABLE_MAPPING,
     AT(http_sd, access.auth),
     .table = &access_keys_basic_auth},
    {.name = "authorization",
     .type = TABLE_MAPPING,
     AT(http_sd, access.auth),
     .table = &access_keys_authorization},
    {.name = "tls_config",
     .type = TABLE_MAPPING,
     .flags = TABLE_NULLABLE,
     AT(http_sd, access.tls),
     .table = &access_keys_tls},
    ACCESS_PROXY_KEYS(http_sd),
    {.name = "bearer_token",
     .type = TABLE_REFUSED,
     .flags = TABLE_SECRET,
     .hint = ACCESS_NO_SECRETS "with `credentials_file` in `authorization`"},
};

static const struct table table = {
    .where = "in http_sd_configs",
    .keys = keys,
    .n_keys = sizeof(keys) / sizeof(keys[0]),
};

int http_sd_read(struct yaml_file *f, const yaml_node_t *node, void *base, size_t count)
{
    struct job_config *job = base;
    struct http_sd *sd;
    int r = yaml_file_spend(f, node, sizeof(*sd));

    if (r < 0)
        return r;
    /* All at once: places are remembered by addresses. */
    if (!job->http_sd) {
        job->http_sd = calloc(count, sizeof(*job->http_sd));
        if (!job->http_sd)
            return yaml_file_oom(f);
    }
    sd = &job->http_sd[job->n_http_sd++];
    sd->refresh = DEFAULT_REFRESH;
    r = table_read(f, node, &table, sd);
    if (access_keys_fill(&sd->access.auth) < 0)
        return yaml_file_oom(f);
    return r;
}

void http_sd_done(struct http_sd *sd)
{
    free(sd->url);
    access_done(&sd->access);
    *sd = (struct http_sd){0};
}
