/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/config/schema.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "lib/config/keys/access_keys.h"
#include "lib/config/flight.h"
#include "lib/config/group.h"
#include "lib/config/http_sd.h"
#include "lib/config/incidents.h"
#include "lib/config/relabel_keys.h"
#include "lib/config/keys/scalar.h"
#include "lib/config/trigger.h"
#include "lib/config/upload.h"
#include "lib/net/listen.h"
#include "lib/record/kind.h"

#define KEYS(array) .keys = (array), .n_keys = sizeof(array) / sizeof((array)[0])
#define AT(type, field) .offset = offsetof(struct type, field)

#define YEAR (365 * USEC_PER_DAY)
#define BODY_MIN (64u << 10)
#define MEMORY_MIN (64u << 20)
#define SIZE_LIMIT (1ULL << 60)
#define PATTERNS_MAX 1000
#define PATH_BYTES 1000
#define MILLION 1000000

#define DEFAULT_PATH "/debug/pprof/trace"
#define DEFAULT_REFRESH (5 * USEC_PER_MIN)

int schema_job_defaults(struct job_config *job)
{
    *job = (struct job_config){.file_sd_refresh = DEFAULT_REFRESH};
    job->path = strdup(DEFAULT_PATH);
    return job->path ? 0 : -ENOMEM;
}

/* Prometheus's rule: a star only in the last component, and a suffix that names the format. */
const char *schema_check_pattern(const char *pattern)
{
    static const char *const suffixes[] = {".json", ".yml", ".yaml"};
    const char *star = strchr(pattern, '*');
    size_t len = strlen(pattern);

    if (star && (strchr(star, '/') || strchr(star + 1, '*')))
        return "may have one *, in its last component";
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        size_t n = strlen(suffixes[i]);

        if (len > n && strcmp(pattern + len - n, suffixes[i]) == 0)
            return NULL;
    }
    return "must end in .json, .yml or .yaml";
}

static int read_static_config(struct yaml_file *f, const yaml_node_t *node, void *base,
                              size_t count)
{
    struct job_config *job = base;

    (void)count;
    return group_read(f, node, &job->targets);
}

/* An item of file_sd_configs, before it goes into the job. */
struct file_sd {
    char **patterns;
    size_t n;
    usec refresh;
};

static int read_pattern(struct yaml_file *f, const yaml_node_t *node, void *base, size_t count)
{
    static const struct table_key row = {
        .name = "a pattern of files",
        .type = TABLE_PATH,
        .check = schema_check_pattern,
    };
    struct file_sd *sd = base;
    char *pattern = NULL;
    int r;

    if (!sd->patterns) {
        sd->patterns = calloc(count, sizeof(*sd->patterns));
        if (!sd->patterns)
            return yaml_file_oom(f);
    }
    r = scalar_read(f, node, &row, &pattern);
    if (r == 0)
        sd->patterns[sd->n++] = pattern;
    return r;
}

static const struct table_key file_sd_keys[] = {
    {.name = "files",
     .type = TABLE_LIST,
     .flags = TABLE_REQUIRED | TABLE_NONEMPTY,
     AT(file_sd, patterns),
     .max = PATTERNS_MAX,
     .item = read_pattern},
    {.name = "refresh_interval",
     .type = TABLE_DURATION,
     AT(file_sd, refresh),
     .min = USEC_PER_SEC,
     .max = YEAR},
};

static const struct table file_sd_table = {.where = "in file_sd_configs", KEYS(file_sd_keys)};

static int add_file_sd(struct job_config *job, struct file_sd *sd)
{
    size_t n = job->n_file_sd + sd->n;
    char **patterns = reallocarray(job->file_sd, n ? n : 1, sizeof(*patterns));

    if (!patterns)
        return -ENOMEM;
    job->file_sd = patterns;
    for (size_t i = 0; i < sd->n; i++)
        job->file_sd[job->n_file_sd++] = sd->patterns[i];
    sd->n = 0;
    return 0;
}

