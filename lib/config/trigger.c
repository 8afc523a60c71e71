/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/config/trigger.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/config/check_report.h"
#include "lib/config/keys/scalar.h"
#include "lib/config/keys/table.h"
#include "lib/config/trigger_condition.h"
#include "lib/value/path.h"
#include "lib/value/shape.h"
#include "trace/findings/code.h"

#define KEYS(array) .keys = (array), .n_keys = sizeof(array) / sizeof((array)[0])
#define AT(field) .offset = offsetof(struct trigger_text, field)

#define YEAR (365 * USEC_PER_DAY)
#define POLLS_MAX 100
#define COUNT_MAX 1000000000000

static const char *check_name(const char *text)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

    return text[strspn(text, allowed)] ? "may have letters, digits, _ and - only" : NULL;
}

/* Sets *ret also on an error: NULL. */
static int read_text(struct yaml_file *f, const yaml_node_t *node, const char *what, size_t max,
                     char **ret)
{
    const struct table_key key = {.name = what, .type = TABLE_STRING, .max = max};

    *ret = NULL; /* scalar_read replaces a value */
    return scalar_read(f, node, &key, ret);
}

static int read_job(struct yaml_file *f, const yaml_node_t *node, void *base, size_t count)
{
    struct trigger_config *t = &((struct trigger_text *)base)->t;
    char **job;
    int r;

    if (!t->jobs) {
        t->jobs = calloc(count, sizeof(*t->jobs));
        if (!t->jobs)
            return yaml_file_oom(f);
    }
    job = &t->jobs[t->n_jobs];
    r = read_text(f, node, "jobs", CONFIG_JOB_NAME_MAX, job);
    if (r < 0)
        return r;
    t->n_jobs++;
    return yaml_file_place(f, node, job, false);
}

static int read_ratio(struct yaml_file *f, const yaml_node_t *node, void *base, size_t count)
{
    static const char rate[] = "rate(";
    struct trigger_text *x = base;
    size_t n;
    char *name;
    int r;

    if (count != 2)
        return x->n_ratio++ > 0 ? 0 : yaml_file_error(f, node, "ratio: expected two metrics");
    r = read_text(f, node, "ratio", TRIGGER_METRIC_MAX + sizeof(rate), &name);
    if (r < 0)
        return r;
    n = strlen(name);
    if (strncmp(name, rate, strlen(rate)) == 0 && name[n - 1] == ')') {
        memmove(name, name + strlen(rate), n - strlen(rate) - 1);
        name[n - strlen(rate) - 1] = '\0';
        x->ratio_rate[x->n_ratio] = true;
    }
    x->ratio[x->n_ratio++] = name;
    if (!trigger_check_metric(name))
        return 0;
    return yaml_file_error(f, node, "ratio: `%.60s` %s", name, trigger_check_metric(name));
}

static int add_label(struct yaml_file *f, const yaml_node_t *node, const char *key, uint32_t *bits)
{
    char *name = NULL;
    int r = read_text(f, node, key, 0, &name);
    size_t i = 0;

    if (r < 0)
        return r;
    while (code_label(i) && strcmp(code_label(i), name) != 0)
        i++;
    if (!code_label(i))
        r = yaml_file_error(f, node, "%s: `%.60s` is no label: docs/FINDINGS.md has them all", key,
                            name);
    else if (*bits & 1u << i)
        r = yaml_file_error(f, node, "%s: %s is given twice", key, name);
    else
        *bits |= 1u << i;
    free(name);
    return r;
}

static int read_label(struct yaml_file *f, const yaml_node_t *node, void *base, size_t count)
{
    (void)count;
    return add_label(f, node, "label", &((struct trigger_text *)base)->t.labels);
}

static int read_after(struct yaml_file *f, const yaml_node_t *node, void *base, size_t count)
{
    (void)count;
    return add_label(f, node, "after", &((struct trigger_text *)base)->t.after);
}

