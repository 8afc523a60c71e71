/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/config/upload_rules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/net/proxy.h"
#include "base/segments.h"
#include "lib/config/upload.h"
#include "lib/config/upload_url.h"

#define AT CHECK_AT
#define ABOUT "upload: "

enum field {
    FIELD_TEXT,       /* char *, set if not NULL */
    FIELD_FLAG,       /* bool, set if true */
    FIELD_NUMBER,     /* uint64_t, set if not 0 */
    FIELD_ADDRESSING, /* set if not auto */
    FIELD_TAGS,       /* set if there is one */
    FIELD_CONTEXT,    /* the same */
    FIELD_DEFAULT,    /* bool, set if false */
};

#define SIGNED (UPLOAD_S3 | UPLOAD_GS | UPLOAD_AZ)
#define PLAIN (UPLOAD_HTTPS | UPLOAD_HTTP)
#define TLS (SIGNED | UPLOAD_HTTPS)

#define FIT(key, type, of, where) {(key), (type), offsetof(struct upload_config, of), (where)}

/* Keys that are not listed are for every store. */
static const struct fit {
    const char *key;
    enum field type;
    size_t offset;
    unsigned schemes;
} fits[] = {
    FIT("endpoint", FIELD_TEXT, endpoint, SIGNED),
    FIT("region", FIELD_TEXT, region, UPLOAD_S3),
    FIT("addressing", FIELD_ADDRESSING, addressing, UPLOAD_S3),
    FIT("storage_class", FIELD_TEXT, storage_class, SIGNED),
    FIT("server_side_encryption", FIELD_TEXT, sse, UPLOAD_S3),
    FIT("sse_kms_key_id", FIELD_TEXT, sse_kms_key_id, UPLOAD_S3),
    FIT("sse_kms_context", FIELD_CONTEXT, sse_context, UPLOAD_S3),
    FIT("acl", FIELD_TEXT, acl, UPLOAD_S3),
    FIT("request_payer", FIELD_FLAG, requester_pays, UPLOAD_S3),
    FIT("checksum", FIELD_DEFAULT, checksum, UPLOAD_S3),
    FIT("tags", FIELD_TAGS, tags, UPLOAD_S3),
    FIT("access_key_file", FIELD_TEXT, access_key_file, UPLOAD_S3 | UPLOAD_GS),
    FIT("secret_key_file", FIELD_TEXT, secret_key_file, UPLOAD_S3 | UPLOAD_GS),
    FIT("session_token_file", FIELD_TEXT, session_token_file, UPLOAD_S3),
    FIT("account_key_file", FIELD_TEXT, account_key_file, UPLOAD_AZ),
    FIT("sas_token_file", FIELD_TEXT, sas_token_file, UPLOAD_AZ),
    FIT("credentials_file", FIELD_TEXT, credentials_file, UPLOAD_GS),
    FIT("max_rate", FIELD_NUMBER, max_rate, SIGNED | PLAIN),
    FIT("proxy_url", FIELD_TEXT, access.proxy.url, SIGNED | PLAIN),
    FIT("no_proxy", FIELD_TEXT, access.proxy.no_proxy, SIGNED | PLAIN),
    FIT("require_mount", FIELD_FLAG, require_mount, UPLOAD_FILE),
    FIT("basic_auth", FIELD_TEXT, access.auth.basic_username, PLAIN),
    FIT("basic_auth", FIELD_TEXT, access.auth.basic_password_file, PLAIN),
    FIT("authorization", FIELD_TEXT, access.auth.credentials_file, PLAIN),
    FIT("authorization", FIELD_TEXT, access.auth.type, PLAIN),
    FIT("tls_config", FIELD_TEXT, access.tls.ca_file, TLS),
    FIT("tls_config", FIELD_TEXT, access.tls.cert_file, TLS),
    FIT("tls_config", FIELD_TEXT, access.tls.key_file, TLS),
    FIT("tls_config", FIELD_TEXT, access.tls.server_name, TLS),
    FIT("tls_config", FIELD_FLAG, access.tls.insecure_skip_verify, TLS),
};

#define N_FITS (sizeof(fits) / sizeof(fits[0]))

static bool is_set(const struct upload_config *u, const struct fit *fit)
{
    const char *field = (const char *)u + fit->offset;

    switch (fit->type) {
    case FIELD_TEXT: return *(char *const *)(const void *)field != NULL;
    case FIELD_FLAG: return *(const bool *)(const void *)field;
    case FIELD_NUMBER: return *(const uint64_t *)(const void *)field > 0;
    case FIELD_ADDRESSING: return u->addressing != UPLOAD_ADDRESSING_AUTO;
    case FIELD_TAGS: return u->n_tags > 0;
    case FIELD_CONTEXT: return u->n_sse_context > 0;
    case FIELD_DEFAULT: return !*(const bool *)(const void *)field;
    }
    return false;
}