static int read_file_sd(struct yaml_file *f, const yaml_node_t *node, void *base, size_t count)
{
    struct job_config *job = base;
    struct file_sd sd = {.refresh = DEFAULT_REFRESH};
    int r = table_read(f, node, &file_sd_table, &sd);

    (void)count;
    if ((r == 0 || r == -EINVAL) && add_file_sd(job, &sd) < 0)
        r = yaml_file_oom(f);
    /* Of several in one job, the shortest refresh_interval counts for all patterns. */
    if (job->file_sd_refresh == 0 || sd.refresh < job->file_sd_refresh)
        job->file_sd_refresh = sd.refresh;
    while (sd.n > 0)
        free(sd.patterns[--sd.n]);
    free(sd.patterns);
    return r;
}

/* More than there are kinds, so that of a longer list each wrong item is told. */
#define ARTIFACT_ITEMS_MAX 100

/* An item of artifacts, before it goes into the job. */
struct artifact_item {
    char *name;
    struct artifact_config of;
};

static const struct table_choice delta_choices[] = {
    {"true", ARTIFACT_DELTA_YES},
    {"false", ARTIFACT_DELTA_NO},
    {NULL, 0},
};

/* `path` and `delta` are Parca's and Alloy's names. */
static const struct table_key artifact_keys[] = {
    {.name = "name", .type = TABLE_STRING, .flags = TABLE_REQUIRED, AT(artifact_item, name)},
    {.name = "interval",
     .type = TABLE_DURATION,
     AT(artifact_item, of.interval),
     .min = USEC_PER_MSEC,
     .max = YEAR},
    {.name = "path",
     .type = TABLE_STRING,
     AT(artifact_item, of.path),
     .max = 2048,
     .check = address_check_path},
    {.name = "delta", .type = TABLE_CHOICE, AT(artifact_item, of.delta), .choices = delta_choices},
    {.name = "enabled",
     .type = TABLE_REFUSED,
     .hint = "what is in the list is taken, and nothing else"},
    {.name = "seconds", .type = TABLE_REFUSED, .hint = "it is the job's"},
};

static const struct table artifact_table = {.where = "in artifacts", KEYS(artifact_keys)};

static int add_artifact(struct yaml_file *f, const yaml_node_t *node, struct job_config *job,
                        struct artifact_item *item)
{
    char names[KIND_NAMES_SIZE];
    enum kind kind;

    if (!kind_of_name(item->name, &kind))
        return yaml_file_error(f, node, "artifacts: `%.60s` is none; there are %s", item->name,
                               kind_names(names));
    if (job->artifacts & 1u << kind)
        return yaml_file_error(f, node, "artifacts: %s is given twice", item->name);
    job->artifacts |= 1u << kind;
    job->of_kind[kind] = item->of;
    item->of.path = NULL;
    return yaml_file_place(f, node, &job->of_kind[kind], false);
}

/* A name alone, or a mapping with more about it. */
static int read_artifact(struct yaml_file *f, const yaml_node_t *node, void *base, size_t count)
{
    static const struct table_key key = {.name = "artifacts", .type = TABLE_STRING};
    struct artifact_item item = {0};
    int r = node->type == YAML_MAPPING_NODE ? table_read(f, node, &artifact_table, &item)
                                            : scalar_read(f, node, &key, &item.name);

    (void)count;
    if (r == 0)
        r = add_artifact(f, node, base, &item);
    free(item.name);
    free(item.of.path);
    return r;
}

static const struct table_choice switch_choices[] = {
    {"true", CONFIG_ON},
    {"false", CONFIG_OFF},
    {NULL, 0},
};

static const struct table_choice scheme_choices[] = {{"http", false}, {"https", true}, {NULL, 0}};

