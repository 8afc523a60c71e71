/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "cli/common/command.h"
#include "cli/common/screen.h"
#include "cli/find/casebook.h"
#include "cli/find/incidentid.h"
#include "cli/find/parcel.h"
#include "cli/find/query.h"
#include "cli/find/transfers.h"
#include "lib/record/kind.h"

static const char intro[] =
    "Usage: contrace pull [OPTIONS] KEY...\n"
    "       contrace pull [OPTIONS] --last=N\n"
    "       contrace pull [OPTIONS] --incident=ID\n"
    "Brings traces and their records here, from the spool or else from the store, and prints\n"
    "their paths.\n";

#define CONCURRENCY_DEFAULT 4
#define CONCURRENCY_MAX 64

struct pull_arguments {
    unsigned last;
    char *directory; /* of an incident, owned; NULL: none is pulled */
    struct transfers_options to;
};

#define FIELD(name) offsetof(struct pull_arguments, name)

static const char *read_concurrency(void *field, const char *value)
{
    const char *expected = argument_count(field, value);

    return expected || *(unsigned *)field > CONCURRENCY_MAX ? "a number from 1 to 64" : NULL;
}

static const struct argument rows[] = {
    {"last", 'n', "N", "the N newest that these options allow:", argument_count, FIELD(last)},
};

static const struct argument to_rows[] = {
    {"output", 'o', "DIR", "put them here (.)", argument_text, FIELD(to.directory)},
    {"flat", 0, NULL, "no directories: '_' for each '/' of the key", argument_flag, FIELD(to.flat)},
    {"force", 'f', NULL, "replace other files of the same names", argument_flag, FIELD(to.force)},
    {"concurrency", 0, "N", "so many at once (4)", read_concurrency, FIELD(to.concurrency)},
};

/* The user may leave out the suffix of a trace's key. */
static int add_key(struct catalog *c, const char *word)
{
    char key[NAME_KEY_MAX];
    int r = catalog_add(c, word, 0, 0), n;

    if (r == -EINVAL) {
        n = snprintf(key, sizeof(key), "%s%s", word, kind_suffix(KIND_TRACE));
        if (n > 0 && (size_t)n < sizeof(key))
            r = catalog_add(c, key, 0, 0);
    }
    if (r == -EINVAL)
        complain("'%s' is not a key, such as checkout/web-3/20261121/150405-1234.trace", word);
    else if (r < 0)
        complain("not enough memory");
    return r;
}

/* Prints paths for use in $(…): none may look like an option. */
static int print_paths(const struct catalog *c, const struct transfers_options *o)
{
    bool here = strcmp(o->directory, ".") == 0;

    for (size_t i = 0; i < c->n; i++) {
        struct parcel p;

        parcel_init(&p, c->items[i].key, -1, o->flat, false);
        if (here && p.path[0] != '-')
            (void)printf("%s\n", p.path);
        else
            (void)printf("%s%s%s\n", o->directory,
                         o->directory[strlen(o->directory) - 1] == '/' ? "" : "/", p.path);
        parcel_done(&p);
    }
    return screen_finish();
}

static int pull(const struct sources_arguments *where, const struct query *q,
                const struct selection *selection, const struct pull_arguments *a,
                struct catalog *c)
{
    struct sources s;
    int r = sources_open(&s, where), found = 0, printed;

    if (r < 0)
        return r;
    if (a->last > 0 || q->incident)
        found = query_run(&s, q, selection, c);
    if (found >= 0 && c->n == 0) {
        if (found == 0) {
            complain("there is no trace that fits");
            query_explain(&s, q);
        }
        found = 1;
    }
    r = found < 0 ? found : c->n > 0 ? transfers_run(&s, &a->to, c) : 0;
    if (r >= 0 && a->directory && casebook_write(a->directory, q->incident, c) < 0)
        r = 1;
    sources_close(&s);
    if (r < 0)
        return r;
    if (a->directory && c->n > 0) /* not among the paths, which are for use in $(…) */
        (void)fprintf(stderr, "what these are: %s/" CASEBOOK_NAME "\n", a->directory);
    printed = print_paths(c, &a->to);
    return printed < 0 ? printed : r || found;
}

static int usage(const struct query *q, const struct pull_arguments *a, int keys)
{
    if (q->incident && (a->last > 0 || keys > 0))
        complain("pull: --incident=ID is all of one incident, without --last and keys");
    else if (q->incident && strpbrk(q->incident, "*?["))
        complain("pull: --incident=ID must be one id, not a pattern");
    else if (q->incident)
        return 0;
    else if (a->last == 0 && keys == 0)
        complain("pull: which? Give keys, as 'contrace list' shows them, or --last=N");
    else if (a->last > 0 && keys > 0)
        complain("pull: either keys or --last=N");
    else if (a->last == 0 && (q->service || q->host || q->since || q->until || q->reason ||
                              q->artifact || q->label))
        complain("pull: --service, --host, --since, --until, --reason, --artifact and --label go "
                 "with --last=N");
    else
        return 0;
    return -EINVAL;
}

/* All that belongs to an incident goes into a directory of its own, below the one that was given. */
static int use_incident(struct query *q, struct pull_arguments *a)
{
    char *name;

    if (!q->incident)
        return 0;
    q->with_facts = q->remote_facts = true;
    (void)mkdir(a->to.directory, 0777); /* what is wrong is said when the one below is opened */
    if (asprintf(&a->directory, "%s/incident_%s", a->to.directory, q->incident) < 0) {
        a->directory = NULL;
        complain("not enough memory");
        return -ENOMEM;
    }
    name = a->directory + strlen(a->to.directory) + 1;
    for (; *name; name++)
        *name = *name == '/' ? '_' : *name;
    a->to.directory = a->directory;
    a->to.flat = true;
    return 0;
}

int command_pull(int argc, char **argv)
{
    struct sources_arguments where = {0};
    struct query q = {.usual = kind_name(KIND_TRACE)}; /* what commands behind a pull expect */
    struct pull_arguments a = {.to = {.directory = ".", .concurrency = CONCURRENCY_DEFAULT}};
    const struct argument_group groups[] = {GROUP(rows, &a), GROUP(query_rows, &q),
                                            GROUP(to_rows, &a), GROUP(sources_rows, &where)};
    struct selection selection;
    struct name incident;
    struct catalog c = {0};
    char id[NAME_KEY_MAX];
    int rest, r = arguments_parse(argc, argv, groups, 4, intro, &rest);

    if (r != 0)
        return r < 0 ? STATUS_USAGE : STATUS_OK;
    q.usual = q.incident ? NULL : q.usual;
    if (usage(&q, &a, argc - rest) < 0)
        return STATUS_USAGE;
    if (q.incident && incidentid_is_short(q.incident) && !where.remote) {
        r = incidentid_find(&where, q.incident, id);
        q.incident = id;
    }
    if (r < 0)
        return r == -EINVAL ? STATUS_USAGE : STATUS_FAILED;
    if (query_selection(&q, clock_real(), &incident, &selection) < 0)
        return STATUS_USAGE;
    if (use_incident(&q, &a) < 0)
        return STATUS_FAILED;
    q.limit = a.last;
    for (int i = rest; i < argc && r == 0; i++)
        r = add_key(&c, argv[i]);
    if (r < 0) {
        catalog_done(&c);
        return r == -EINVAL ? STATUS_USAGE : STATUS_FAILED;
    }
    catalog_merge(&c);
    r = pull(&where, &q, &selection, &a, &c);
    catalog_done(&c);
    free(a.directory);
    return command_exit(r);
}
