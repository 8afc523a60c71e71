/* SPDX-License-Identifier: Apache-2.0 */

/*
 * STS: exchanges another issuer's token, or keys, for the keys of a role. Source: AWS Security
 * Token Service API Reference: AssumeRoleWithWebIdentity, AssumeRole.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/filehash.h"
#include "base/loop.h"
#include "lib/net/origin.h"
#include "lib/store/credential/creddoc.h"
#include "lib/store/credential/sigv4.h"
#include "lib/store/identity/credplan.h"
#include "lib/store/identity/credservice.h"

static int parse(struct credremote *c, const struct fetch_reply *reply, struct secret_set *ret,
                 char *why, size_t why_size)
{
    (void)c;
    return creddoc_parse_xml(reply->body, reply->body_len, ret, why, why_size);
}

static int ask_web_identity(struct credremote *c)
{
    struct buf token, form;
    int r;

    buf_init(&token, CREDSERVICE_TOKEN_MAX);
    credplan_form_init(&form);
    r = credservice_read_token(c, &token);
    if (r == 0) {
        r = credplan_form(credservice_text(c, CREDSTEP_ROLE), credservice_text(c, CREDSTEP_SESSION),
                          buf_str(&token), token.len, &form);
        if (r < 0)
            (void)credservice_refuse(c, r,
                                     r == -ENOMEM ? "no memory to ask STS"
                                                  : "STS takes no such role (AWS_ROLE_ARN, "
                                                    "role_arn), session name "
                                                    "(AWS_ROLE_SESSION_NAME, role_session_name), "
                                                    "or token");
    }
    if (r == 0)
        r = credservice_send_form(c, &form, NULL, 0);
    buf_wipe(&token);
    buf_wipe(&form);
    return r;
}

static int sign_and_send(struct credremote *c, const struct buf *form)
{
    const struct sigv4_pair type = {"Content-Type", "application/x-www-form-urlencoded"};
    const struct sigv4_credentials keys = {
        .access_key = c->set.access_key,
        .secret_key = c->set.secret_key,
        .session_token = c->set.session_token,
    };
    char host[ORIGIN_NAME_SIZE], hash[FILEHASH_SIZE];
    struct sigv4_request q = {
        .method = "POST",
        .host = host,
        .headers = &type,
        .n_headers = 1,
        .payload_sha256 = hash,
        .region = credservice_text(c, CREDSTEP_REGION),
        .service = "sts",
        .time = loop_now(c->event, CLOCK_REALTIME),
    };
    const char *url = credservice_text(c, CREDSTEP_URL);
    struct sigv4_signature s;
    struct origin origin;
    int r = origin_parse(url, &origin);

    if (r > 0) {
        origin_name(&origin, host);
        q.path = url + r;
        r = 0;
    }
    if (r == 0)
        r = filehash_memory(form->data, form->len, hash);
    if (r == 0)
        r = sigv4_sign(&q, &keys, &s);
    if (r < 0)
        return credservice_refuse(c, r, "STS cannot be asked: %s", strerror(-r));
    r = credservice_send_form(c, form,
                              (const struct http_header[]){
                                  {"x-amz-date", s.date},
                                  {"x-amz-content-sha256", hash},
                                  {"Authorization", buf_str(&s.authorization)},
                                  {"x-amz-security-token", keys.session_token},
                              },
                              keys.session_token ? 4 : 3);
    sigv4_signature_done(&s);
    return r;
}

static int ask_role(struct credremote *c)
{
    const char *session = credservice_text(c, CREDSTEP_SESSION);
    const char *duration = credservice_text(c, CREDSTEP_DURATION);
    const char *external_id = credservice_text(c, CREDSTEP_EXTERNAL_ID);
    struct buf form;
    int r;

    buf_init(&form, CREDSERVICE_FORM_MAX);
    r = buf_adds(&form, "Action=AssumeRole&Version=2011-06-15");
    if (r == 0)
        r = credservice_add(&form, "RoleArn", credservice_text(c, CREDSTEP_ROLE));
    if (r == 0)
        r = credservice_add(&form, "RoleSessionName", session ? session : CREDPLAN_SESSION);
    if (r == 0 && duration)
        r = credservice_add(&form, "DurationSeconds", duration);
    if (r == 0 && external_id)
        r = credservice_add(&form, "ExternalId", external_id);
    r = r < 0 ? credservice_refuse(c, r, "%s", strerror(-r)) : sign_and_send(c, &form);
    buf_wipe(&form);
    return r;
}

const struct credservice credservice_web_identity = {
    .name = "STS",
    .ask = ask_web_identity,
    .parse = parse,
};

const struct credservice credservice_role = {
    .name = "STS",
    .ask = ask_role,
    .parse = parse,
};