static const struct table_key job_keys[] = {
    {.name = "job_name",
     .type = TABLE_STRING,
     .flags = TABLE_REQUIRED,
     AT(job_config, name),
     .max = CONFIG_JOB_NAME_MAX},
    {.name = "scheme", .type = TABLE_BOOL, AT(job_config, https), .choices = scheme_choices},
    {.name = "path",
     .type = TABLE_STRING,
     AT(job_config, path),
     .max = 2048,
     .check = address_check_path},
    {.name = "artifacts",
     .type = TABLE_LIST,
     .flags = TABLE_NONEMPTY,
     AT(job_config, artifacts),
     .max = ARTIFACT_ITEMS_MAX,
     .item = read_artifact},
    {.name = "incident_artifacts",
     .type = TABLE_LIST,
     .flags = TABLE_NONEMPTY,
     AT(job_config, incident_artifacts),
     .max = KINDS,
     .item = incidents_read_artifact},
    {.name = "cpu_samples",
     .type = TABLE_CHOICE,
     AT(job_config, own.cpu_samples),
     .choices = switch_choices},
    {.name = "flight", .type = TABLE_MAPPING, AT(job_config, flight), .table = &flight_section},
    {.name = "profiles_path",
     .type = TABLE_STRING,
     AT(job_config, profiles_path),
     .max = 2048,
     .check = address_check_path},
    {.name = "scrape_interval",
     .type = TABLE_DURATION,
     AT(job_config, own.interval),
     .min = USEC_PER_MSEC,
     .max = YEAR},
    {.name = "seconds",
     .type = TABLE_SECONDS,
     AT(job_config, own.window),
     .min = USEC_PER_MSEC,
     .max = CONFIG_WINDOW_MAX},
    {.name = "scrape_timeout",
     .type = TABLE_DURATION,
     AT(job_config, own.timeout),
     .min = USEC_PER_MSEC,
     .max = YEAR},
    {.name = "body_size_limit",
     .type = TABLE_SIZE,
     AT(job_config, own.body_size_limit),
     .min = BODY_MIN,
     .max = SIZE_LIMIT},
    {.name = "static_configs",
     .type = TABLE_LIST,
     .flags = TABLE_NULLABLE,
     AT(job_config, targets),
     .max = CONFIG_TARGETS_MAX,
     .item = read_static_config},
    {.name = "file_sd_configs",
     .type = TABLE_LIST,
     .flags = TABLE_NULLABLE,
     AT(job_config, file_sd),
     .max = PATTERNS_MAX,
     .item = read_file_sd},
    {.name = "http_sd_configs",
     .type = TABLE_LIST,
     .flags = TABLE_NULLABLE,
     AT(job_config, http_sd),
     .max = HTTP_SD_MAX,
     .item = http_sd_read},
    {.name = "relabel_configs",
     .type = TABLE_LIST,
     .flags = TABLE_NULLABLE,
     AT(job_config, relabel),
     .max = CONFIG_RELABEL_MAX,
     .item = relabel_keys_read},
    {.name = "basic_auth",
     .type = TABLE_MAPPING,
     AT(job_config, access.auth),
     .table = &access_keys_basic_auth},
    {.name = "authorization",
     .type = TABLE_MAPPING,
     AT(job_config, access.auth),
     .table = &access_keys_authorization},
    {.name = "tls_config",
     .type = TABLE_MAPPING,
     .flags = TABLE_NULLABLE,
     AT(job_config, access.tls),
     .table = &access_keys_tls},
    ACCESS_PROXY_KEYS(job_config),
    {.name = "pid_file", .type = TABLE_PATH, .flags = TABLE_NULLABLE, AT(job_config, pid_file)},
    {.name = "metrics_path", .type = TABLE_REFUSED, .hint = "the path of the trace is `path`"},
    {.name = "bearer_token",
     .type = TABLE_REFUSED,
     .flags = TABLE_SECRET,
     .hint = ACCESS_NO_SECRETS "with `credentials_file` in `authorization`"},
    {.name = "bearer_token_file",
     .type = TABLE_REFUSED,
     .hint = "use `credentials_file` in `authorization`"},
};

static const struct table job_table = {.where = "in scrape_configs", KEYS(job_keys)};

static int read_job(struct yaml_file *f, const yaml_node_t *node, void *base, size_t count)
{
    struct config *c = base;
    struct job_config *job;
    int r = yaml_file_spend(f, node, sizeof(*job) + 64);

    if (r < 0)
        return r;
    if (node->type != YAML_MAPPING_NODE)
        return yaml_file_error(f, node, "expected a mapping in scrape_configs, got %s",
                               yaml_kind(node));
    /* Allocates all items at once: places are remembered by addresses, which must not change. */
    if (!c->jobs) {
        c->jobs = calloc(count, sizeof(*c->jobs));
        if (!c->jobs)
            return yaml_file_oom(f);
    }
    job = &c->jobs[c->n_jobs++];
    if (schema_job_defaults(job) < 0)
        return yaml_file_oom(f);
    job->file_sd_refresh = 0; /* none read yet */
    r = table_read(f, node, &job_table, job);
    if (job->file_sd_refresh == 0)
        job->file_sd_refresh = DEFAULT_REFRESH;
    if (access_keys_fill(&job->access.auth) < 0)
        return yaml_file_oom(f);
    return r;
}

