/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/explain/explain.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/jsontext.h"
#include "cli/common/arguments.h"
#include "cli/common/command.h"
#include "cli/common/screen.h"
#include "cli/explain/incident.h"
#include "cli/find/sources.h"
#include "cli/read/failure.h"
#include "cli/read/summary.h"
#include "cli/read/tracefile.h"

static const char intro[] =
    "Usage: contrace explain [OPTIONS] FILE|KEY...\n"
    "       contrace explain checkout/web-3/20261121/150405-1234.trace\n"
    "Says on one screen what is wrong with a traced program, why, and where; how the trace differs\n"
    "from those before it; and what to do next. FILE - is standard input. A KEY, as 'contrace list'\n"
    "shows it, is looked for in the local spool.\n";

#define OUTPUT_MAX (1u << 20)
#define SOURCES_SHOWN 2 /* of sources_rows: configuration and spool */

struct explain_arguments {
    bool json;
};

static const struct argument rows[] = {
    {"json", 0, NULL, "one JSON object a trace", argument_flag,
     offsetof(struct explain_arguments, json)},
};

struct job {
    struct explain_arguments arguments;
    struct sources_arguments where;
    struct sources sources;
    bool opened;      /* the spool, or that was tried: */
    int opened_error; /* then how it went */
    bool printed;     /* a text: the next one stands apart */
};

/* The spool is opened only for the first key. */
static int open_spool(struct job *job)
{
    if (!job->opened) {
        job->where.local = true;
        job->opened_error = sources_open(&job->sources, &job->where);
        job->opened = true;
    }
    return job->opened_error;
}

/* With or without the suffix. False: it is no key of a trace. */
static bool is_key(const char *word, char key[static NAME_KEY_MAX])
{
    struct name name;

    if (strlen(word) >= NAME_KEY_MAX - 8)
        return false;
    (void)snprintf(key, NAME_KEY_MAX, "%s%s", word,
                   name_is_stem(word) ? kind_suffix(KIND_TRACE) : "");
    return name_parse(key, &name) == 0;
}

/* A key without its suffix may be an incident's id. */
static int open_key(struct job *job, const char *word, char key[static NAME_KEY_MAX],
                    struct subject *ret)
{
    int r = open_spool(job);
    enum kind kind = name_kind(key);

    if (r < 0)
        return r;
    if (kind != KIND_TRACE && kind != KIND_FLIGHT) {
        complain("%s is a profile, no trace; 'contrace pull %s' brings it here for 'go tool pprof'",
                 word, word);
        return -EINVAL;
    }
    r = subject_open_key(&job->sources.local, key, ret);
    if (r == -ENOENT && name_is_stem(word)) {
        r = incident_trace(&job->sources.local, word, key);
        if (r == 0)
            r = subject_open_key(&job->sources.local, key, ret);
    }
    if (r == -ENOENT)
        complain("%s is not in %s; 'contrace pull %s' brings it here from the store, and "
                 "'contrace pull --incident=%s' all of an incident of this id",
                 word, job->sources.local.path, word, word);
    else if (r < 0)
        complain("%s: %s", word, strerror(-r));
    return r;
}

/* 0, or a negative errno after a message. */
static int open_subject(struct job *job, const char *word, struct subject *ret)
{
    struct failure failure;
    char key[NAME_KEY_MAX];
    int r;

    if (strcmp(word, "-") != 0 && access(word, F_OK) < 0 && is_key(word, key))
        return open_key(job, word, key, ret);
    r = subject_open_file(word, ret);
    if (r == 0)
        return 0;
    failure = failure_of(r);
    failure_complain(word, &failure,
                     r == -ENOENT ? "; neither a file nor a key, as 'contrace list' shows them"
                                  : "");
    if (job->arguments.json)
        (void)failure_print(word, EXPLAIN_SCHEMA, &failure);
    return r;
}

/* 0, or a negative errno after a message; what can be read of a damaged trace is summed up. */
static int read_trace(const struct job *job, const struct subject *s, struct summary *ret)
{
    struct gotrace *trace;
    struct failure failure;
    int r = gotrace_open_mapped(NULL, s->fd, &trace);

    if (r < 0) {
        failure = failure_of(r);
    } else {
        gotrace_spill(trace, tracefile_unnamed, NULL);
        r = summary_run(trace, ret);
        failure = failure_of_trace(trace, r);
        gotrace_close(trace);
    }
    if (r == 0 && ret->complete)
        return 0;
    if (r == 0)
        failure = summary_failure(ret);
    failure_complain(s->path, &failure, r == 0 ? "; what came before is explained" : "");
    if (r < 0 && job->arguments.json)
        (void)failure_print(s->path, EXPLAIN_SCHEMA, &failure);
    return r;
}

/* The same numbers as a record has. 0 or a negative errno. */
static int read_own(const struct explanation *e, struct usual_values *ret)
{
    struct summary_view view = {.name = e->subject->path, .context = e->context};
    json_t *json = NULL;
    struct buf text;
    int r;

    buf_init(&text, SUMMARY_JSON_MAX);
    r = summary_json(&view, e->summary, SUMMARY_NO_SITES, &text);
    if (r == 0)
        r = jsontext_parse(buf_str(&text), text.len, 0, NULL, &json);
    if (r == 0)
        usual_read(json, ret);
    json_decref(json);
    buf_done(&text);
    return r;
}