static int read_kind(struct yaml_file *f, const yaml_node_t *node, void *base, size_t count)
{
    struct trigger_config *t = &((struct trigger_text *)base)->t;
    char names[KIND_NAMES_SIZE], *name = NULL;
    enum kind kind;
    int r = read_text(f, node, "capture", 0, &name);

    (void)count;
    if (r < 0)
        return r;
    if (!kind_of_name(name, &kind))
        r = yaml_file_error(f, node, "capture: `%.60s` is no artifact; there are %s", name,
                            kind_names(names));
    else if (t->capture & 1u << kind)
        r = yaml_file_error(f, node, "capture: %s is given twice", name);
    else
        t->capture |= 1u << kind;
    free(name);
    return r;
}

static int check_match(struct yaml_file *f, const yaml_node_t *node, const char *name)
{
    if (strcmp(name, "le") != 0 && strcmp(name, "vmrange") != 0)
        return 0;
    return yaml_file_error(f, node, "match: %s is what buckets are told apart by: use `above`",
                           name);
}

static int check_match_value(struct yaml_file *f, const yaml_node_t *node, const struct label *pair)
{
    (void)f, (void)node, (void)pair;
    return 0;
}

static int read_match(struct yaml_file *f, const yaml_node_t *node, void *base)
{
    static const struct label_rule rule = {
        "match",           "a label",   "there may be at most",
        TRIGGER_MATCH_MAX, check_match, check_match_value,
    };
    struct trigger_config *t = &((struct trigger_text *)base)->t;

    return label_read_all(f, node, &rule, &t->match, &t->n_match);
}

static const struct table_key metrics_keys[] = {
    {.name = "path",
     .type = TABLE_STRING,
     AT(t.metrics.path),
     .max = 2048,
     .check = address_check_path},
    {.name = "poll_interval",
     .type = TABLE_DURATION,
     AT(t.metrics.interval),
     .min = USEC_PER_SEC,
     .max = USEC_PER_DAY},
};

/* Its row has offset 0, so that both tables count from the same base. */
static const struct table metrics_table = {.where = "in metrics", KEYS(metrics_keys)};

#define METRIC(key, field)      \
    {.name = (key),             \
     .type = TABLE_STRING,      \
     AT(field),                 \
     .max = TRIGGER_METRIC_MAX, \
     .check = trigger_check_metric}
#define TEXT(key, field) {.name = (key), .type = TABLE_STRING, AT(field)}

static const struct table_key keys[] = {
    {.name = "name",
     .type = TABLE_STRING,
     .flags = TABLE_REQUIRED,
     AT(t.name),
     .max = TRIGGER_NAME_MAX,
     .check = check_name},
    {.name = "jobs",
     .type = TABLE_LIST,
     .flags = TABLE_NONEMPTY,
     AT(t.jobs),
     .max = TRIGGER_JOBS_MAX,
     .item = read_job},
    {.name = "metrics", .type = TABLE_MAPPING, .table = &metrics_table},
    METRIC("histogram", metric[TRIGGER_HISTOGRAM]),
    METRIC("rate", metric[TRIGGER_RATE]),
    METRIC("gauge", metric[TRIGGER_GAUGE]),
    {.name = "ratio",
     .type = TABLE_LIST,
     .flags = TABLE_NONEMPTY,
     AT(ratio),
     .max = TRIGGER_JOBS_MAX,
     .item = read_ratio},
    TEXT("value", metric[TRIGGER_VALUE]),
    {.name = "label",
     .type = TABLE_LIST,
     .flags = TABLE_NONEMPTY,
     AT(t.labels),
     .max = CODES_LABELS,
     .item = read_label},
    {.name = "after",
     .type = TABLE_LIST,
     .flags = TABLE_NONEMPTY,
     AT(t.after),
     .max = CODES_LABELS,
     .item = read_after},
    {.name = "match", .type = TABLE_CUSTOM, AT(t.match), .custom = read_match},
    TEXT("above", above),
    TEXT("below", below),
    TEXT("share", share),
    TEXT("growth", growth),
    {.name = "over",
     .type = TABLE_DURATION,
     AT(t.over),
     .min = USEC_PER_MIN,
     .max = TRIGGER_OVER_MAX},
    TEXT("times_baseline", times_baseline),
    {.name = "min_count", .type = TABLE_UINT64, AT(t.min_count), .min = 1, .max = COUNT_MAX},
    {.name = "for", .type = TABLE_UNSIGNED, AT(t.polls), .min = 1, .max = POLLS_MAX},
    {.name = "capture",
     .type = TABLE_LIST,
     .flags = TABLE_NONEMPTY,
     AT(t.capture),
     .max = KINDS,
     .item = read_kind},
    {.name = "cooldown", .type = TABLE_DURATION, AT(t.cooldown), .min = USEC_PER_SEC, .max = YEAR},
    {.name = "expr",
     .type = TABLE_REFUSED,
     .hint = "contraced has no query language: give one of " TRIGGER_CONDITIONS},
};

