/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/certs.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

struct certs {
    const char *dir;
    EVP_PKEY *key;
    X509 *cert;
    long serial;
};

static void need(int good)
{
    if (!good) {
        ERR_print_errors_fp(stderr);
        abort();
    }
}

static void extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509_EXTENSION *e;
    X509V3_CTX ctx;

    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    need(e && X509_add_ext(cert, e, -1) == 1);
    X509_EXTENSION_free(e);
}

/* An unsigned certificate, valid from an hour ago until an hour from now. */
static X509 *make(struct certs *c, const char *name, EVP_PKEY *key)
{
    X509 *cert = X509_new();
    X509_NAME *subject;

    need(cert && X509_set_version(cert, 2) == 1 &&
         ASN1_INTEGER_set(X509_get_serialNumber(cert), ++c->serial) == 1 &&
         X509_gmtime_adj(X509_getm_notBefore(cert), -3600) &&
         X509_gmtime_adj(X509_getm_notAfter(cert), 3600) && X509_set_pubkey(cert, key) == 1);
    subject = X509_get_subject_name(cert);
    need(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1,
                                    -1, 0) == 1);
    need(X509_set_issuer_name(cert, c->cert ? X509_get_subject_name(c->cert) : subject) == 1);
    return cert;
}

static FILE *create(struct certs *c, const char *name, const char *suffix)
{
    char path[512];
    FILE *f;

    need(snprintf(path, sizeof(path), "%s/%s.%s", c->dir, name, suffix) < (int)sizeof(path));
    f = fopen(path, "we");
    need(f != NULL);
    return f;
}

static void write_cert(struct certs *c, const char *name, X509 *cert)
{
    FILE *f = create(c, name, "pem");

    need(PEM_write_X509(f, cert) == 1 && fclose(f) == 0);
}

struct certs *certs_new(const char *dir)
{
    struct certs *c = calloc(1, sizeof(*c));

    need(c != NULL);
    c->dir = dir;
    c->key = EVP_EC_gen("P-256");
    need(c->key != NULL);
    c->cert = make(c, "test authority", c->key);
    extend(c->cert, c->cert, NID_basic_constraints, "critical,CA:TRUE");
    extend(c->cert, c->cert, NID_subject_key_identifier, "hash");
    need(X509_sign(c->cert, c->key, EVP_sha256()) > 0);
    write_cert(c, "ca", c->cert);
    return c;
}

void certs_free(struct certs *c)
{
    if (!c)
        return;
    X509_free(c->cert);
    EVP_PKEY_free(c->key);
    free(c);
}

void certs_issue(struct certs *c, const char *name, const char *alt_names)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert;
    FILE *f;

    need(key != NULL);
    cert = make(c, name, key);
    if (alt_names)
        extend(cert, c->cert, NID_subject_alt_name, alt_names);
    need(X509_sign(cert, c->key, EVP_sha256()) > 0);
    write_cert(c, name, cert);
    f = create(c, name, "key");
    need(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1 && fclose(f) == 0);
    X509_free(cert);
    EVP_PKEY_free(key);
}
