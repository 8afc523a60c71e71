/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/identity/credremote.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/process/child.h"
#include "lib/store/identity/credservice.h"

#define CHECK_AUTHORITY "name the authority of its certificate with upload.tls_config.ca_file"

static const struct credservice *const services[] = {
    [CREDSERVICE_CONTAINER] = &credservice_container,
    [CREDSERVICE_IMDS] = &credservice_imds,
    [CREDSERVICE_WEB_IDENTITY] = &credservice_web_identity,
    [CREDSERVICE_ROLE] = &credservice_role,
    [CREDSERVICE_SSO] = &credservice_sso,
    [CREDSERVICE_PROCESS] = &credservice_process,
    [CREDSERVICE_GCE] = &credservice_gce,
    [CREDSERVICE_JWT] = &credservice_jwt,
    [CREDSERVICE_REFRESH] = &credservice_refresh,
    [CREDSERVICE_SUBJECT] = &credservice_subject,
    [CREDSERVICE_EXCHANGE] = &credservice_exchange,
    [CREDSERVICE_IMPERSONATE] = &credservice_impersonate,
    [CREDSERVICE_ENTRA] = &credservice_entra,
    [CREDSERVICE_MANAGED] = &credservice_managed,
};

/* The error for a service that did not answer; its hint for status 0 says what that means. */
static int refuse_silence(struct credremote *c, const struct fetch_reply *reply)
{
    const char *hint = reply->untrusted ? CHECK_AUTHORITY
                     : c->service->hint ? c->service->hint(c, 0)
                                        : NULL;

    return credservice_refuse(c, reply->error == -E2BIG ? -EINVAL : reply->error,
                              "%s does not answer: %s%s%s", c->service->name, reply->text,
                              hint ? "; " : "", hint ? hint : "");
}

static int refuse_status(struct credremote *c, const struct fetch_reply *reply)
{
    bool passes = reply->status >= 500 || reply->status == 429 || reply->status == 408;
    const char *hint = c->service->hint ? c->service->hint(c, reply->status) : NULL;
    char why[CREDSERVICE_TEXT_SIZE] = "";
    struct secret_set none;

    secret_init(&none);
    if (reply->body_len > 0 && credservice_parse(c, reply, &none, why) == 0)
        why[0] = '\0';
    secret_done(&none);
    return credservice_refuse(c, passes ? -EAGAIN : -EPERM, "%s answers with status %ld%s%s%s%s",
                              c->service->name, reply->status, why[0] ? ": " : "", why,
                              hint ? "; " : "", hint ? hint : "");
}

/* Reads the answer of a service that is asked only once. */
static int take_document(struct credremote *c, const struct fetch_reply *reply,
                         struct secret_set *ret)
{
    char why[CREDSERVICE_TEXT_SIZE];
    int r = credservice_parse(c, reply, ret, why);

    return r < 0 ? credservice_refuse(c, r, "%s: %s", c->service->name, why) : 0;
}

static void finish(struct credremote *c, int r)
{
    char detail[CREDSERVICE_ROLE_SIZE + 8] = "";

    if (c->role[0] != '\0')
        (void)snprintf(detail, sizeof(detail), "role %s", c->role);
    c->fn(c->userdata, r, &c->set, r == 0 ? detail : c->why);
    credremote_cancel(c);
}

/* Secrets of the step, besides those that its request shows: the answer may repeat them. */
static int know_secrets(struct credremote *c)
{
    const char *const texts[] = {credservice_text(c, CREDSTEP_TOKEN),
                                 credservice_text(c, CREDSTEP_SECRET), c->set.secret_key,
                                 c->set.session_token};
    const char *line = credservice_text(c, CREDSTEP_HEADERS);
    int r = 0;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && r == 0; i++)
        r = redact_add(&c->secrets, texts[i]);
    while (r == 0 && line && *line) { /* "Name:value" each */
        size_t n = strcspn(line, "\n"), name = strcspn(line, ":\n");
        _cleanup_secret_ char *value =
            name < n ? secret_strndup(line + name + 1, n - name - 1) : NULL;

        r = name < n && !value ? -ENOMEM : redact_add(&c->secrets, value);
        line += n + (line[n] == '\n');
    }
    return r;
}

static int begin_step(struct credremote *c)
{
    int r = know_secrets(c);

    if (r < 0)
        return credservice_refuse(c, r, "%s", strerror(-r));
    c->service = services[c->route.steps[c->at].service];
    c->part = 0;
    buf_wipe(&c->token);
    return c->service->ask(c);
}

/* The result of a step. 1: the service is asked again. */
static void go_on(struct credremote *c, int r, struct secret_set *set)
{
    if (r > 0) {
        c->part++;
        r = c->service->ask(c);
        if (r == 0)
            return;
    } else if (r == 0) {
        secret_move(set, &c->set);
        if (++c->at < c->route.n_steps) {
            r = begin_step(c);
            if (r == 0)
                return;
        }
    }
    if (r < 0)
        secret_done(&c->set);
    finish(c, r);
}

static void on_reply(void *userdata, const struct fetch_reply *reply)
{
    struct credremote *c = userdata;
    struct secret_set set;
    int r;

    c->fetch = NULL;
    secret_init(&set);
    if (reply->error < 0)
        r = refuse_silence(c, reply);
    else if (reply->status != 200)
        r = refuse_status(c, reply);
    else
        r = (c->service->take ? c->service->take : take_document)(c, reply, &set);
    go_on(c, r, &set);
    secret_done(&set);
}

int credremote_start(sd_event *event, struct http *http, const struct reach *reach,
                     struct credroute *route, credremote_fn fn, void *userdata,
                     struct credremote **ret, char *why, size_t why_size)
{
    struct credremote *c = calloc(1, sizeof(*c));
    int r;

    if (!c) {
        credroute_done(route);
        (void)snprintf(why, why_size, "%s", strerror(ENOMEM));
        return -ENOMEM;
    }
    *c = (struct credremote){.event = event,
                             .http = http,
                             .reach = reach,
                             .fn = fn,
                             .userdata = userdata,
                             .on_reply = on_reply,
                             .ended = go_on};
    secret_init(&c->set);
    credroute_init(&c->route);
    credroute_move(route, &c->route);
    secret_move(&c->route.secrets, &c->set);
    buf_init(&c->token, CREDSERVICE_TOKEN_MAX);
    redact_init(&c->secrets);
    r = begin_step(c);
    if (r < 0) {
        (void)snprintf(why, why_size, "%s", c->why);
        credremote_cancel(c);
        return r;
    }
    *ret = c;
    return 0;
}

void credremote_cancel(struct credremote *c)
{
    if (!c)
        return;
    fetch_cancel(c->fetch);
    child_free(c->child);
    buf_wipe(&c->token);
    redact_done(&c->secrets);
    secret_done(&c->set);
    credroute_done(&c->route);
    free(c);
}