static const struct table_key global_keys[] = {
    {.name = "scrape_interval",
     .type = TABLE_DURATION,
     AT(config, interval),
     .min = USEC_PER_MSEC,
     .max = YEAR},
    {.name = "seconds",
     .type = TABLE_SECONDS,
     AT(config, window),
     .min = USEC_PER_MSEC,
     .max = CONFIG_WINDOW_MAX},
    {.name = "scrape_timeout",
     .type = TABLE_DURATION,
     AT(config, timeout),
     .min = USEC_PER_MSEC,
     .max = YEAR},
    {.name = "body_size_limit",
     .type = TABLE_SIZE,
     AT(config, body_size_limit),
     .min = BODY_MIN,
     .max = SIZE_LIMIT},
    {.name = "cpu_samples", .type = TABLE_BOOL, AT(config, cpu_samples)},
    {.name = "max_duty_cycle",
     .type = TABLE_RATIO,
     AT(config, max_duty_cycle),
     .min = 1,
     .max = MILLION},
    {.name = "max_concurrent_captures",
     .type = TABLE_UNSIGNED,
     AT(config, max_concurrent_captures),
     .min = 1,
     .max = CONFIG_CONCURRENT_MAX},
    {.name = "host", .type = TABLE_STRING, .flags = TABLE_NULLABLE, AT(config, host), .max = 253},
    {.name = "shutdown_timeout",
     .type = TABLE_DURATION,
     AT(config, shutdown_timeout),
     .max = USEC_PER_DAY},
};

static const struct table global_table = {.where = "in global", KEYS(global_keys)};

static const struct table_key storage_keys[] = {
    {.name = "path", .type = TABLE_STRING, AT(storage_config, path)},
    {.name = "max_bytes",
     .type = TABLE_SIZE,
     AT(storage_config, max_bytes),
     .min = BODY_MIN,
     .max = SIZE_LIMIT},
    {.name = "max_age", .type = TABLE_DURATION, AT(storage_config, max_age), .max = 100 * YEAR},
    {.name = "max_files",
     .type = TABLE_UINT64,
     AT(storage_config, max_files),
     .min = 1,
     .max = UINT32_MAX},
    {.name = "min_free",
     .type = TABLE_RATIO,
     AT(storage_config, min_free),
     .max = 99 * MILLION / 100},
    {.name = "keep_worst", .type = TABLE_UINT64, AT(storage_config, keep_worst), .max = 1000},
};

static const struct table storage_table = {.where = "in storage", KEYS(storage_keys)};

static const struct table_key inspect_keys[] = {
    {.name = "enabled", .type = TABLE_BOOL, AT(inspect_config, enabled)},
    {.name = "command", .type = TABLE_PATH, .flags = TABLE_NULLABLE, AT(inspect_config, command)},
    {.name = "timeout",
     .type = TABLE_DURATION,
     AT(inspect_config, timeout),
     .min = USEC_PER_SEC,
     .max = 10 * USEC_PER_MIN},
    {.name = "max_memory",
     .type = TABLE_SIZE,
     AT(inspect_config, max_memory),
     .min = MEMORY_MIN,
     .max = SIZE_LIMIT},
};

static const struct table inspect_table = {.where = "in inspect", KEYS(inspect_keys)};

static const struct table_key rows_keys[] = {
    {.name = "enabled", .type = TABLE_BOOL, AT(rows_config, enabled)},
    {.name = "interval",
     .type = TABLE_DURATION,
     AT(rows_config, interval),
     .min = USEC_PER_SEC,
     .max = USEC_PER_DAY},
};

static const struct table rows_table = {.where = "in rows", KEYS(rows_keys)};

/* Checks a list as a whole. */
static const char *check_listen(const char *text)
{
    struct listen_list list;
    const char *why = NULL;

    return listen_parse_list(text, &list, &why) < 0 ? why : NULL;
}

