/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/config/trigger_condition.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "lib/config/trigger_measure.h"
#include "lib/value/amount.h"
#include "lib/value/path.h"

#define DEFAULT_PATH "/metrics"
#define DEFAULT_INTERVAL (15 * USEC_PER_SEC)
#define DEFAULT_MIN_COUNT 20
#define DEFAULT_POLLS 2
static const char bucket[] = "_bucket";

#define POLLS_LEAST 4 /* that must fit into `over` */

#define BIT(measure) (1u << TRIGGER_##measure)
#define POLLED (BIT(HISTOGRAM) | BIT(RATE) | BIT(GAUGE) | BIT(RATIO))
#define NUMBER (BIT(RATE) | BIT(GAUGE) | BIT(RATIO) | BIT(VALUE))

const char *trigger_check_metric(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_:";
    static const char more[] = "0123456789.-/";

    if (!strchr(letters, text[0]))
        return "is no metric's name: it begins with a letter, _ or :";
    for (const char *p = text; *p; p++) {
        if (!strchr(letters, *p) && !strchr(more, *p))
            return "is no metric's name: labels are given with `match`";
    }
    return NULL;
}

const yaml_node_t *trigger_node_of(struct yaml_file *f, const yaml_node_t *item, const char *key)
{
    for (const yaml_node_pair_t *pair = item->data.mapping.pairs.start;
         pair < item->data.mapping.pairs.top; pair++) {
        const yaml_node_t *name = yaml_file_node(f, pair->key);

        if (name && name->type == YAML_SCALAR_NODE &&
            strcmp((const char *)name->data.scalar.value, key) == 0)
            return yaml_file_node(f, pair->value);
    }
    return item;
}

/* Which keys go with which measures. */
static const struct {
    const char *key;
    size_t offset; /* of a pointer, or of a number that is not 0, in struct trigger_text */
    bool number;
    unsigned measures;
    const char *why;
} fits[] = {
#define TEXT(key, field, measures, why) \
    {key, offsetof(struct trigger_text, field), false, measures, why}
#define NUMBERED(key, field, measures, why) \
    {key, offsetof(struct trigger_text, field), true, measures, why}
    TEXT("above", above, NUMBER | BIT(HISTOGRAM), "is held against numbers"),
    TEXT("below", below, NUMBER, "is held against rate, gauge, ratio and value"),
    TEXT("share", share, BIT(HISTOGRAM), "is of a histogram's observations"),
    TEXT("growth", growth, NUMBER, "is of rate, gauge, ratio and value"),
    TEXT("times_baseline", times_baseline, NUMBER | BIT(HISTOGRAM), "is held against numbers"),
    NUMBERED("min_count", t.min_count, BIT(HISTOGRAM), "counts a histogram's observations"),
    NUMBERED("after", t.after, BIT(LABEL), "belongs to `label`"),
    TEXT("match", t.match, POLLED, "chooses series by their labels, and this is none"),
    TEXT("metrics", t.metrics.path, POLLED, "is polled for metrics; traces are not"),
    NUMBERED("metrics", t.metrics.interval, POLLED, "is polled for metrics; traces are not"),
#undef TEXT
#undef NUMBERED
};

static bool has(const struct trigger_text *x, size_t i)
{
    const char *at = (const char *)x + fits[i].offset;

    if (!fits[i].number)
        return *(char *const *)(const void *)at != NULL;
    /* min_count and the interval are 64 bits wide, a set of labels 32. */
    return strcmp(fits[i].key, "after") == 0 ? *(const uint32_t *)(const void *)at != 0
                                             : *(const uint64_t *)(const void *)at != 0;
}

/* What an error begins with: the rule's name is known, as it is required. */
#define ABOUT "trigger `%s`: "

static bool given(const struct trigger_text *x, enum trigger_measure m)
{
    if (m == TRIGGER_RATIO)
        return x->n_ratio > 0;
    return m == TRIGGER_LABEL ? x->t.labels != 0 : x->metric[m] != NULL;
}

static int find_measure(struct yaml_file *f, const yaml_node_t *node, struct trigger_text *x)
{
    int first = -1;

    for (int m = 0; m < TRIGGER_MEASURES; m++) {
        if (!given(x, (enum trigger_measure)m))
            continue;
        if (first >= 0)
            return yaml_file_error(f, node,
                                   ABOUT "`%s` and `%s` are two conditions; a rule has one: write "
                                         "two rules",
                                   x->t.name, trigger_measure_name((enum trigger_measure)first),
                                   trigger_measure_name((enum trigger_measure)m));
        first = m;
    }
    if (first < 0)
        return yaml_file_error(f, node, ABOUT "has no condition: give one of " TRIGGER_CONDITIONS,
                               x->t.name);
    x->t.measure = (enum trigger_measure)first;
    return 0;
}

