/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/upload/credremote.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/secretfile.h"
#include "daemon/upload/creddoc.h"
#include "daemon/upload/credlocal.h"
#include "daemon/upload/fetch.h"

#define WHY_SIZE 400
#define TEXT_SIZE 256
#define TOKEN_FILE_MAX (32u << 10)
#define ROLE_SIZE 129

/* A metadata service is one hop away, or it is not there at all. */
#define NEAR_CONNECT (2 * USEC_PER_SEC)
#define NEAR_TIMEOUT (10 * USEC_PER_SEC)
#define FAR_CONNECT (10 * USEC_PER_SEC)
#define FAR_TIMEOUT (30 * USEC_PER_SEC)

#define IMDS_TTL "21600"
#define IMDS_ROLES "/latest/meta-data/iam/security-credentials/"
#define GOOGLE_PATH "/computeMetadata/v1/instance/service-accounts/default/token"

struct credremote {
    sd_event *event;
    struct http *http;
    const struct service *service;
    credremote_fn fn;
    void *userdata;
    struct fetch *fetch;
    unsigned step;
    char base[CREDPLAN_URL_SIZE]; /* without what the steps put behind */
    char role[ROLE_SIZE];         /* IMDS: of the second step's answer */
    struct buf token;             /* IMDS: of the first's; container: the Authorization line */
    char why[WHY_SIZE];
};

struct service {
    const char *name;
    /* Finds out the base. 0 or a negative errno with c->why, as the others. */
    int (*find)(struct credremote *c, const char *region);
    /* Sends the request of this step. */
    int (*ask)(struct credremote *c);
    /* What came with status 200. 1: on to the next step; 0: the set is there. */
    int (*take)(struct credremote *c, const struct fetch_reply *reply, struct secret_set *ret);
    /* The document, which has the reason when the status is not 200. */
    int (*parse)(struct credremote *c, const struct fetch_reply *reply, struct secret_set *ret,
                 char *why, size_t why_size);
};

static int __attribute__((format(printf, 3, 4))) refuse(struct credremote *c, int error,
                                                        const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(c->why, sizeof(c->why), fmt, ap);
    va_end(ap);
    return error;
}

static void on_reply(void *userdata, const struct fetch_reply *reply);

static int send_request(struct credremote *c, const struct http_options *options)
{
    int r = fetch_start(c->http, options, on_reply, c, &c->fetch);

    if (r < 0)
        return refuse(c, r, "%s cannot be asked: %s", c->service->name, strerror(-r));
    return 0;
}

/* http or https, without a name and password in it: it is quoted in messages. */
static int override(struct credremote *c, const char *variable)
{
    const char *url = credlocal_env(variable);
    size_t n = url ? strlen(url) : 0;

    if (!url)
        return 0;
    while (n > 0 && url[n - 1] == '/')
        n--;
    for (size_t i = 0; i < n; i++) {
        if (url[i] <= ' ' || url[i] > '~' || strchr("@?#\"\\", url[i]))
            n = 0;
    }
    if (n >= sizeof(c->base) - sizeof(IMDS_ROLES) - ROLE_SIZE ||
        (strncasecmp(url, "https://", 8) != 0 && strncasecmp(url, "http://", 7) != 0) || n < 8)
        return refuse(c, -EINVAL, "%s is not an http or https URL", variable);
    (void)snprintf(c->base, sizeof(c->base), "%.*s", (int)n, url);
    return 1;
}

/* Into c's or another's buffer, which the caller wipes; without the line break at the end. */
static int read_token(struct credremote *c, const char *variable, struct buf *b)
{
    const char *path = credlocal_env(variable);
    size_t begin = b->len;
    int r = path ? secretfile_read(b, path) : -ENOENT;

    if (r < 0)
        return refuse(c, r, "cannot use the file %s (%s): %s", path ? path : "", variable,
                      secretfile_explain(r));
    while (b->len > begin && strchr(" \t\r\n", b->data[b->len - 1]))
        b->data[--b->len] = '\0';
    for (size_t i = begin; i < b->len; i++) {
        if (b->data[i] < ' ' || b->data[i] > '~')
            return refuse(c, -EINVAL,
                          "%s (%s) holds no token: it has control characters or more "
                          "than one line",
                          path, variable);
    }
    if (b->len == begin)
        return refuse(c, -EINVAL, "the file %s (%s) is empty", path, variable);
    return 0;
}

