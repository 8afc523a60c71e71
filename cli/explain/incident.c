/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/explain/incident.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/find/catalog.h"
#include "cli/find/selection.h"

/* Evidence that is younger is of another one. */
#define LASTS USEC_PER_DAY

/* Whether an entry is of the incident, by its record. 0 or -ENOMEM. */
static int is_of(const struct local *local, struct entry *e, const char *id, bool *ret)
{
    int r = local_facts(local, e, false);

    *ret = r == 0 && e->facts && e->facts->incident && strcmp(e->facts->incident, id) == 0;
    return r;
}

/* The oldest of the entries that is of the incident. 0, -ENOENT or -ENOMEM. */
static int pick(const struct local *local, struct catalog *c, const char *id,
                char ret_key[static NAME_KEY_MAX])
{
    bool found = false;
    int r = 0;

    catalog_sort(c, order_by_time, true);
    for (size_t i = 0; i < c->n && r == 0 && !found; i++) {
        r = is_of(local, &c->items[i], id, &found);
        if (found)
            (void)snprintf(ret_key, NAME_KEY_MAX, "%s", c->items[i].key);
    }
    return r < 0 ? r : found ? 0 : -ENOENT;
}

int incident_trace(const struct local *local, const char *id, char ret_key[static NAME_KEY_MAX])
{
    static const enum kind kinds[] = {KIND_TRACE, KIND_FLIGHT};
    char key[NAME_KEY_MAX];
    struct name name;
    int r = -ENOENT;

    (void)snprintf(key, sizeof(key), "%s%s", id, kind_suffix(KIND_TRACE));
    if (strlen(id) >= sizeof(key) - 8 || name_parse(key, &name) < 0)
        return -ENOENT;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && r == -ENOENT; i++) {
        struct selection s = {
            .service = name.service,
            .host = name.host,
            .artifact = kind_name(kinds[i]),
            .since = name.time,
            .until = name.time + LASTS,
        };
        struct catalog c = {0};

        r = local_list(local, &s, &c);
        catalog_merge(&c);
        r = r == -ENOMEM ? r : pick(local, &c, id, ret_key);
        catalog_done(&c);
    }
    return r;
}