static int check_fits(struct yaml_file *f, const yaml_node_t *node, const struct trigger_text *x)
{
    for (size_t i = 0; i < sizeof(fits) / sizeof(fits[0]); i++) {
        if (has(x, i) && !(fits[i].measures & 1u << x->t.measure))
            return yaml_file_error(f, node, ABOUT "`%s` does not go with `%s`: it %s", x->t.name,
                                   fits[i].key, trigger_measure_name(x->t.measure), fits[i].why);
    }
    return 0;
}

/* "0.5", "50%", "150%". */
static int parse_share(const char *text, double *ret)
{
    char number[PARSE_TEXT_SIZE];
    size_t n = strlen(text);
    int r;

    if (n == 0 || n >= sizeof(number) || text[n - 1] != '%')
        return parse_decimal(text, ret);
    memcpy(number, text, n - 1);
    number[n - 1] = '\0';
    r = parse_decimal(number, ret);
    if (r == 0)
        *ret /= 100;
    return r;
}

/* A number, a share, a duration or a size, in the unit of the metric `name`. */
static int parse_limit(const char *text, const char *name, double *ret)
{
    struct amount amount;

    if (amount_parse(text, &amount) < 0 || amount.value < 0)
        return -EINVAL;
    *ret = amount_in(&amount, name ? name : "");
    return 0;
}

/* The key in whose value a limit stands: `value: PATH > LIMIT` has it, too. */
static const char *limit_key(const struct trigger_text *x, const char *key)
{
    return x->short_limit ? "value" : key;
}

static int read_limit(struct yaml_file *f, const yaml_node_t *node, const struct trigger_text *x,
                      const char *key, const char *text, double *ret)
{
    const char *name = x->n_ratio > 0 ? NULL : x->metric[x->t.measure];

    if (parse_limit(text, name, ret) == 0)
        return 0;
    return yaml_file_error(f, trigger_node_of(f, node, limit_key(x, key)),
                           ABOUT "%s: expected a number, a share such as 5%%, a duration such as "
                                 "10ms or a size such as 1GiB, got `%.60s`",
                           x->t.name, key, text);
}

/* `value: scheduler.latency.p99_ns > 50ms` is short for `value` with `above`. */
static int split_value(struct yaml_file *f, const yaml_node_t *node, struct trigger_text *x)
{
    char *path = x->metric[TRIGGER_VALUE], *sign, **limit;
    struct path parsed;
    int n = path_scan(path, &parsed);

    sign = n < 0 ? path : path + n + strspn(path + n, " ");
    if (n < 0 || (*sign != '\0' && *sign != '<' && *sign != '>'))
        return yaml_file_error(f, trigger_node_of(f, node, "value"),
                               ABOUT "value: `%.60s` is no path of a number in a trace's summary, "
                                     "such as scheduler.latency.p99_ns",
                               x->t.name, path);
    if (*sign == '\0')
        return 0;
    limit = *sign == '>' ? &x->above : &x->below;
    if (*limit)
        return yaml_file_error(f, trigger_node_of(f, node, "value"),
                               ABOUT "value: `%.60s` has a limit already", x->t.name, path);
    *limit = strdup(sign + 1 + strspn(sign + 1, " "));
    if (!*limit)
        return yaml_file_oom(f);
    path[n] = '\0';
    x->short_limit = true;
    return 0;
}

static int read_growth(struct yaml_file *f, const yaml_node_t *node, struct trigger_text *x)
{
    struct trigger_config *t = &x->t;
    usec interval = t->metrics.interval ? t->metrics.interval : DEFAULT_INTERVAL;
    char least[PARSE_TEXT_SIZE];

    if (parse_share(x->growth, &t->limit) < 0 || !(t->limit > 0))
        return yaml_file_error(f, trigger_node_of(f, node, "growth"),
                               ABOUT "growth: expected a share such as 50%%, got `%.60s`", t->name,
                               x->growth);
    if (t->over == 0)
        return yaml_file_error(f, node, ABOUT "`growth` needs `over`: the time in which it grows",
                               t->name);
    if (t->measure != TRIGGER_VALUE && t->over < POLLS_LEAST * interval)
        return yaml_file_error(f, trigger_node_of(f, node, "over"),
                               ABOUT "over: must be at least %s, as that is %d poll intervals",
                               t->name, format_duration(POLLS_LEAST * interval, least),
                               POLLS_LEAST);
    t->test = TRIGGER_GROWTH;
    return 0;
}

static int read_times(struct yaml_file *f, const yaml_node_t *node, struct trigger_text *x)
{
    if (parse_decimal(x->times_baseline, &x->t.limit) < 0 || !(x->t.limit > 1))
        return yaml_file_error(f, trigger_node_of(f, node, "times_baseline"),
                               ABOUT "times_baseline: expected a number above 1, got `%.60s`",
                               x->t.name, x->times_baseline);
    x->t.test = TRIGGER_TIMES_BASELINE;
    return 0;
}

