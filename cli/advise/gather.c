/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/advise/gather.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/common/command.h"
#include "cli/common/screen.h"
#include "cli/read/summaries.h"

#define NSEC_PER_USEC 1000

static int complain_of_number(int r)
{
    if (r == -E2BIG)
        complain("advise: more than %d samples; give fewer, or --last=%d", SAMPLES_MAX,
                 SAMPLES_MAX);
    return r;
}

/* The trace's own clock, if it has one. */
static usec time_of(const json_t *summary)
{
    json_int_t ns = json_integer_value(json_object_get(summary, "wall_start_ns"));

    return ns > 0 ? (usec)ns / NSEC_PER_USEC : 0;
}

static int add_file(struct samples *s, const char *file, struct summaries *read, bool *failed)
{
    int r = summaries_add(read, file);

    for (size_t i = 0; i < read->n && r == 0; i++) {
        const struct summaries_item *item = &read->list[i];

        *failed |= summaries_complain(item);
        if (item->json)
            r = samples_add(s, item->json, time_of(item->json));
    }
    summaries_clear(read);
    return r == -ENOMEM ? complain_memory() : complain_of_number(r);
}

int gather_files(struct samples *s, char *const *files, int n)
{
    struct summaries read = {0};
    bool failed = false;
    int r = 0;

    for (int i = 0; i < n && r == 0; i++)
        r = add_file(s, files[i], &read, &failed);
    summaries_done(&read);
    return r < 0 ? r : failed;
}

/* Advice is about one program: more are refused. */
static int check_service(const struct catalog *c, char service[static NAME_PART_MAX + 1])
{
    for (size_t i = 1; i < c->n; i++) {
        if (strcmp(c->items[i].name.service, c->items[0].name.service) == 0)
            continue;
        complain("advise: these are samples of %s and of %s; --service names one",
                 c->items[0].name.service, c->items[i].name.service);
        return -EINVAL;
    }
    if (c->n > 0)
        (void)snprintf(service, NAME_PART_MAX + 1, "%s", c->items[0].name.service);
    return 0;
}

static int add_entry(struct samples *s, const struct entry *e)
{
    json_t *record = e->facts ? e->facts->record : NULL,
           *summary = json_object_get(record, "summary"),
           *context = json_object_get(record, "context"), *label = json_object_get(record, "label");

    if (!json_is_object(summary)) {
        s->left_out++;
        return 0;
    }
    if ((context && json_object_set(summary, "context", context) < 0) ||
        (label && json_object_set(summary, "label", label) < 0))
        return complain_memory();
    return complain_of_number(samples_add(s, summary, e->name.time));
}

static int add_kept(struct samples *s, struct sources *sources, const struct query *q,
                    const struct selection *selection, char service[static NAME_PART_MAX + 1])
{
    struct catalog c = {.keep_records = true};
    int failed = query_run(sources, q, selection, &c), r = failed < 0 ? failed : 0;

    if (r == 0)
        r = check_service(&c, service);
    for (size_t i = 0; i < c.n && r == 0; i++)
        r = add_entry(s, &c.items[i]);
    if (r == 0 && c.n == 0) {
        complain("advise: no trace matches");
        query_explain(sources, q);
        r = -ENOENT;
    }
    catalog_done(&c);
    return r < 0 ? r : failed;
}

int gather_kept(struct samples *s, const struct sources_arguments *where, struct query *q,
                char service[static NAME_PART_MAX + 1])
{
    struct selection selection;
    struct sources sources;
    struct name incident;
    int r;

    q->usual = kind_name(KIND_TRACE);
    q->with_facts = q->remote_facts = true;
    r = query_selection(q, clock_real(), &incident, &selection);
    if (r == 0)
        r = sources_open(&sources, where);
    if (r < 0)
        return r;
    r = add_kept(s, &sources, q, &selection, service);
    sources_close(&sources);
    return r;
}
