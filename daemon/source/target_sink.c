/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/source/target_sink.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "lib/config/group.h"
#include "lib/relabel/relabel.h"

#define QUERY_MAX 2000 /* bytes of all parameters, escaped */
#define PARAM "__param_"

struct target_sink {
    const struct job_config *job;
    struct target_list *list;
    target_sink_fn fn;
    void *userdata;
    struct labelset *labels;
    bool own_job; /* the source gave the label `job` */
};

struct target_sink *target_sink_new(const struct job_config *job, struct target_list *list,
                                    target_sink_fn fn, void *userdata)
{
    struct target_sink *sink = calloc(1, sizeof(*sink));

    if (!sink)
        return NULL;
    *sink = (struct target_sink){job, list, fn, userdata, labelset_new(), false};
    if (!sink->labels) {
        free(sink);
        return NULL;
    }
    return sink;
}

void target_sink_free(struct target_sink *sink)
{
    if (!sink)
        return;
    labelset_free(sink->labels);
    free(sink);
}

struct labelset *target_sink_begin(struct target_sink *sink)
{
    labelset_clear(sink->labels);
    return sink->labels;
}

static void set_default(struct labelset *ls, const char *name, const char *value)
{
    if (!labelset_has(ls, name))
        labelset_set(ls, name, value);
}

static void set_defaults(struct target_sink *sink)
{
    const struct job_config *job = sink->job;

    sink->own_job = labelset_has(sink->labels, "job");
    set_default(sink->labels, "job", job->name);
    set_default(sink->labels, "__scheme__", job->https ? "https" : "http");
    set_default(sink->labels, "__path__", job->path);
}

/* What makes an invalid target of a set of labels; else NULL and *r is 0 or -ENOMEM. */
static const char *read_address(const struct labelset *ls, struct target_config *t, int *r)
{
    const char *address = labelset_get(ls, "__address__"), *why = NULL;

    if (*address == '\0')
        return "it has no __address__";
    *r = address_parse(address, &t->parsed, &why);
    if (*r == -EINVAL) {
        *r = 0;
        return why;
    }
    if (*r == 0) {
        t->address = strdup(address);
        *r = t->address ? 0 : -ENOMEM;
    }
    return NULL;
}

static int copy_text(const char *text, char **ret)
{
    *ret = strdup(text);
    return *ret ? 0 : -ENOMEM;
}

/* Whether the job takes an artifact whose path can only be made of that of traces. */
static bool needs_trace_path(const struct job_config *job)
{
    for (unsigned k = 0; k < KINDS && !job->profiles_path; k++) {
        if (k != KIND_TRACE && k != KIND_FLIGHT && job->artifacts & 1u << k &&
            !job->of_kind[k].path)
            return true;
    }
    return false;
}

static const char *check_path(const struct job_config *job, const char *path)
{
    size_t n = strlen(path);

    if (n == 0)
        return "it has no __path__";
    if (address_check_path(path))
        return "its __path__ does not begin with /, or has a ?, a # or a blank";
    if (needs_trace_path(job) && (n < 6 || strcmp(path + n - 6, "/trace") != 0))
        return "its __path__ does not end in /trace: profiles need `profiles_path`";
    return NULL;
}

static const char *read_way(const struct target_sink *sink, struct target_config *t, int *r)
{
    const char *scheme = labelset_get(sink->labels, "__scheme__");
    const char *path = labelset_get(sink->labels, "__path__");
    const char *host = labelset_get(sink->labels, "__host__"), *why;
    bool https = strcasecmp(scheme, "https") == 0;

    if (!https && strcasecmp(scheme, "http") != 0)
        return "its __scheme__ is neither http nor https";
    if (https != sink->job->https)
        t->https = https ? CONFIG_ON : CONFIG_OFF;
    why = check_path(sink->job, path);
    if (why)
        return why;
    if (strcmp(path, sink->job->path) != 0)
        *r = copy_text(path, &t->path);
    if (*r == 0 && *host)
        *r = copy_text(host, &t->host);
    return NULL;
}

static int escape(struct buf *out, const char *text)
{
    int r = 0;

    for (; r == 0 && *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (isascii(c) && (isalnum(c) || strchr("-._~", c)))
            r = buf_add(out, text, 1);
        else
            r = buf_addf(out, "%%%02X", c);
    }
    return r;
}

