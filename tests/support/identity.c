/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Prints which source of credentials the environment leads to, for comparison with another
 * implementation. One line: the source's name in one word and the SHA-256 of
 * "access\nsecret\ntoken", so that no output contains the keys themselves; or "error" and the
 * reason.
 */

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "lib/store/credential/creddoc.h"
#include "lib/store/identity/credaws.h"
#include "lib/store/identity/identity.h"

struct answer {
    bool there;
    int r;
    char why[512];
};

static void on_answer(void *userdata, int r, const char *why)
{
    struct answer *a = userdata;

    a->there = true;
    a->r = r;
    (void)snprintf(a->why, sizeof(a->why), "%s", why);
}

static void on_log(void *userdata, enum log_level level, const struct log_fields *fields,
                   const char *message)
{
    (void)userdata, (void)level, (void)fields, (void)message;
}

static _Noreturn void fail(const char *why)
{
    (void)printf("error %s\n", why);
    exit(EXIT_SUCCESS);
}

static void print_hash(const struct secret_set *s)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    struct buf text;

    buf_init(&text, 2 * SECRET_KEY_MAX + SECRET_TOKEN_MAX + 2);
    if (buf_adds(&text, s->access_key) < 0 || buf_adds(&text, "\n") < 0 ||
        buf_adds(&text, s->secret_key) < 0 || buf_adds(&text, "\n") < 0 ||
        buf_adds(&text, s->session_token ? s->session_token : "") < 0 ||
        EVP_Digest(text.data, text.len, hash, &n, EVP_sha256(), NULL) != 1)
        fail("no hash");
    buf_wipe(&text);
    for (unsigned i = 0; i < n; i++)
        (void)printf("%02x", hash[i]);
    (void)printf("\n");
}

int main(void)
{
    static const struct reach reach;
    const struct identity_options options = {.kind = IDENTITY_AWS, .reach = &reach};
    const struct credaws_config none = {0};
    struct answer answer = {0};
    struct credroute found;
    struct identity_wait *wait;
    struct identity *identity;
    struct http *http;
    sd_event *event;

    log_set_sink(on_log, NULL);
    creddoc_setup();
    if (credaws_find(&none, &found, answer.why, sizeof(answer.why)) < 0)
        fail(answer.why);
    if (sd_event_new(&event) < 0 || http_new(event, "contraced/test", &http) < 0 ||
        identity_new(event, http, &options, &identity) < 0 ||
        identity_wait(identity, 0, on_answer, &answer, &wait) != 0)
        fail("no memory");
    while (!answer.there)
        (void)sd_event_run(event, UINT64_MAX);
    if (answer.r < 0)
        fail(answer.why);
    (void)printf("%s ", found.source);
    print_hash(identity_secrets(identity));
    credroute_done(&found);
    identity_free(identity);
    http_free(http);
    sd_event_unref(event);
    return EXIT_SUCCESS;
}