/* A histogram's share is held against `share` or the baseline; `above` is the bound. */
static int read_histogram(struct yaml_file *f, const yaml_node_t *node, struct trigger_text *x)
{
    struct trigger_config *t = &x->t;
    const char *name = x->metric[TRIGGER_HISTOGRAM];
    size_t n = strlen(name), end = strlen(bucket);

    if (n > end && strcmp(name + n - end, bucket) == 0)
        return yaml_file_error(f, trigger_node_of(f, node, "histogram"),
                               ABOUT "histogram: `%.200s` is a series of `%.*s`: leave out `%s`",
                               t->name, name, (int)(n - end), name, bucket);
    if (!x->above)
        return yaml_file_error(f, node, ABOUT "`histogram` needs `above`: the bound of what counts",
                               t->name);
    if ((x->share != NULL) == (x->times_baseline != NULL))
        return yaml_file_error(f, node,
                               ABOUT "`histogram` needs `share` or `times_baseline`, one "
                                     "of the two",
                               t->name);
    if (t->min_count == 0)
        t->min_count = DEFAULT_MIN_COUNT;
    if (x->times_baseline)
        return read_times(f, node, x);
    t->test = TRIGGER_ABOVE;
    if (parse_share(x->share, &t->limit) < 0 || t->limit >= 1)
        return yaml_file_error(f, trigger_node_of(f, node, "share"),
                               ABOUT "share: expected a share such as 1%%, below 100%%, "
                                     "got `%.60s`",
                               t->name, x->share);
    return 0;
}

static int read_number(struct yaml_file *f, const yaml_node_t *node, struct trigger_text *x)
{
    const struct {
        const char *key, *text;
    } tests[] = {
        {"above", x->above},
        {"below", x->below},
        {"growth", x->growth},
        {"times_baseline", x->times_baseline},
    };
    const char *first = NULL, *measure = trigger_measure_name(x->t.measure);

    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        if (tests[i].text && first)
            return yaml_file_error(f, node,
                                   ABOUT "`%s` and `%s` exclude each other: write two rules",
                                   x->t.name, first, tests[i].key);
        if (tests[i].text)
            first = tests[i].key;
    }
    if (!first)
        return yaml_file_error(f, node, ABOUT "`%s` needs above, below, growth or times_baseline",
                               x->t.name, measure);
    if (x->growth)
        return read_growth(f, node, x);
    if (x->times_baseline)
        return read_times(f, node, x);
    x->t.test = x->above ? TRIGGER_ABOVE : TRIGGER_BELOW;
    return read_limit(f, node, x, first, x->above ? x->above : x->below, &x->t.limit);
}

static int read_labels(struct yaml_file *f, const yaml_node_t *node, struct trigger_text *x)
{
    x->t.test = TRIGGER_BECOMES;
    if ((x->t.labels & x->t.after) == 0)
        return 0;
    return yaml_file_error(f, node, ABOUT "a label stands both in `label` and in `after`",
                           x->t.name);
}

/* The defaults, and the texts that are kept. */
static int complete(struct yaml_file *f, struct trigger_text *x)
{
    struct trigger_config *t = &x->t;

    if (t->polls == 0)
        t->polls = trigger_polled(t) ? DEFAULT_POLLS : 1;
    if (t->measure == TRIGGER_RATIO) {
        for (size_t i = 0; i < 2; i++) {
            t->of[i] = steal(&x->ratio[i]);
            t->of_rate[i] = x->ratio_rate[i];
        }
    } else {
        t->of[0] = steal(&x->metric[t->measure]);
    }
    if (!trigger_polled(t))
        return 0;
    if (t->metrics.interval == 0)
        t->metrics.interval = DEFAULT_INTERVAL;
    if (!t->metrics.path)
        t->metrics.path = strdup(DEFAULT_PATH);
    return t->metrics.path ? 0 : yaml_file_oom(f);
}

int trigger_condition(struct yaml_file *f, const yaml_node_t *node, struct trigger_text *x)
{
    int r = find_measure(f, node, x);

    if (r == 0)
        r = check_fits(f, node, x);
    if (r == 0 && x->t.over > 0 && !x->growth)
        r = yaml_file_error(f, node, ABOUT "`over` belongs to `growth`", x->t.name);
    if (r == 0 && x->t.measure == TRIGGER_VALUE)
        r = split_value(f, node, x);
    if (r < 0)
        return r;
    if (x->t.measure == TRIGGER_HISTOGRAM) {
        r = read_histogram(f, node, x);
        if (r == 0)
            r = read_limit(f, node, x, "above", x->above, &x->t.bound);
    } else if (x->t.measure == TRIGGER_LABEL) {
        r = read_labels(f, node, x);
    } else {
        r = read_number(f, node, x);
    }
    return r < 0 ? r : complete(f, x);
}