static const struct table trigger_table = {.where = "in trigger_configs", KEYS(keys)};

static void text_done(struct trigger_text *x)
{
    for (size_t i = 0; i < TRIGGER_MEASURES; i++)
        free(x->metric[i]);
    free(x->ratio[0]);
    free(x->ratio[1]);
    free(x->above);
    free(x->below);
    free(x->share);
    free(x->growth);
    free(x->times_baseline);
}

int trigger_read(struct yaml_file *f, const yaml_node_t *node, void *base, size_t count)
{
    struct config *c = base;
    struct trigger_text x = {.t = {.cooldown = 10 * USEC_PER_MIN}};
    struct trigger_config *t;
    int r = yaml_file_spend(f, node, sizeof(*t) + 64);

    if (r < 0)
        return r;
    /* Allocates all items at once: places are remembered by addresses, which must not change. */
    if (!c->triggers) {
        c->triggers = calloc(count, sizeof(*c->triggers));
        if (!c->triggers)
            return yaml_file_oom(f);
    }
    r = table_read(f, node, &trigger_table, &x);
    if (r == 0)
        r = trigger_condition(f, node, &x);
    text_done(&x);
    if (r < 0) {
        trigger_done(&x.t);
        return r;
    }
    t = &c->triggers[c->n_triggers++];
    *t = x.t;
    t->line = (unsigned)node->start_mark.line + 1;
    t->column = (unsigned)node->start_mark.column + 1;
    r = yaml_file_place(f, trigger_node_of(f, node, "value"), &t->of[0], false);
    if (r == 0)
        r = yaml_file_place(f, trigger_node_of(f, node, "capture"), &t->capture, false);
    return r == 0 ? yaml_file_place(f, node, &t->name, false) : r;
}

void trigger_done(struct trigger_config *t)
{
    free(t->name);
    for (size_t i = 0; i < t->n_jobs; i++)
        free(t->jobs[i]);
    free(t->jobs);
    free(t->metrics.path);
    free(t->of[0]);
    free(t->of[1]);
    label_clear_all(&t->match, &t->n_match);
}

