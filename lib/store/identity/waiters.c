/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/identity/waiters.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"

#define WHY_SIZE 512

struct identity_wait {
    struct identity_wait *next, **back; /* `back` points to the pointer to this one */
    unsigned refused;
    identity_fn fn;
    void *userdata;
};

struct identity_wait *waiters_add(struct identity_wait **list, unsigned refused, identity_fn fn,
                                  void *userdata)
{
    struct identity_wait *w = calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    *w = (struct identity_wait){
        .next = *list, .back = list, .refused = refused, .fn = fn, .userdata = userdata};
    if (w->next)
        w->next->back = &w->next;
    *list = w;
    return w;
}

static void take_out(struct identity_wait *w)
{
    *w->back = w->next;
    if (w->next)
        w->next->back = w->back;
}

void identity_wait_cancel(struct identity_wait *w)
{
    if (!w)
        return;
    take_out(w);
    free(w);
}

/* Waiters may cancel each other, so always take the head of the list. */
void waiters_tell(struct identity_wait **list, unsigned version, int r, const char *why)
{
    struct identity_wait *now = steal(list);
    char text[WHY_SIZE];

    (void)snprintf(text, sizeof(text), "%s", why);
    if (now)
        now->back = &now;
    while (now) {
        const struct identity_wait w = *now;
        bool good = version > 0 && version != w.refused;

        identity_wait_cancel(now);
        w.fn(w.userdata, good ? 0 : r, good ? "" : text);
    }
}
