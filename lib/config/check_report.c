/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/config/check_report.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "lib/net/proxy.h"
#include "lib/yaml/text.h"

#define AT CHECK_AT

bool check_any_bad(struct check *k, const void *const *of)
{
    for (; k->f && *of; of++) {
        const struct place *p = places_find(&k->f->places, *of);

        if (p && p->bad)
            return true;
    }
    return false;
}

static void add(struct check *k, const void *const *of, bool seen, const char *about,
                const char *text)
{
    const struct place *place = NULL;

    for (; k->f && *of && !place; of++)
        place = places_find(&k->f->places, *of);
    diags_add(k->d, k->f ? k->f->name : NULL, place ? place->line : 0, place ? place->column : 0,
              k->f && seen ? k->f->text : NULL, "%s%s", about, text ? text : "out of memory");
}

void check_report_list(struct check *k, const void *const *of, const char *about, const char *fmt,
                       va_list ap)
{
    _cleanup_free_ char *text = NULL;

    if (vasprintf(&text, fmt, ap) < 0)
        text = NULL;
    add(k, of, true, about, text);
}

void check_report(struct check *k, const void *const *of, const char *about, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    check_report_list(k, of, about, fmt, ap);
    va_end(ap);
}

void check_report_unseen(struct check *k, const void *const *of, const char *about,
                         const char *text)
{
    add(k, of, false, about, text);
}

static void check_auth(struct check *k, const struct access_auth *auth, const void *name,
                       const char *about)
{
    if ((auth->basic_username || auth->basic_password_file) &&
        (auth->type || auth->credentials_file))
        check_report(k, AT(&auth->credentials_file, &auth->type, &auth->basic_username, name),
                     about, "basic_auth and authorization exclude each other");
}

static void check_tls(struct check *k, const struct access_tls *tls, const char *about)
{
    if (tls->cert_file && !tls->key_file && !check_any_bad(k, AT(&tls->key_file)))
        check_report(k, AT(&tls->cert_file), about, "cert_file needs a key_file");
    if (tls->key_file && !tls->cert_file && !check_any_bad(k, AT(&tls->cert_file)))
        check_report(k, AT(&tls->key_file), about, "key_file needs a cert_file");
}

static const char proxy_secret[] =
    "proxy_url must not hold a user or a password: put the whole URL into HTTPS_PROXY and "
    "HTTP_PROXY of contraced's environment, and write `proxy_from_environment: true`";

static void check_proxy(struct check *k, const struct proxy *proxy, const char *about)
{
    const char *wrong = proxy->url ? proxy_check(proxy->url) : NULL;

    if (proxy->url && proxy_has_secret(proxy->url))
        check_report_unseen(k, AT(&proxy->url), about, proxy_secret);
    else if (wrong)
        check_report(k, AT(&proxy->url), about, "proxy_url `%.80s` %s",
                     text_word_may_be_secret(proxy->url) ? "(not shown)" : proxy->url, wrong);
    if (proxy->no_proxy && !proxy->url && !check_any_bad(k, AT(&proxy->url)))
        check_report(k, AT(&proxy->no_proxy), about,
                     "no_proxy needs proxy_url; what the environment says has its own NO_PROXY");
}

void check_access(struct check *k, const struct access *a, const void *name, const char *about)
{
    check_auth(k, &a->auth, name, about);
    check_tls(k, &a->tls, about);
    check_proxy(k, &a->proxy, about);
}
