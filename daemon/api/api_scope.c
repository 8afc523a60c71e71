/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Which targets a request for captures means.
 */

#include <string.h>

#include "base/buf.h"
#include "daemon/api/api_state.h"

#define HINT_MAX 300 /* bytes for the names that a message lists */

bool api_is_meant(const struct capture_request *r, const struct target *t)
{
    switch (r->scope) {
    case CAPTURE_TARGET: return api_target_is(t, r->name);
    case CAPTURE_SERVICE: return strcmp(r->name, t->service) == 0;
    case CAPTURE_JOB: return strcmp(r->name, t->job->name) == 0;
    case CAPTURE_ALL: return true;
    }
    return false;
}

static const char *word_of(const struct capture_request *r, const struct target *t)
{
    return r->scope == CAPTURE_TARGET ? t->shown
         : r->scope == CAPTURE_JOB    ? t->job->name
                                      : t->service;
}

void api_reply_not_found(struct api *a, struct admin_call *call, const struct capture_request *r)
{
    static const char *const kinds[] = {"target", "service", "job", "target"};
    struct targets *ts = a->context.targets;
    const char *before = NULL;
    char memory[HINT_MAX];
    struct buf list;

    buf_over(&list, memory, sizeof(memory));
    for (size_t i = 0; i < targets_count(ts); i++) {
        const char *word = word_of(r, targets_at(ts, i));

        if (before && strcmp(before, word) == 0)
            continue;
        if (buf_addf(&list, "%s%s", before ? ", " : "", word) < 0) {
            (void)buf_adds(&list, ", …");
            break;
        }
        before = word;
    }
    if (targets_count(ts) == 0)
        admin_fail(call, 404, "there are no targets yet: none were found");
    else
        admin_fail(call, 404, "no %s `%s` is configured; there is %s", kinds[r->scope], r->name,
                   buf_str(&list));
}
