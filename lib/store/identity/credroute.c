/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/identity/credroute.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void credroute_init(struct credroute *r)
{
    *r = (struct credroute){.source = "", .secrets.expiry = USEC_NEVER};
}

void credroute_done(struct credroute *r)
{
    secret_done(&r->secrets);
    for (size_t i = 0; i < r->n_steps; i++) {
        for (int t = 0; t < CREDSTEP_TEXTS; t++)
            secret_free(r->steps[i].texts[t]);
    }
    credroute_init(r);
}

void credroute_move(struct credroute *from, struct credroute *to)
{
    if (from == to)
        return;
    credroute_done(to);
    *to = *from;
    credroute_init(from);
}

struct credstep *credroute_add(struct credroute *r, enum credservice_name service,
                               enum reach_peer peer)
{
    struct credstep *s;

    if (r->n_steps == CREDROUTE_STEPS_MAX)
        return NULL;
    s = &r->steps[r->n_steps++];
    *s = (struct credstep){.service = service, .peer = peer};
    return s;
}

int credstep_set(struct credstep *s, enum credstep_text which, const char *text)
{
    secret_free(s->texts[which]);
    s->texts[which] = text && *text ? secret_strndup(text, strlen(text)) : NULL;
    return text && *text && !s->texts[which] ? -ENOMEM : 0;
}

const char *credroute_env(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}