static const struct table_key web_keys[] = {
    {.name = "listen_address",
     .type = TABLE_STRING,
     AT(web_config, listen_address),
     .check = check_listen},
    {.name = "bearer_token_file",
     .type = TABLE_PATH,
     .flags = TABLE_NULLABLE,
     AT(web_config, bearer_token_file)},
    {.name = "bearer_token",
     .type = TABLE_REFUSED,
     .flags = TABLE_SECRET,
     .hint = ACCESS_NO_SECRETS "with `bearer_token_file`"},
};

static const struct table web_table = {.where = "in web", KEYS(web_keys)};

static const struct table_choice pressure_choices[] = {{"off", 0}, {NULL, 0}};

static const struct table_key suspend_keys[] = {
    {.name = "flag_file",
     .type = TABLE_PATH,
     .flags = TABLE_CLEARABLE,
     AT(suspend_config, flag_file),
     .max = PATH_BYTES},
    {.name = "cpu_pressure",
     .type = TABLE_RATIO,
     .flags = TABLE_NULLABLE,
     AT(suspend_config, cpu_pressure),
     .min = MILLION / 100,
     .max = MILLION,
     .choices = pressure_choices},
};

static const struct table suspend_table = {.where = "in suspend", KEYS(suspend_keys)};

static const struct table_choice level_choices[] = {
    {"error", LOG_LEVEL_ERROR},
    {"warn", LOG_LEVEL_WARN},
    {"info", LOG_LEVEL_INFO},
    {"debug", LOG_LEVEL_DEBUG},
    {NULL, 0},
};

static const struct table_choice format_choices[] = {
    {"auto", LOG_FORMAT_AUTO},
    {"text", LOG_FORMAT_TEXT},
    {"json", LOG_FORMAT_JSON},
    {"journal", LOG_FORMAT_JOURNAL},
    {NULL, 0},
};

static const struct table_key log_keys[] = {
    {.name = "level", .type = TABLE_CHOICE, AT(config, log_level), .choices = level_choices},
    {.name = "format", .type = TABLE_CHOICE, AT(config, log_format), .choices = format_choices},
};

static const struct table log_table = {.where = "in log", KEYS(log_keys)};

/* `global` and `log` fill struct config itself, so their rows have offset 0. */
static const struct table_key root_keys[] = {
    {.name = "global", .type = TABLE_MAPPING, .flags = TABLE_NULLABLE, .table = &global_table},
    {.name = "scrape_configs",
     .type = TABLE_LIST,
     .flags = TABLE_NULLABLE,
     AT(config, jobs),
     .max = CONFIG_JOBS_MAX,
     .item = read_job},
    {.name = "trigger_configs",
     .type = TABLE_LIST,
     .flags = TABLE_NULLABLE,
     AT(config, triggers),
     .max = TRIGGERS_MAX,
     .item = trigger_read},
    {.name = "storage",
     .type = TABLE_MAPPING,
     .flags = TABLE_NULLABLE,
     AT(config, storage),
     .table = &storage_table},
    {.name = "upload",
     .type = TABLE_MAPPING,
     .flags = TABLE_NULLABLE,
     AT(config, upload),
     .table = &upload_section},
    {.name = "inspect",
     .type = TABLE_MAPPING,
     .flags = TABLE_NULLABLE,
     AT(config, inspect),
     .table = &inspect_table},
    {.name = "rows",
     .type = TABLE_MAPPING,
     .flags = TABLE_NULLABLE,
     AT(config, rows),
     .table = &rows_table},
    {.name = "web",
     .type = TABLE_MAPPING,
     .flags = TABLE_NULLABLE,
     AT(config, web),
     .table = &web_table},
    {.name = "suspend",
     .type = TABLE_MAPPING,
     .flags = TABLE_NULLABLE,
     AT(config, suspend),
     .table = &suspend_table},
    {.name = "incidents",
     .type = TABLE_MAPPING,
     .flags = TABLE_NULLABLE,
     AT(config, incidents),
     .table = &incidents_section},
    {.name = "log", .type = TABLE_MAPPING, .flags = TABLE_NULLABLE, .table = &log_table},
};

const struct table schema_root = {.where = "at the top level", KEYS(root_keys)};