static int parse_json(struct credremote *c, const struct fetch_reply *reply, struct secret_set *ret,
                      char *why, size_t why_size)
{
    (void)c;
    return creddoc_parse_json(reply->body, reply->body_len, ret, why, why_size);
}

/* Takes the one document that there is. */
static int take_document(struct credremote *c, const struct fetch_reply *reply,
                         struct secret_set *ret)
{
    char why[TEXT_SIZE] = "";
    int r = c->service->parse(c, reply, ret, why, sizeof(why));

    return r < 0 ? refuse(c, r, "%s: %s", c->service->name, why) : 0;
}

static int find_sts(struct credremote *c, const char *region)
{
    int r = override(c, "AWS_ENDPOINT_URL_STS");

    if (r != 0)
        return r < 0 ? r : 0;
    if (credplan_sts_url(region, c->base) < 0)
        return refuse(c, -EINVAL, "STS cannot be asked: the region is not a name of AWS's");
    c->base[strlen(c->base) - 1] = '\0';
    return 0;
}

static int send_form(struct credremote *c, const struct buf *form)
{
    const struct http_header type = {"Content-Type", "application/x-www-form-urlencoded"};
    const struct http_body body = {.data = form->data, .size = form->len};
    char url[CREDPLAN_URL_SIZE + 1];

    (void)snprintf(url, sizeof(url), "%s/", c->base);
    return send_request(c, &(struct http_options){.url = url,
                                                  .method = "POST",
                                                  .headers = &type,
                                                  .n_headers = 1,
                                                  .body = &body,
                                                  .connect_timeout = FAR_CONNECT,
                                                  .timeout = FAR_TIMEOUT});
}

static int ask_sts(struct credremote *c)
{
    struct buf token, form;
    int r;

    buf_init(&token, TOKEN_FILE_MAX);
    credplan_form_init(&form);
    r = read_token(c, "AWS_WEB_IDENTITY_TOKEN_FILE", &token);
    if (r == 0) {
        r = credplan_form(getenv("AWS_ROLE_ARN"), credlocal_env("AWS_ROLE_SESSION_NAME"),
                          buf_str(&token), token.len, &form);
        if (r < 0)
            (void)refuse(c, r,
                         r == -ENOMEM ? "no memory to ask STS"
                                      : "STS takes no such AWS_ROLE_ARN, "
                                        "AWS_ROLE_SESSION_NAME, or token");
    }
    if (r == 0)
        r = send_form(c, &form);
    buf_wipe(&token);
    buf_wipe(&form);
    return r;
}

static int parse_sts(struct credremote *c, const struct fetch_reply *reply, struct secret_set *ret,
                     char *why, size_t why_size)
{
    (void)c;
    return creddoc_parse_xml(reply->body, reply->body_len, ret, why, why_size);
}

static int find_container(struct credremote *c, const char *region)
{
    (void)region;
    return credplan_container_url(credlocal_env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
                                  credlocal_env("AWS_CONTAINER_CREDENTIALS_FULL_URI"), c->base,
                                  c->why, sizeof(c->why));
}

