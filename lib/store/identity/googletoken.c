/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Services that issue Google tokens: for a service account's signature, a person's refresh token,
 * another cloud's token, or another Google token. Source: RFC 7523, RFC 6749 section 6, RFC 8693;
 * IAM Service Account Credentials API, generateAccessToken.
 */

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/jsontext.h"
#include "base/loop.h"
#include "lib/net/credentials.h"
#include "lib/store/credential/creddoc.h"
#include "lib/store/credential/jwt.h"
#include "lib/store/identity/credservice.h"

#define JWT_MAX (16u << 10)
#define LIFETIME 3600
#define HEADERS_MAX 8

struct pair {
    const char *name, *value; /* a pair without a value is left out */
};

static int parse_token(struct credremote *c, const struct fetch_reply *reply,
                       struct secret_set *ret, char *why, size_t why_size)
{
    return creddoc_parse_token(reply->body, reply->body_len, loop_now(c->event, CLOCK_REALTIME),
                               ret, why, why_size);
}

static int send_pairs(struct credremote *c, const struct pair *pairs, size_t n)
{
    struct buf form;
    int r = 0;

    buf_init(&form, CREDSERVICE_FORM_MAX);
    for (size_t i = 0; i < n && r == 0; i++) {
        if (pairs[i].value)
            r = credservice_add(&form, pairs[i].name, pairs[i].value);
    }
    r = r < 0 ? credservice_refuse(c, r, "%s", strerror(-r))
              : credservice_send_form(c, &form, NULL, 0);
    buf_wipe(&form);
    return r;
}

#define SEND(c, pairs) send_pairs((c), (pairs), sizeof(pairs) / sizeof((pairs)[0]))

/* Makes and signs a JWT with issuer, scope, audience, time of issue and expiry. */
static int make_jwt(struct credremote *c, struct buf *jwt)
{
    const char *id = credservice_text(c, CREDSTEP_KEY_ID);
    json_int_t now = (json_int_t)(loop_now(c->event, CLOCK_REALTIME) / USEC_PER_SEC);
    /* Not an optional member ("s*"): that is dropped silently when memory is short. */
    json_t *header = id ? json_pack("{s:s,s:s,s:s}", "alg", "RS256", "typ", "JWT", "kid", id)
                        : json_pack("{s:s,s:s}", "alg", "RS256", "typ", "JWT");
    json_t *claims =
        json_pack("{s:s,s:s,s:s,s:I,s:I}", "iss", credservice_text(c, CREDSTEP_ACCOUNT), "scope",
                  credservice_text(c, CREDSTEP_SCOPE), "aud", credservice_text(c, CREDSTEP_URL),
                  "iat", now, "exp", now + LIFETIME);
    char *head = jsontext_print(header, JSON_COMPACT);
    char *body = jsontext_print(claims, JSON_COMPACT);
    int r =
        head && body ? jwt_rs256(head, body, credservice_text(c, CREDSTEP_SECRET), jwt) : -ENOMEM;

    secret_free(head);
    secret_free(body);
    json_decref(header);
    json_decref(claims);
    return r;
}

static int ask_jwt(struct credremote *c)
{
    struct buf jwt;
    int r;

    buf_init(&jwt, JWT_MAX);
    r = make_jwt(c, &jwt);
    if (r < 0) {
        (void)credservice_refuse(c, r, "the service account's private_key: %s",
                                 r == -EINVAL ? "it is no RSA key in PEM, or has a passphrase"
                                              : strerror(-r));
    } else {
        const struct pair pairs[] = {
            {"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"},
            {"assertion", buf_str(&jwt)},
        };

        r = SEND(c, pairs);
    }
    buf_wipe(&jwt);
    return r;
}

static int ask_refresh(struct credremote *c)
{
    const struct pair pairs[] = {
        {"grant_type", "refresh_token"},
        {"client_id", credservice_text(c, CREDSTEP_CLIENT)},
        {"client_secret", credservice_text(c, CREDSTEP_SECRET)},
        {"refresh_token", credservice_text(c, CREDSTEP_TOKEN)},
    };

    return SEND(c, pairs);
}

static const char *hint_refresh(const struct credremote *c, long status)
{
    (void)c;
    return status == 400 ? "if the login has expired, run `gcloud auth application-default login`"
                         : NULL;
}

/* Splits "Name:value\n" lines in place. */
static size_t split_headers(char *lines, struct http_header headers[static HEADERS_MAX])
{
    size_t n = 0;

    while (*lines && n < HEADERS_MAX) {
        char *colon = strchr(lines, ':'), *end = strchr(lines, '\n');

        if (!colon || !end)
            break;
        *colon = *end = '\0';
        headers[n++] = (struct http_header){lines, colon + 1};
        lines = end + 1;
    }
    return n;
}

