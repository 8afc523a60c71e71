/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/advise/advise.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "cli/advise/gather.h"
#include "cli/common/arguments.h"
#include "cli/common/command.h"
#include "cli/common/screen.h"
#include "cli/read/tracefile.h"

static const char intro[] =
    "Usage: contrace advise [OPTIONS] FILE...\n"
    "       contrace advise --service=checkout [--since=TIME] [--last=N]\n"
    "Says what of a program's capacity to change, and what not: CPUs and GOMAXPROCS, the CPU quota,\n"
    "locks, pools, goroutines, GOGC and GOMEMLIMIT. Each decision rests on numbers of all samples:\n"
    "of traces, of what 'contrace summary --json' printed, or of records that are kept.\n";

#define QUERY_SHOWN 4 /* of query_rows: service, host and times */

struct advise_arguments {
    unsigned last;
    bool json;
};

static const struct argument rows[] = {
    {"last", 'n', "N", "the last N samples of the service (default 20)", argument_count,
     offsetof(struct advise_arguments, last)},
    {"json", 0, NULL, "one JSON object (docs/advise.schema.json)", argument_flag,
     offsetof(struct advise_arguments, json)},
};

static int print(const struct samples *s, const char *service, bool json)
{
    struct advice advice[RULES];
    const struct advise_view view = {service, s, advice, screen_utf8()};
    struct buf text;
    int r;

    rules_judge(s, advice);
    if (!json) {
        advise_text(stdout, &view);
        return 0;
    }
    buf_init(&text, ADVISE_JSON_MAX);
    r = advise_json(&view, &text);
    if (r == 0)
        (void)puts(buf_str(&text));
    buf_done(&text);
    return r < 0 ? complain_memory() : 0;
}

/* 0; 1: some could not be read; or a negative errno after a message. */
static int advise(struct samples *s, const struct advise_arguments *a, struct query *q,
                  const struct sources_arguments *where, char *const *files, int n)
{
    char service[NAME_PART_MAX + 1] = "";
    int r, printed = 0;

    q->limit = a->last ? a->last : GATHER_LAST;
    r = n > 0 ? gather_files(s, files, n) : gather_kept(s, where, q, service);
    if (r < 0)
        return r;
    if (s->n > 0)
        printed = print(s, service, a->json);
    else if (s->left_out > 0)
        complain("advise: %zu sample%s, and none says enough: 'contrace explain' says why",
                 s->left_out, s->left_out > 1 ? "s" : "");
    return printed < 0 ? printed : s->n == 0 ? -ENODATA : r;
}

static int check_usage(const struct query *q, int n_files)
{
    bool asked = q->service || q->host || q->since || q->until;

    if (n_files == 0 && !q->service)
        complain("advise: of what? Give files, or --service=SERVICE for what is kept");
    else if (n_files > 0 && asked)
        complain("advise: either files, or --service and the like for what is kept");
    else
        return 0;
    return -EINVAL;
}

int command_advise(int argc, char **argv)
{
    struct advise_arguments a = {0};
    struct sources_arguments where = {0};
    struct query q = {0};
    const struct argument_group groups[] = {
        {query_rows, QUERY_SHOWN, &q}, GROUP(rows, &a), GROUP(sources_rows, &where)};
    struct samples *samples;
    int rest, r = arguments_parse(argc, argv, groups, 3, intro, &rest);

    if (r != 0)
        return r < 0 ? STATUS_USAGE : STATUS_OK;
    if (a.last > SAMPLES_MAX) {
        complain("advise: --last is at most %d", SAMPLES_MAX);
        return STATUS_USAGE;
    }
    if (check_usage(&q, argc - rest) < 0)
        return STATUS_USAGE;
    samples = calloc(1, sizeof(*samples));
    if (!samples)
        return complain_memory() < 0 ? STATUS_FAILED : STATUS_OK;
    tracefile_may_go_away();
    r = advise(samples, &a, &q, &where, argv + rest, argc - rest);
    samples_done(samples);
    free(samples);
    r = command_exit(r);
    return r == STATUS_OK && screen_finish() < 0 ? STATUS_FAILED : r;
}
