/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/find/incidentid.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "cli/common/screen.h"
#include "cli/find/catalog.h"
#include "cli/find/query.h"

#define DIGITS 6
#define SHOWN_MAX 10 /* ids that are named */

bool incidentid_is_short(const char *text)
{
    return strlen(text) == DIGITS && strspn(text, "0123456789") == DIGITS;
}

/* The different ids, in the order of the catalog. */
struct ids {
    const char *of[SHOWN_MAX];
    size_t n;
};

static void gather(const struct catalog *c, struct ids *ids)
{
    for (size_t i = 0; i < c->n && ids->n < SHOWN_MAX; i++) {
        const char *id = c->items[i].facts ? c->items[i].facts->incident : NULL;
        bool known = !id || !name_is_stem(id);

        for (size_t k = 0; k < ids->n && !known; k++)
            known = strcmp(ids->of[k], id) == 0;
        if (!known)
            ids->of[ids->n++] = id;
    }
}

static int choose(const struct catalog *c, const char *text, char out[static NAME_KEY_MAX])
{
    struct ids ids = {0};
    struct buf all;

    gather(c, &ids);
    if (ids.n == 1) {
        (void)snprintf(out, NAME_KEY_MAX, "%s", ids.of[0]);
        return 0;
    }
    buf_init(&all, SHOWN_MAX * (NAME_KEY_MAX + 2));
    for (size_t i = 0; i < ids.n; i++)
        (void)buf_addf(&all, "%s%s", i > 0 ? ", " : "", ids.of[i]);
    if (ids.n == 0)
        complain("--incident=%s: no incident in the spool began at that time; expected an id as "
                 "'contrace list --long' shows it",
                 text);
    else
        complain("--incident=%s: several began at that time: %s", text, buf_str(&all));
    buf_done(&all);
    return -EINVAL;
}

int incidentid_find(const struct sources_arguments *where, const char *text,
                    char out[static NAME_KEY_MAX])
{
    struct sources_arguments here = *where;
    char pattern[DIGITS + 8];
    struct query q = {.incident = pattern, .with_facts = true};
    struct selection selection;
    struct catalog c = {0};
    struct name none;
    struct sources s;
    int r;

    here.local = true;
    (void)snprintf(pattern, sizeof(pattern), "*/%.6s-*", text);
    r = query_selection(&q, clock_real(), &none, &selection);
    if (r == 0)
        r = sources_open(&s, &here);
    if (r < 0)
        return r;
    r = query_run(&s, &q, &selection, &c);
    if (r >= 0)
        r = choose(&c, text, out);
    catalog_done(&c);
    sources_close(&s);
    return r;
}