bool trigger_for_job(const struct trigger_config *t, const char *job)
{
    for (size_t i = 0; i < t->n_jobs; i++) {
        if (strcmp(t->jobs[i], job) == 0)
            return true;
    }
    return t->n_jobs == 0;
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_lists(const struct trigger_config *a, const struct trigger_config *b)
{
    bool same = a->n_jobs == b->n_jobs && a->n_match == b->n_match;

    for (size_t i = 0; same && i < a->n_jobs; i++)
        same = strcmp(a->jobs[i], b->jobs[i]) == 0;
    for (size_t i = 0; same && i < a->n_match; i++)
        same = strcmp(a->match[i].name, b->match[i].name) == 0 &&
               strcmp(a->match[i].value, b->match[i].value) == 0;
    return same;
}

bool trigger_equal(const struct trigger_config *a, const struct trigger_config *b)
{
    return same_text(a->name, b->name) && same_text(a->metrics.path, b->metrics.path) &&
           a->metrics.interval == b->metrics.interval && a->measure == b->measure &&
           same_text(a->of[0], b->of[0]) && same_text(a->of[1], b->of[1]) &&
           a->of_rate[0] == b->of_rate[0] && a->of_rate[1] == b->of_rate[1] &&
           a->bound <= b->bound && a->bound >= b->bound && a->test == b->test &&
           a->limit <= b->limit && a->limit >= b->limit && a->over == b->over &&
           a->labels == b->labels && a->after == b->after && a->polls == b->polls &&
           a->min_count == b->min_count && a->capture == b->capture && a->cooldown == b->cooldown &&
           same_lists(a, b);
}

static bool is_job(const struct config *c, const char *name)
{
    for (size_t i = 0; i < c->n_jobs; i++) {
        if (c->jobs[i].name && strcmp(c->jobs[i].name, name) == 0)
            return true;
    }
    return false;
}

/* Jobs of the command line come later than the file: then a name is looked up without its place. */
static void check_jobs(struct check *k, const struct trigger_config *t)
{
    for (size_t i = 0; i < t->n_jobs; i++) {
        if (!is_job(k->c, t->jobs[i]))
            check_report(k, CHECK_AT(&t->jobs[i]), "", "trigger `%s`: there is no job `%s`",
                         t->name, t->jobs[i]);
        for (size_t j = 0; j < i; j++) {
            if (strcmp(t->jobs[i], t->jobs[j]) == 0)
                check_report(k, CHECK_AT(&t->jobs[i]), "", "trigger `%s`: job `%s` is given twice",
                             t->name, t->jobs[i]);
        }
    }
}

/* A rule that takes nothing but a flight recording needs a job that has one. */
static void check_flights(struct check *k, const struct trigger_config *t)
{
    if (t->capture != 1u << KIND_FLIGHT || k->c->n_jobs == 0)
        return;
    for (size_t i = 0; i < k->c->n_jobs; i++) {
        if (trigger_for_job(t, k->c->jobs[i].name ? k->c->jobs[i].name : "") &&
            k->c->jobs[i].flight.path)
            return;
    }
    check_report(k, CHECK_AT(&t->capture, &t->name), "",
                 "trigger `%s`: none of its jobs has `flight`, so it would capture nothing",
                 t->name);
}

/* PATH_FOUND also if it is no number: then *ret_value is that. */
static enum path_found find_value(const char *text, const json_t *example, const json_t **ret_value)
{
    struct path path;

    return path_parse(text, &path) < 0 ? PATH_UNKNOWN : path_find(&path, example, ret_value);
}

static void report_unknown(struct check *k, const struct trigger_config *t, const json_t *example)
{
    char near[PATH_NEAR][PATH_SIZE], more[PATH_NEAR * (PATH_SIZE + 2) + 32];
    size_t n = path_near(t->of[0], example, near), used = 0;

    (void)snprintf(more, sizeof(more), "docs/summary.schema.json has all");
    for (size_t i = 0; i < n; i++)
        used += (size_t)snprintf(more + used, sizeof(more) - used, "%s%s",
                                 i > 0 ? ", " : "did you mean ", near[i]);
    check_report(k, CHECK_AT(&t->of[0], &t->name), "",
                 "trigger `%s`: value: a trace's summary has no `%s`; %s%s", t->name, t->of[0],
                 more, n > 0 ? "?" : "");
}

static void check_value(struct check *k, const struct trigger_config *t, const json_t *example)
{
    const json_t *value = NULL;
    enum path_found found = find_value(t->of[0], example, &value);

    if (found == PATH_UNKNOWN)
        report_unknown(k, t, example);
    else if (found == PATH_FOUND && !json_is_number(value) && !json_is_boolean(value))
        check_report(k, CHECK_AT(&t->of[0], &t->name), "",
                     "trigger `%s`: value: `%s` of a trace's summary is no number%s", t->name,
                     t->of[0], json_is_string(value) ? "" : ", but has some");
}

static int check_values(struct check *k)
{
    json_t *example = NULL;
    int r = 0;

    for (size_t i = 0; i < k->c->n_triggers && r == 0; i++) {
        const struct trigger_config *t = &k->c->triggers[i];

        if (t->measure != TRIGGER_VALUE)
            continue;
        if (!example)
            r = shape_example(&example);
        if (r == 0)
            check_value(k, t, example);
    }
    json_decref(example);
    return r;
}

int check_triggers(struct check *k)
{
    const struct trigger_config *triggers = k->c->triggers;

    for (size_t i = 0; i < k->c->n_triggers; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(triggers[i].name, triggers[j].name) == 0)
                check_report(k, CHECK_AT(&triggers[i].name), "",
                             "trigger `%s` is given twice; the first is in line %u",
                             triggers[i].name, triggers[j].line);
        }
        check_jobs(k, &triggers[i]);
        check_flights(k, &triggers[i]);
    }
    return check_values(k);
}