static int ask_subject(struct credremote *c)
{
    const char *lines = credservice_text(c, CREDSTEP_HEADERS);
    _cleanup_secret_ char *copy = secret_strndup(lines ? lines : "", lines ? strlen(lines) : 0);
    struct http_header headers[HEADERS_MAX];

    if (!copy)
        return credservice_refuse(c, -ENOMEM, "%s", strerror(ENOMEM));
    return credservice_send(c, &(struct http_options){.url = credservice_text(c, CREDSTEP_URL),
                                                      .n_headers = split_headers(copy, headers),
                                                      .headers = headers,
                                                      CREDSERVICE_NEAR});
}

static int parse_subject(struct credremote *c, const struct fetch_reply *reply,
                         struct secret_set *ret, char *why, size_t why_size)
{
    struct buf token;
    int r;

    buf_init(&token, CREDSERVICE_TOKEN_MAX);
    r = credservice_pick(c, reply->body, reply->body_len, credservice_text(c, CREDSTEP_FIELD),
                         &token);
    if (r < 0)
        (void)snprintf(why, why_size, "%.200s", c->why);
    else
        r = secret_make_token(buf_str(&token), USEC_NEVER, ret);
    if (r < 0 && why[0] == '\0')
        (void)snprintf(why, why_size, "it is no token");
    buf_wipe(&token);
    return r;
}

/* Adds client_id and client_secret (RFC 6749, section 2.3.1), for a pool that needs a client. */
static int client_auth(struct credremote *c)
{
    const char *client = credservice_text(c, CREDSTEP_CLIENT);
    const char *secret = credservice_text(c, CREDSTEP_SECRET);
    struct buf password;
    int r;

    if (!client)
        return 0;
    buf_init(&password, CREDSERVICE_TOKEN_MAX);
    r = secret ? buf_adds(&password, secret) : 0;
    if (r == 0)
        r = credentials_basic(client, &password, &c->token);
    buf_wipe(&password);
    return r < 0 ? credservice_refuse(c, r, "client_id and client_secret: %s", strerror(-r)) : 0;
}

static int send_exchange(struct credremote *c, const char *token)
{
    const struct pair pairs[] = {
        {"grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"},
        {"requested_token_type", "urn:ietf:params:oauth:token-type:access_token"},
        {"audience", credservice_text(c, CREDSTEP_AUDIENCE)},
        {"scope", credservice_text(c, CREDSTEP_SCOPE)},
        {"subject_token_type", credservice_text(c, CREDSTEP_TYPE)},
        {"subject_token", token},
    };
    int r = client_auth(c);

    return r < 0 ? r : SEND(c, pairs);
}

static int ask_exchange(struct credremote *c)
{
    struct buf token;
    int r = 0;

    buf_init(&token, CREDSERVICE_TOKEN_MAX);
    if (credservice_text(c, CREDSTEP_FILE))
        r = credservice_read_token(c, &token);
    else
        r = buf_adds(&token, c->set.session_token);
    if (r == 0)
        r = send_exchange(c, buf_str(&token));
    buf_wipe(&token);
    return r;
}

static int ask_impersonate(struct credremote *c)
{
    const char *body_text = credservice_text(c, CREDSTEP_BODY);
    const struct http_header type = {"Content-Type", "application/json"};
    const struct http_body body = {.data = body_text, .size = strlen(body_text)};
    int r = buf_adds(&c->token, "Authorization: Bearer ");

    if (r == 0)
        r = buf_adds(&c->token, c->set.session_token);
    if (r < 0)
        return credservice_refuse(c, r, "%s", strerror(-r));
    return credservice_send(c, &(struct http_options){.url = credservice_text(c, CREDSTEP_URL),
                                                      .method = "POST",
                                                      .headers = &type,
                                                      .n_headers = 1,
                                                      .authorization = c->token.data,
                                                      .body = &body,
                                                      CREDSERVICE_FAR});
}

static int parse_impersonated(struct credremote *c, const struct fetch_reply *reply,
                              struct secret_set *ret, char *why, size_t why_size)
{
    (void)c;
    return creddoc_parse_impersonated(reply->body, reply->body_len, ret, why, why_size);
}

static const char *hint_impersonate(const struct credremote *c, long status)
{
    (void)c;
    return status == 403 ? "roles/iam.serviceAccountTokenCreator (or workloadIdentityUser) on that "
                           "service account is needed"
                         : NULL;
}

const struct credservice credservice_jwt = {
    .name = "Google's token endpoint",
    .ask = ask_jwt,
    .parse = parse_token,
};

const struct credservice credservice_refresh = {
    .name = "Google's token endpoint",
    .ask = ask_refresh,
    .parse = parse_token,
    .hint = hint_refresh,
};

const struct credservice credservice_subject = {
    .name = "the URL of credential_source",
    .ask = ask_subject,
    .parse = parse_subject,
};

const struct credservice credservice_exchange = {
    .name = "Google's STS",
    .ask = ask_exchange,
    .parse = parse_token,
};

const struct credservice credservice_impersonate = {
    .name = "Google's IAM",
    .ask = ask_impersonate,
    .parse = parse_impersonated,
    .hint = hint_impersonate,
};