static void unset(struct upload_config *u, const struct fit *fit)
{
    char *field = (char *)u + fit->offset;

    switch (fit->type) {
    case FIELD_TEXT:
        free(*(char **)(void *)field);
        *(char **)(void *)field = NULL;
        break;
    case FIELD_FLAG: *(bool *)(void *)field = false; break;
    case FIELD_NUMBER: *(uint64_t *)(void *)field = 0; break;
    case FIELD_ADDRESSING: u->addressing = UPLOAD_ADDRESSING_AUTO; break;
    case FIELD_TAGS: label_clear_all(&u->tags, &u->n_tags); break;
    case FIELD_CONTEXT: label_clear_all(&u->sse_context, &u->n_sse_context); break;
    case FIELD_DEFAULT: *(bool *)(void *)field = true; break;
    }
}

int config_set_upload_url(struct config *c, const char *url)
{
    struct upload_config *u = &c->upload;
    enum upload_scheme before = u->url ? upload_url_scheme(u->url) : 0;
    enum upload_scheme after = upload_url_scheme(url);
    char *copy = url[0] ? strdup(url) : NULL;

    if (url[0] && !copy)
        return -ENOMEM;
    free(u->url);
    u->url = copy;
    u->url_line = u->url_column = 0;
    for (size_t i = 0; before && after && before != after && i < N_FITS; i++) {
        if (!(fits[i].schemes & after))
            unset(u, &fits[i]);
    }
    return 0;
}

/* "s3:// and gs://" */
static void list_schemes(unsigned schemes, char *out, size_t size)
{
    size_t n = 0;

    out[0] = '\0';
    for (unsigned bit = 1; bit <= UPLOAD_FILE; bit <<= 1) {
        bool last = (schemes & ~(2 * bit - 1)) == 0;

        if (!(schemes & bit) || n >= size)
            continue;
        n += (size_t)snprintf(out + n, size - n, "%s%s",
                              n == 0 ? ""
                              : last ? " and "
                                     : ", ",
                              upload_scheme_name((enum upload_scheme)bit));
    }
}

static void check_fits(struct check *k, enum upload_scheme scheme)
{
    const struct upload_config *u = &k->c->upload;
    const char *said = "";

    for (size_t i = 0; i < N_FITS; i++) {
        const struct fit *fit = &fits[i];
        char whose[64];

        if ((fit->schemes & scheme) || !is_set(u, fit) || strcmp(said, fit->key) == 0)
            continue;
        said = fit->key;
        list_schemes(fit->schemes, whose, sizeof(whose));
        check_report(k, AT((const char *)u + fit->offset, &u->url), ABOUT,
                     "%s is for stores at %s: remove it, or change url, which begins with %s",
                     fit->key, whose, upload_scheme_name(scheme));
    }
}

static void check_needs(struct check *k, char *const *field, const char *key, char *const *other,
                        const char *needed)
{
    if (*field && !*other && !check_any_bad(k, AT(other)))
        check_report(k, AT(field), ABOUT, "%s needs %s", key, needed);
}

static void check_pairs(struct check *k)
{
    const struct upload_config *u = &k->c->upload;
    bool kms = u->sse && strncmp(u->sse, "aws:kms", strlen("aws:kms")) == 0;

    check_needs(k, &u->access_key_file, "access_key_file", &u->secret_key_file, "secret_key_file");
    check_needs(k, &u->secret_key_file, "secret_key_file", &u->access_key_file, "access_key_file");
    if (!u->secret_key_file)
        check_needs(k, &u->session_token_file, "session_token_file", &u->access_key_file,
                    "access_key_file and secret_key_file");
    if (u->account_key_file && u->sas_token_file)
        check_report(k, AT(&u->sas_token_file, &u->account_key_file), ABOUT,
                     "account_key_file and sas_token_file exclude each other");
    if (u->access_key_file && u->credentials_file)
        check_report(k, AT(&u->credentials_file, &u->access_key_file), ABOUT,
                     "access_key_file and credentials_file exclude each other");
    if (u->sse_kms_key_id && !kms && !check_any_bad(k, AT(&u->sse)))
        check_report(k, AT(&u->sse_kms_key_id), ABOUT,
                     "sse_kms_key_id needs `server_side_encryption: aws:kms`");
    if (u->sse_context && !kms && !check_any_bad(k, AT(&u->sse)))
        check_report(k, AT(&u->sse_context), ABOUT,
                     "sse_kms_context needs `server_side_encryption: aws:kms`");
    check_access(k, &u->access, &u->url, ABOUT);
}