/* `seconds` is contraced's own. */
static const char *read_query(const struct labelset *ls, struct target_config *t, int *r)
{
    struct buf query;

    buf_init(&query, QUERY_MAX);
    for (size_t i = 0; i < labelset_count(ls) && *r == 0; i++) {
        struct labelset_item item = labelset_at(ls, i);
        const char *name = item.name + strlen(PARAM);

        if (strncmp(item.name, PARAM, strlen(PARAM)) != 0 || *name == '\0' ||
            strcmp(name, "seconds") == 0)
            continue;
        *r = query.len > 0 ? buf_adds(&query, "&") : 0;
        if (*r == 0)
            *r = escape(&query, name);
        if (*r == 0)
            *r = buf_adds(&query, "=");
        if (*r == 0)
            *r = escape(&query, item.value);
    }
    if (*r == 0 && query.len > 0)
        *r = copy_text(buf_str(&query), &t->query);
    buf_done(&query);
    if (*r == -E2BIG) {
        *r = 0;
        return "its parameters are too long";
    }
    return NULL;
}

/* Whether the label goes into the target's records. */
static bool is_public(const struct target_sink *sink, const struct labelset_item *item)
{
    if (strncmp(item->name, "__", 2) == 0 || !labelset_is_name(item->name))
        return false;
    return sink->own_job || strcmp(item->name, "job") != 0 ||
           strcmp(item->value, sink->job->name) != 0;
}

static const char *read_labels(const struct target_sink *sink, struct target_config *t, int *r)
{
    size_t bytes = 0, n = labelset_count(sink->labels);

    for (size_t i = 0; i < n; i++) {
        struct labelset_item item = labelset_at(sink->labels, i);
        struct label *l;

        if (!is_public(sink, &item))
            continue;
        if (t->n_labels == CONFIG_LABELS_MAX)
            return "it has more than 64 labels";
        bytes += strlen(item.name) + strlen(item.value);
        if (bytes > CONFIG_LABELS_BYTES_MAX)
            return "its labels have more than 8 KiB";
        if (!t->labels)
            t->labels = calloc(CONFIG_LABELS_MAX, sizeof(*t->labels));
        l = t->labels ? &t->labels[t->n_labels++] : NULL;
        if (!l || copy_text(item.name, &l->name) < 0 || copy_text(item.value, &l->value) < 0) {
            *r = -ENOMEM;
            return NULL;
        }
    }
    return NULL;
}

/* Makes the target of its labels. Why it is none, or NULL. */
static const char *make_target(struct target_sink *sink, struct target_config *t, int *r)
{
    const char *why = read_address(sink->labels, t, r);

    if (!why && *r == 0)
        why = read_way(sink, t, r);
    if (!why && *r == 0)
        why = read_query(sink->labels, t, r);
    if (!why && *r == 0)
        why = read_labels(sink, t, r);
    return why;
}

/* Gives back what is not needed of the array of labels. */
static void shrink(struct target_config *t)
{
    struct label *labels =
        t->n_labels > 0 ? reallocarray(t->labels, t->n_labels, sizeof(*labels)) : NULL;

    if (labels)
        t->labels = labels;
}

static const char *why_failed(int r)
{
    return r == -ELOOP ? "a regex of relabel_configs took too many steps with it"
                       : "its labels are too long";
}

static void tell(struct target_sink *sink, const struct target_fate *fate)
{
    if (sink->fn)
        sink->fn(sink->userdata, fate);
}

int target_sink_put(struct target_sink *sink)
{
    const struct job_config *job = sink->job;
    struct target_fate fate = {.labels = sink->labels};
    struct target_config t = {0};
    int kept, r = 0;

    set_defaults(sink);
    (void)snprintf(fate.address, sizeof(fate.address), "%s",
                   labelset_get(sink->labels, "__address__"));
    kept = relabel_apply(job->relabel, job->n_relabel, sink->labels, &fate.rule);
    if (kept == -ENOMEM)
        return kept;
    if (kept > 0)
        fate.why = make_target(sink, &t, &r);
    else if (kept < 0)
        fate.why = why_failed(kept);
    fate.end = kept == 0 ? TARGET_DROPPED : fate.why ? TARGET_INVALID : TARGET_KEPT;
    if (r == 0 && fate.end == TARGET_KEPT) {
        shrink(&t);
        fate.kept = &t;
        tell(sink, &fate);
        r = target_list_add(sink->list, &t);
    } else if (r == 0) {
        tell(sink, &fate);
    }
    target_config_done(&t);
    return r;
}

int target_sink_put_list(struct target_sink *sink, const struct target_list *list, const char *name,
                         const char *value)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < list->n; i++) {
        const struct target_config *t = &list->items[i];
        struct labelset *ls = target_sink_begin(sink);

        for (size_t k = 0; k < t->n_labels; k++)
            labelset_set(ls, t->labels[k].name, t->labels[k].value);
        labelset_set(ls, "__address__", t->address);
        if (name)
            labelset_set(ls, name, value);
        r = target_sink_put(sink);
    }
    return r;
}
