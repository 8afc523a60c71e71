/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Metadata services of this machine: the container's endpoint, the instance's (IMDSv2 only),
 * Google's and Azure's.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/loop.h"
#include "lib/store/credential/creddoc.h"
#include "lib/store/identity/credservice.h"

#define IMDS_TTL "21600"
#define IMDS_ROLES "/latest/meta-data/iam/security-credentials/"

static int parse_json(struct credremote *c, const struct fetch_reply *reply, struct secret_set *ret,
                      char *why, size_t why_size)
{
    (void)c;
    return creddoc_parse_json(reply->body, reply->body_len, ret, why, why_size);
}

static int parse_token(struct credremote *c, const struct fetch_reply *reply,
                       struct secret_set *ret, char *why, size_t why_size)
{
    return creddoc_parse_token(reply->body, reply->body_len, loop_now(c->event, CLOCK_REALTIME),
                               ret, why, why_size);
}

/* Makes the Authorization line in c->token, which stays empty if there is no token. */
static int container_token(struct credremote *c)
{
    const char *token = credservice_text(c, CREDSTEP_TOKEN);
    int r;

    if (!credservice_text(c, CREDSTEP_FILE) && !token)
        return 0;
    r = buf_adds(&c->token, "Authorization: ");
    if (r == 0 && credservice_text(c, CREDSTEP_FILE))
        return credservice_read_token(c, &c->token);
    if (token && strpbrk(token, "\r\n"))
        return credservice_refuse(c, -EINVAL,
                                  "AWS_CONTAINER_AUTHORIZATION_TOKEN has more than one line");
    if (r == 0)
        r = buf_adds(&c->token, token);
    return r < 0 ? credservice_refuse(c, r, "the container's token: %s", strerror(-r)) : 0;
}

static int ask_container(struct credremote *c)
{
    int r = container_token(c);

    if (r < 0)
        return r;
    return credservice_send(c, &(struct http_options){.url = credservice_text(c, CREDSTEP_URL),
                                                      .authorization = c->token.data,
                                                      CREDSERVICE_NEAR});
}

enum { IMDS_TOKEN, IMDS_ROLE, IMDS_DOCUMENT };

/* Without a token there is no next step. (IMDSv1, which needs none, gives keys to anyone who can
 * make this host send a GET.) */
static int ask_imds(struct credremote *c)
{
    const struct http_header headers[] = {
        {"X-aws-ec2-metadata-token-ttl-seconds", IMDS_TTL},
        {"X-aws-ec2-metadata-token", buf_str(&c->token)},
    };
    char url[CREDSERVICE_URL_SIZE];
    bool first = c->part == IMDS_TOKEN;

    (void)snprintf(url, sizeof(url), "%s%s%s", credservice_text(c, CREDSTEP_URL),
                   first ? "/latest/api/token" : IMDS_ROLES, c->role);
    return credservice_send(c, &(struct http_options){.url = url,
                                                      .method = first ? "PUT" : "GET",
                                                      .headers = &headers[first ? 0 : 1],
                                                      .n_headers = 1,
                                                      CREDSERVICE_NEAR});
}

static int take_imds_token(struct credremote *c, const struct fetch_reply *reply)
{
    size_t n = strcspn(reply->body, "\r\n");

    for (size_t i = 0; i < n; i++) {
        if (reply->body[i] <= ' ' || reply->body[i] > '~')
            n = 0;
    }
    if (n == 0 || n > 4096 || reply->body_len > n + 2)
        return credservice_refuse(c, -EINVAL, "%s gave something that is no token",
                                  c->service->name);
    return buf_add(&c->token, reply->body, n) < 0
             ? credservice_refuse(c, -ENOMEM, "%s", strerror(ENOMEM))
             : 1;
}

#define NO_ROLE "the instance has no role: give it one, or name key files"

/* The name of an IAM role, which becomes a part of a URL. */
static int take_imds_role(struct credremote *c, const struct fetch_reply *reply)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                   "+=,.@_-";
    size_t n = strspn(reply->body, alphabet);

    if (reply->body_len == 0)
        return credservice_refuse(c, -ENOENT, NO_ROLE);
    if (n == 0 || n >= sizeof(c->role) || reply->body[0] == '.' || !strchr("\r\n", reply->body[n]))
        return credservice_refuse(c, -EINVAL, "%s gave something that is no role's name",
                                  c->service->name);
    (void)snprintf(c->role, sizeof(c->role), "%.*s", (int)n, reply->body);
    return 1;
}

static int take_imds(struct credremote *c, const struct fetch_reply *reply, struct secret_set *ret)
{
    char why[CREDSERVICE_TEXT_SIZE] = "";
    int r;

    if (c->part != IMDS_DOCUMENT)
        return c->part == IMDS_TOKEN ? take_imds_token(c, reply) : take_imds_role(c, reply);
    r = credservice_parse(c, reply, ret, why);
    return r < 0 ? credservice_refuse(c, r, "%s: %s", c->service->name, why) : 0;
}

static const char *hint_imds(const struct credremote *c, long status)
{
    if (status == 404 && c->part == IMDS_ROLE)
        return NO_ROLE;
    if (status >= 400 && status < 500 && status != 408 && status != 429 && c->part == IMDS_TOKEN)
        return "it has only version 1 (IMDSv1), which contraced does not use, or is switched off: "
               "turn IMDSv2 on, or name key files";
    if (status != 0 || c->part != IMDS_TOKEN)
        return NULL;
    return strcmp(c->route.source, "imds") == 0
             ? "there are no credentials in the configuration, the environment or the shared "
               "files; in a container the service's hop limit must be 2"
             : "in a container its hop limit must be 2";
}

static int ask_gce(struct credremote *c)
{
    const struct http_header flavor = {"Metadata-Flavor", "Google"};

    return credservice_send(c, &(struct http_options){.url = credservice_text(c, CREDSTEP_URL),
                                                      .headers = &flavor,
                                                      .n_headers = 1,
                                                      CREDSERVICE_NEAR});
}

/* A secret means App Service: by it the service recognises its own processes. */
static int ask_managed(struct credremote *c)
{
    const char *secret = credservice_text(c, CREDSTEP_SECRET);
    const struct http_header header = secret ? (struct http_header){"X-IDENTITY-HEADER", secret}
                                             : (struct http_header){"Metadata", "true"};

    return credservice_send(c, &(struct http_options){.url = credservice_text(c, CREDSTEP_URL),
                                                      .headers = &header,
                                                      .n_headers = 1,
                                                      CREDSERVICE_NEAR});
}

static const char *hint_managed(const struct credremote *c, long status)
{
    (void)c;
    if (status == 0)
        return "there are no credentials in the configuration or the environment, and this seems "
               "to be no machine of Azure's";
    return status == 400 ? "has this machine an identity, and is AZURE_CLIENT_ID one of its?"
                         : NULL;
}

const struct credservice credservice_container = {
    .name = "the container's endpoint",
    .ask = ask_container,
    .parse = parse_json,
};

const struct credservice credservice_imds = {
    .name = "the instance's metadata service",
    .ask = ask_imds,
    .take = take_imds,
    .parse = parse_json,
    .hint = hint_imds,
};

const struct credservice credservice_gce = {
    .name = "Google's metadata server",
    .ask = ask_gce,
    .parse = parse_token,
};

const struct credservice credservice_managed = {
    .name = "Azure's metadata service",
    .ask = ask_managed,
    .parse = parse_token,
    .hint = hint_managed,
};