/* The secret that every request carries as it is, not as a signature; NULL: none. */
static const char *bare_secret(const struct upload_config *u, enum upload_scheme scheme)
{
    if (scheme == UPLOAD_HTTP && u->access.auth.basic_username)
        return "the password of basic_auth";
    if (scheme == UPLOAD_HTTP && u->access.auth.credentials_file)
        return "the credentials of authorization";
    if (scheme == UPLOAD_AZ && u->sas_token_file)
        return "the SAS token";
    if (scheme == UPLOAD_GS && !u->access_key_file)
        return "the token of Google's credentials";
    if (scheme == UPLOAD_AZ && !u->account_key_file)
        return "the token of Entra ID";
    return NULL;
}

/* Whether an http:// URL is reached through proxy_url, which is used even for this machine. */
static bool leaves_by_proxy(const struct proxy *p, const char *url)
{
    struct origin to;

    return p->url && origin_parse(url, &to) > 0 && !to.https &&
           !(p->no_proxy && proxy_excepts(p->no_proxy, to.host, to.port));
}

static int check_open(struct check *k, enum upload_scheme scheme)
{
    const struct upload_config *u = &k->c->upload;
    char *const *at = scheme == UPLOAD_HTTP ? &u->url : &u->endpoint;
    const char *secret = bare_secret(u, scheme);
    int r = secret && *at ? upload_url_is_open(*at) : 0;

    if (r == 0 && secret && *at && leaves_by_proxy(&u->access.proxy, *at))
        r = 1;
    if (r > 0 && !check_any_bad(k, AT(&u->access_key_file, &u->access.auth.basic_username)))
        check_report(k, AT(at), ABOUT,
                     "%s would go over the network for everyone to read: write https:// in %s",
                     secret, scheme == UPLOAD_HTTP ? "url" : "endpoint");
    return r < 0 ? r : 0;
}

/* The store's directory must not be inside the spool, which counts and deletes files. */
static void check_apart(struct check *k)
{
    const struct upload_config *u = &k->c->upload;

    if (segments_within(u->url + strlen("file://"), k->c->storage.path) &&
        !check_any_bad(k, AT(&k->c->storage.path)))
        check_report(k, AT(&u->url, &k->c->storage.path), ABOUT,
                     "url `%.80s` lies in storage.path, where traces wait to be uploaded: name "
                     "another directory",
                     u->url);
}

static const char endpoint_secret[] =
    "must be a host alone, without a user, a password or a query: secrets stand in files of their "
    "own, which the keys that end in _file name";

/* 1: good; 0: an error was reported; -ENOMEM. */
static int check_url(struct check *k, char *const *at)
{
    bool endpoint = at == &k->c->upload.endpoint;
    const char *key = endpoint ? "endpoint" : "url", *secret;
    char why[UPLOAD_WHY_MAX] = "", unseen[UPLOAD_WHY_MAX];
    int r;

    if (upload_url_has_secret(*at, &secret)) {
        (void)snprintf(unseen, sizeof(unseen), "%s %s", key, endpoint ? endpoint_secret : secret);
        check_report_unseen(k, AT(at), ABOUT, unseen);
        return 0;
    }
    r = endpoint ? upload_endpoint_check(*at, why) : upload_url_check(*at, why);
    if (r == -EINVAL)
        check_report(k, AT(at), ABOUT, "%s %s", key, why);
    return r == -EINVAL ? 0 : r < 0 ? r : 1;
}

static int check_urls(struct check *k)
{
    const struct upload_config *u = &k->c->upload;
    enum upload_scheme scheme = u->url ? upload_url_scheme(u->url) : 0;
    int url = 1, endpoint = 1;

    if (u->url)
        url = check_url(k, &u->url);
    if (url >= 0 && u->endpoint)
        endpoint = check_url(k, &u->endpoint);
    if (url < 0 || endpoint < 0)
        return -ENOMEM;
    if (!scheme)
        return 0;
    check_fits(k, scheme);
    if (scheme == UPLOAD_FILE && url > 0)
        check_apart(k);
    return url > 0 && endpoint > 0 ? check_open(k, scheme) : 0;
}

int check_upload(struct check *k)
{
    check_pairs(k);
    return check_urls(k);
}