/* Fills c->token with the line, or leaves it empty. */
static int container_token(struct credremote *c)
{
    const char *token = credlocal_env("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    int r;

    if (!credlocal_env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") && !token)
        return 0;
    r = buf_adds(&c->token, "Authorization: ");
    if (r == 0 && credlocal_env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"))
        return read_token(c, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &c->token);
    if (token && strpbrk(token, "\r\n"))
        return refuse(c, -EINVAL, "AWS_CONTAINER_AUTHORIZATION_TOKEN has more than one line");
    if (r == 0)
        r = buf_adds(&c->token, token);
    return r < 0 ? refuse(c, r, "the container's token: %s", strerror(-r)) : 0;
}

static int ask_container(struct credremote *c)
{
    int r = container_token(c);

    if (r < 0)
        return r;
    return send_request(c, &(struct http_options){.url = c->base,
                                                  .authorization = c->token.data,
                                                  .connect_timeout = NEAR_CONNECT,
                                                  .timeout = NEAR_TIMEOUT});
}

static int find_imds(struct credremote *c, const char *region)
{
    const char *mode = credlocal_env("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
    int r = override(c, "AWS_EC2_METADATA_SERVICE_ENDPOINT");

    (void)region;
    if (r == 0)
        (void)snprintf(c->base, sizeof(c->base), "%s",
                       mode && strcasecmp(mode, "ipv6") == 0 ? "http://[fd00:ec2::254]"
                                                             : "http://169.254.169.254");
    return r < 0 ? r : 0;
}

enum { IMDS_TOKEN, IMDS_ROLE, IMDS_DOCUMENT };

/* Without a token there is no next step: version 1 of the service would hand out keys to anyone who
 * can make this host send a GET. */
static int ask_imds(struct credremote *c)
{
    const struct http_header headers[] = {
        {"X-aws-ec2-metadata-token-ttl-seconds", IMDS_TTL},
        {"X-aws-ec2-metadata-token", buf_str(&c->token)},
    };
    char url[CREDPLAN_URL_SIZE + sizeof(IMDS_ROLES) + ROLE_SIZE];
    bool first = c->step == IMDS_TOKEN;

    (void)snprintf(url, sizeof(url), "%s%s%s", c->base, first ? "/latest/api/token" : IMDS_ROLES,
                   c->role);
    return send_request(c, &(struct http_options){.url = url,
                                                  .method = first ? "PUT" : "GET",
                                                  .headers = &headers[first ? 0 : 1],
                                                  .n_headers = 1,
                                                  .connect_timeout = NEAR_CONNECT,
                                                  .timeout = NEAR_TIMEOUT});
}

static int take_imds_token(struct credremote *c, const struct fetch_reply *reply)
{
    size_t n = strcspn(reply->body, "\r\n");

    for (size_t i = 0; i < n; i++) {
        if (reply->body[i] <= ' ' || reply->body[i] > '~')
            n = 0;
    }
    if (n == 0 || n > 4096 || reply->body_len > n + 2)
        return refuse(c, -EINVAL, "%s gave something that is no token", c->service->name);
    return buf_add(&c->token, reply->body, n) < 0 ? refuse(c, -ENOMEM, "%s", strerror(ENOMEM)) : 1;
}

/* The name of a role of IAM; it becomes a part of a URL. */
static int take_imds_role(struct credremote *c, const struct fetch_reply *reply)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                   "+=,.@_-";
    size_t n = strspn(reply->body, alphabet);

    if (reply->body_len == 0)
        return refuse(c, -ENOENT, "the instance has no role: give it one, or name key files");
    if (n == 0 || n >= sizeof(c->role) || reply->body[0] == '.' || !strchr("\r\n", reply->body[n]))
        return refuse(c, -EINVAL, "%s gave something that is no role's name", c->service->name);
    (void)snprintf(c->role, sizeof(c->role), "%.*s", (int)n, reply->body);
    return 1;
}

static int take_imds(struct credremote *c, const struct fetch_reply *reply, struct secret_set *ret)
{
    if (c->step == IMDS_TOKEN)
        return take_imds_token(c, reply);
    return c->step == IMDS_ROLE ? take_imds_role(c, reply) : take_document(c, reply, ret);
}

static int find_google(struct credremote *c, const char *region)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                   ".-_:[]";
    const char *host = credlocal_env("GCE_METADATA_HOST");

    (void)region;
    if (host && (host[strspn(host, alphabet)] != '\0' || strlen(host) > 255))
        return refuse(c, -EINVAL, "GCE_METADATA_HOST is not a host");
    (void)snprintf(c->base, sizeof(c->base), "http://%s", host ? host : "metadata.google.internal");
    return 0;
}

static int ask_google(struct credremote *c)
{
    const struct http_header flavor = {"Metadata-Flavor", "Google"};
    char url[CREDPLAN_URL_SIZE + sizeof(GOOGLE_PATH)];

    (void)snprintf(url, sizeof(url), "%s" GOOGLE_PATH, c->base);
    return send_request(c, &(struct http_options){.url = url,
                                                  .headers = &flavor,
                                                  .n_headers = 1,
                                                  .connect_timeout = NEAR_CONNECT,
                                                  .timeout = NEAR_TIMEOUT});
}

static int parse_google(struct credremote *c, const struct fetch_reply *reply,
                        struct secret_set *ret, char *why, size_t why_size)
{
    usec now = 0;

    (void)sd_event_now(c->event, CLOCK_REALTIME, &now);
    return creddoc_parse_google(reply->body, reply->body_len, now, ret, why, why_size);
}

static const struct service services[] = {
    [CREDREMOTE_STS] = {"STS", find_sts, ask_sts, take_document, parse_sts},
    [CREDREMOTE_CONTAINER] = {"the container's endpoint", find_container, ask_container,
                              take_document, parse_json},
    [CREDREMOTE_IMDS] = {"the instance's metadata service", find_imds, ask_imds, take_imds,
                         parse_json},
    [CREDREMOTE_GOOGLE] = {"Google's metadata server", find_google, ask_google, take_document,
                           parse_google},
};

/* No answer. Of the last source of all, what that means. */
static int refuse_silence(struct credremote *c, const struct fetch_reply *reply)
{
    bool last = c->service == &services[CREDREMOTE_IMDS] && c->step == IMDS_TOKEN;

    return refuse(c, reply->error == -E2BIG ? -EINVAL : reply->error, "%s%s does not answer%s: %s",
                  last ? "there are no credentials in the configuration, the environment or the "
                         "shared files, and "
                       : "",
                  c->service->name, last ? " (in a container its hop limit must be 2)" : "",
                  reply->text);
}

static int refuse_status(struct credremote *c, const struct fetch_reply *reply)
{
    bool passes = reply->status >= 500 || reply->status == 429 || reply->status == 408;
    struct secret_set none;
    char why[TEXT_SIZE] = "";

    if (c->service == &services[CREDREMOTE_IMDS] && c->step == IMDS_ROLE && reply->status == 404)
        return refuse(c, -ENOENT, "the instance has no role: give it one, or name key files");
    if (c->service == &services[CREDREMOTE_IMDS] && c->step == IMDS_TOKEN && !passes)
        return refuse(c, -EPERM,
                      "%s answers a request for a token with status %ld: it has only version 1 "
                      "(IMDSv1), which contraced does not use, or is switched off: turn IMDSv2 on, "
                      "or name key files",
                      c->service->name, reply->status);
    secret_init(&none);
    if (reply->body_len > 0 && c->service->parse(c, reply, &none, why, sizeof(why)) == 0)
        why[0] = '\0';
    secret_done(&none);
    return refuse(c, passes ? -EAGAIN : -EPERM, "%s answers with status %ld%s%s", c->service->name,
                  reply->status, why[0] ? ": " : "", why);
}

static void finish(struct credremote *c, int r, struct secret_set *set)
{
    char detail[ROLE_SIZE + 8] = "";

    if (c->role[0] != '\0')
        (void)snprintf(detail, sizeof(detail), "role %s", c->role);
    c->fn(c->userdata, r, set, r == 0 ? detail : c->why);
    credremote_cancel(c);
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
        r = c->service->take(c, reply, &set);
    if (r > 0) {
        c->step++;
        r = c->service->ask(c);
        if (r == 0)
            return;
    }
    finish(c, r, &set);
    secret_done(&set);
}

int credremote_start(sd_event *event, struct http *http, enum credremote_service service,
                     const char *region, credremote_fn fn, void *userdata, struct credremote **ret,
                     char *why, size_t why_size)
{
    struct credremote *c = calloc(1, sizeof(*c));
    int r;

    if (!c) {
        (void)snprintf(why, why_size, "%s", strerror(ENOMEM));
        return -ENOMEM;
    }
    *c = (struct credremote){.event = event,
                             .http = http,
                             .service = &services[service],
                             .fn = fn,
                             .userdata = userdata};
    buf_init(&c->token, TOKEN_FILE_MAX);
    r = c->service->find(c, region);
    if (r == 0)
        r = c->service->ask(c);
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
    buf_wipe(&c->token);
    free(c);
}
