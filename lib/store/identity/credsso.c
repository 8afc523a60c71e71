/* SPDX-License-Identifier: Apache-2.0 */

/*
 * IAM Identity Center: exchanges the token that `aws sso login` left in its cache for the keys of a
 * role. Source: AWS IAM Identity Center Portal API Reference, GetRoleCredentials; botocore's
 * SSOTokenLoader for the cache.
 */

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/jsontext.h"
#include "base/loop.h"
#include "base/secretfile.h"
#include "lib/store/credential/creddoc.h"
#include "lib/store/identity/credservice.h"

#define LOG_IN "run `aws sso login` as this user"

/* Older tools wrote "UTC" where RFC 3339 has Z. */
static int parse_time(const char *text, usec *ret)
{
    char copy[64];
    size_t n = text ? strlen(text) : sizeof(copy);

    if (n >= sizeof(copy))
        return -EINVAL;
    memcpy(copy, text, n + 1);
    if (n > 3 && strcmp(copy + n - 3, "UTC") == 0)
        (void)snprintf(copy + n - 3, sizeof(copy) - n + 3, "Z");
    return clock_parse_rfc3339(copy, ret);
}

static int take_token(struct credremote *c, const char *path, const char *text, size_t n)
{
    json_t *root = NULL;
    int r = jsontext_parse(text, n, JSON_REJECT_DUPLICATES, NULL, &root);
    const char *token = json_string_value(json_object_get(root, "accessToken"));
    const char *until = json_string_value(json_object_get(root, "expiresAt"));
    usec expiry;

    if (r == -ENOMEM)
        r = credservice_refuse(c, r, "%s: %s", path, strerror(ENOMEM));
    else if (!token || parse_time(until, &expiry) < 0)
        r = credservice_refuse(c, -EINVAL, "%s is no token of IAM Identity Center: " LOG_IN, path);
    else if (expiry <= loop_now(c->event, CLOCK_REALTIME))
        r = credservice_refuse(c, -EKEYEXPIRED, "the token in %s has expired: " LOG_IN, path);
    else if ((r = buf_adds(&c->token, token)) < 0)
        r = credservice_refuse(c, r == -ENOMEM ? r : -EINVAL, "the token in %s: %s", path,
                               r == -ENOMEM ? strerror(ENOMEM) : "it is too long");
    json_decref(root);
    return r;
}

static int read_cache(struct credremote *c)
{
    const char *path = credservice_text(c, CREDSTEP_FILE);
    struct buf text;
    int r;

    buf_init(&text, CREDSERVICE_TOKEN_MAX);
    r = secretfile_read(&text, path);
    if (r == -ENOENT)
        r = credservice_refuse(c, r, "there is no token of IAM Identity Center (%s): " LOG_IN,
                               path);
    else if (r < 0)
        r = credservice_refuse(c, r, "cannot use the file %s: %s", path, secretfile_explain(r));
    else
        r = take_token(c, path, buf_str(&text), text.len);
    buf_wipe(&text);
    return r;
}

static int ask_sso(struct credremote *c)
{
    const char *fields[][2] = {{"role_name", credservice_text(c, CREDSTEP_ROLE)},
                               {"account_id", credservice_text(c, CREDSTEP_ACCOUNT)}};
    struct buf query, url;
    int r = read_cache(c);

    if (r < 0)
        return r;
    buf_init(&query, CREDSERVICE_URL_SIZE);
    buf_init(&url, CREDSERVICE_URL_SIZE);
    for (size_t i = 0; i < 2 && r == 0; i++)
        r = credservice_add(&query, fields[i][0], fields[i][1]);
    if (r == 0)
        r = buf_addf(&url, "%sfederation/credentials?%s", credservice_text(c, CREDSTEP_URL),
                     buf_str(&query));
    if (r < 0)
        r = credservice_refuse(c, r, "%s", strerror(-r));
    else
        r = credservice_send(
            c, &(struct http_options){
                   .url = buf_str(&url),
                   .headers = &(struct http_header){"x-amz-sso_bearer_token", buf_str(&c->token)},
                   .n_headers = 1,
                   CREDSERVICE_FAR});
    buf_done(&query);
    buf_done(&url);
    return r;
}

static int parse_sso(struct credremote *c, const struct fetch_reply *reply, struct secret_set *ret,
                     char *why, size_t why_size)
{
    (void)c;
    return creddoc_parse_sso(reply->body, reply->body_len, ret, why, why_size);
}

static const char *hint_sso(const struct credremote *c, long status)
{
    (void)c;
    if (status == 401)
        return "the token is not valid any more: " LOG_IN;
    return status == 403 ? "has the person who logged in that role in that account?" : NULL;
}

const struct credservice credservice_sso = {
    .name = "IAM Identity Center",
    .ask = ask_sso,
    .parse = parse_sso,
    .hint = hint_sso,
};
