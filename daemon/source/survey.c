/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/source/survey.h"

#include <string.h>
#include <systemd/sd-event.h>

#include "base/buf.h"
#include "daemon/source/discovery.h"
#include "lib/relabel/relabel.h"

#define LINE_MAX_BYTES (64u << 10)

struct survey {
    const struct job_config *job;
    FILE *out;
    size_t n, kept, dropped, invalid;
    struct buf line;
};

static void add_labels(struct buf *line, const struct target_config *t)
{
    for (size_t i = 0; i < t->n_labels; i++) {
        (void)buf_addf(line, "%s%s=\"", i == 0 ? " {" : ", ", t->labels[i].name);
        buf_add_escaped(line, t->labels[i].value, strlen(t->labels[i].value));
        (void)buf_adds(line, "\"");
    }
    if (t->n_labels > 0)
        (void)buf_adds(line, "}");
}

static void add_kept(struct survey *s, const struct target_config *t)
{
    bool https = t->https == CONFIG_INHERIT ? s->job->https : t->https == CONFIG_ON;

    (void)buf_addf(&s->line, " at %s://%s%s", https ? "https" : "http", t->address,
                   t->path ? t->path : s->job->path);
    if (t->host)
        (void)buf_addf(&s->line, " as host %s", t->host);
    add_labels(&s->line, t);
}

static void on_fate(void *userdata, const struct target_fate *fate)
{
    static const char *const words[] = {
        [TARGET_KEPT] = "kept", [TARGET_DROPPED] = "dropped", [TARGET_INVALID] = "invalid"};
    struct survey *s = userdata;

    s->kept += fate->end == TARGET_KEPT;
    s->dropped += fate->end == TARGET_DROPPED;
    s->invalid += fate->end == TARGET_INVALID;
    if (s->n++ >= SURVEY_LINES)
        return;
    buf_clear(&s->line);
    (void)buf_addf(&s->line, "%s: %s ", s->job->name, words[fate->end]);
    buf_add_escaped(&s->line, fate->address, strlen(fate->address));
    if (fate->end == TARGET_KEPT)
        add_kept(s, fate->kept);
    else if (fate->end == TARGET_DROPPED)
        (void)buf_addf(&s->line, " by rule %zu (%s)", fate->rule + 1,
                       relabel_action_name(relabel_rule_action(s->job->relabel[fate->rule])));
    else
        (void)buf_addf(&s->line, ": %s", fate->why);
    (void)fprintf(s->out, "%s\n", buf_str(&s->line));
}

static int survey_job(struct discovery *d, const struct config *config, size_t i, FILE *out)
{
    struct survey s = {.job = &config->jobs[i], .out = out};
    int r;

    buf_init(&s.line, LINE_MAX_BYTES);
    r = discovery_survey(d, config, i, on_fate, &s);
    if (r == 0 && s.n > SURVEY_LINES)
        (void)fprintf(out, "%s: and %zu more\n", s.job->name, s.n - SURVEY_LINES);
    if (r == 0)
        (void)fprintf(out, "%s: %zu kept, %zu dropped, %zu invalid\n", s.job->name, s.kept,
                      s.dropped, s.invalid);
    buf_done(&s.line);
    return r;
}

static void on_changed(void *userdata)
{
    (void)userdata;
}

int survey_print(const struct config *config, FILE *out)
{
    struct discovery *d = NULL;
    sd_event *event = NULL;
    int r = sd_event_new(&event);

    if (r >= 0)
        r = discovery_new(event, on_changed, NULL, &d);
    if (r >= 0)
        r = discovery_set(d, config);
    for (size_t i = 0; r >= 0 && i < config->n_jobs; i++) {
        if (config->jobs[i].n_relabel > 0)
            r = survey_job(d, config, i, out);
    }
    discovery_free(d);
    sd_event_unref(event);
    return r < 0 ? r : 0;
}
