/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Recordings with which a process begins an incident of itself: of which target that is, and what
 * the sender is told if there is none. What an incident takes and what bounds it is up to
 * daemon/order/incident.h.
 */

#include <stdio.h>
#include <string.h>

#include "daemon/api/api_state.h"
#include "daemon/push/push.h"

/* The target that is the sender: the only one of its service on its host. Evidence of another
 * process would mislead. */
static struct target *find_sender(const struct api *a, const struct push *p, size_t *ret_n)
{
    struct targets *ts = a->context.targets;
    struct target *found = NULL;

    *ret_n = 0;
    for (size_t i = 0; i < targets_count(ts); i++) {
        struct target *t = targets_at(ts, i);

        if (strcmp(t->service, push_service(p)) == 0 && strcmp(t->host, push_host(p)) == 0) {
            found = t;
            ++*ret_n;
        }
    }
    return found;
}

static void explain(const struct api *a, const struct incident_reply *r,
                    char why[static PUSH_WHY_SIZE])
{
    char limit[API_WHY_SIZE];

    switch (r->answer) {
    case INCIDENT_TAKEN: break;
    case INCIDENT_JOINED:
        (void)snprintf(why, PUSH_WHY_SIZE,
                       "one of this target is under way, of which nothing was kept yet");
        break;
    case INCIDENT_LIMITED:
        api_describe_limit(a, r->limit, limit);
        (void)snprintf(why, PUSH_WHY_SIZE, "%s; again in %llu s", limit,
                       (unsigned long long)((r->retry_after + USEC_PER_SEC - 1) / USEC_PER_SEC));
        break;
    case INCIDENT_STOPPING: (void)snprintf(why, PUSH_WHY_SIZE, "contraced is stopping"); break;
    case INCIDENT_PLACELESS:
    case INCIDENT_NO_MEMORY: (void)snprintf(why, PUSH_WHY_SIZE, "not enough memory"); break;
    }
}

void api_push_incident(const struct api *a, const struct push *p, char why[static PUSH_WHY_SIZE],
                       struct push_incident *ret)
{
    size_t n;
    struct target *t = find_sender(a, p, &n);
    struct incident_reply r;

    *ret = (struct push_incident){.none = why};
    if (n != 1) {
        (void)snprintf(why, PUSH_WHY_SIZE, "%s target of the service is configured on %.100s",
                       n == 0 ? "no" : "more than one", push_host(p));
        return;
    }
    r = incidents_order(a->context.incidents, &(struct incident_order){
                                                  .target = t,
                                                  .reason = REASON_API,
                                                  .name = push_reason(p),
                                                  .evidence = true,
                                              });
    ret->begins = r.begun;
    ret->id = r.answer == INCIDENT_JOINED ? r.id : NULL;
    if (ret->begins || ret->id)
        ret->none = NULL;
    else
        explain(a, &r, why);
}