/* `found` must outlive the explanation. 0 or a negative errno; what cannot be read is told. */
static int compare(struct explanation *e, struct earlier *found)
{
    const char *labels[USUAL_MAX];
    struct usual_values now;
    int r = earlier_find(e->subject, found);

    if (r == -ENOMEM)
        return r;
    if (r < 0)
        complain("%s cannot be read whole, for comparison: %s", e->subject->root, strerror(-r));
    e->earlier = earlier_chosen(found);
    for (size_t i = 0; i < e->earlier->n; i++)
        labels[i] = e->earlier->labels[i];
    e->usual_label = usual_text(labels, e->earlier->n, &e->usual_label_times);
    r = earlier_before(e->subject, &e->before);
    if (r < 0 || e->findings.not_inspected || (!e->usual_label && !e->before.known))
        return r;
    r = read_own(e, &now);
    if (r < 0)
        return r;
    e->n_moves = usual_moves(e->earlier->values, e->earlier->n, &now, e->moves);
    if (e->before.known)
        e->n_since = usual_moves(&e->before.values, 1, &now, e->since);
    return 0;
}

static bool is_own(const struct finding_site *site)
{
    return site->own.at.func && *site->own.at.func;
}

/* The worst of each finding, by their order, that another one does not have already. */
static void add_sites(struct explanation *e, bool own)
{
    for (size_t i = 0; i < e->findings.n; i++) {
        const struct finding *f = &e->findings.list[i];

        for (size_t k = 0; k < f->n_sites && f->score > 0; k++) {
            const struct finding_site *site = &f->sites[k];
            size_t at = 0;

            if (is_own(site) != own || site->total < f->sites[0].total / 100)
                continue;
            while (at < e->n_sites &&
                   !place_equal(&e->sites[at].own, &e->sites[at].at, &site->own, &site->at))
                at++;
            if (at == e->n_sites && at < EXPLAIN_SITES)
                e->sites[e->n_sites++] = *site;
        }
    }
}

static int print(struct job *job, const struct explanation *e)
{
    struct buf text;
    int r;

    if (!job->arguments.json) {
        if (job->printed)
            (void)putchar('\n');
        job->printed = true;
        return explain_text(stdout, e);
    }
    buf_init(&text, OUTPUT_MAX);
    r = explain_json(e, &text);
    if (r == 0)
        (void)puts(buf_str(&text));
    buf_done(&text);
    return r;
}

/* 0, or a negative errno after a message. */
static int explain(struct job *job, const struct subject *subject, const struct summary *summary,
                   struct earlier *earlier)
{
    struct explanation e = {
        .subject = subject,
        .summary = summary,
        .context = subject->has_context ? &subject->context : NULL,
        .utf8 = screen_utf8(),
    };
    struct failure failure;
    int r;

    findings_find(summary, e.context, &e.findings);
    add_sites(&e, true);
    add_sites(&e, false);
    r = compare(&e, earlier);
    if (r == 0)
        r = steps_find(subject, summary, &e.findings, &e.steps);
    if (r == 0)
        r = print(job, &e);
    steps_done(&e.steps);
    if (r < 0) {
        failure = failure_of_json(r);
        failure_complain(subject->path, &failure, "");
    }
    return r;
}

/* 0; 1: only in part; or a negative errno, all after messages. */
static int explain_word(struct job *job, const char *word)
{
    struct subject subject;
    struct summary summary;
    struct earlier *earlier;
    int r = open_subject(job, word, &subject);

    if (r < 0)
        return r;
    earlier = calloc(1, sizeof(*earlier));
    r = earlier ? read_trace(job, &subject, &summary) : complain_memory();
    if (r == 0) {
        r = explain(job, &subject, &summary, earlier);
        r = r == 0 && !summary.complete ? 1 : r;
        summary_done(&summary);
    }
    free(earlier);
    subject_close(&subject);
    return r;
}

int command_explain(int argc, char **argv)
{
    struct job job = {.opened = false};
    const struct argument_group groups[] = {GROUP(rows, &job.arguments),
                                            {sources_rows, SOURCES_SHOWN, &job.where}};
    int rest, status = STATUS_OK, r = arguments_parse(argc, argv, groups, 2, intro, &rest);

    if (r != 0)
        return r < 0 ? STATUS_USAGE : STATUS_OK;
    if (rest == argc) {
        complain("explain: which trace? Give files, or keys as 'contrace list' shows them");
        return STATUS_USAGE;
    }
    tracefile_may_go_away();
    for (int i = rest; i < argc && !ferror(stdout); i++) {
        if (explain_word(&job, argv[i]) != 0)
            status = STATUS_FAILED;
    }
    if (job.opened && job.opened_error == 0)
        sources_close(&job.sources);
    return status == STATUS_OK && screen_finish() < 0 ? STATUS_FAILED : status;
}
