/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/credential/jwt.h"

#include <errno.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/cleanup.h"

#define SIGNATURE_MAX 2048 /* bytes: RSA with 16384 bits */

/* RFC 4648, section 5, without padding. */
static int add_base64url(struct buf *out, const unsigned char *data, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    int r = 0;

    for (size_t i = 0; i < n && r == 0; i += 3) {
        size_t left = n - i < 3 ? n - i : 3;
        unsigned v = (unsigned)data[i] << 16;
        char four[4];

        v |= left > 1 ? (unsigned)data[i + 1] << 8 : 0;
        v |= left > 2 ? data[i + 2] : 0;
        for (size_t d = 0; d < 4; d++)
            four[d] = digits[(v >> (18 - 6 * d)) & 63];
        r = buf_add(out, four, left + 1);
    }
    return r;
}

/* Never ask the terminal for a passphrase. */
static int no_passphrase(char *out, int size, int writing, void *userdata)
{
    (void)out, (void)size, (void)writing, (void)userdata;
    return 0;
}

static int read_key(const char *pem, EVP_PKEY **ret)
{
    size_t n = strlen(pem);
    BIO *bio = n < INT_MAX ? BIO_new_mem_buf(pem, (int)n) : NULL;
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;

    BIO_free(bio);
    if (key && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA) {
        *ret = key;
        return 0;
    }
    EVP_PKEY_free(key);
    return bio ? -EINVAL : -ENOMEM;
}

static int sign(EVP_PKEY *key, const struct buf *text, struct buf *ret)
{
    unsigned char signature[SIGNATURE_MAX];
    size_t n = sizeof(signature);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int r = -EIO;

    if (ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
        EVP_DigestSign(ctx, signature, &n, (const unsigned char *)text->data, text->len) == 1)
        r = buf_adds(ret, ".");
    if (r == 0)
        r = add_base64url(ret, signature, n);
    EVP_MD_CTX_free(ctx);
    return r;
}

int jwt_rs256(const char *header, const char *claims, const char *pem, struct buf *ret)
{
    EVP_PKEY *key;
    struct buf text;
    int r = read_key(pem, &key);

    if (r < 0)
        return r;
    buf_init(&text, ret->max);
    r = add_base64url(&text, (const unsigned char *)header, strlen(header));
    if (r == 0)
        r = buf_adds(&text, ".");
    if (r == 0)
        r = add_base64url(&text, (const unsigned char *)claims, strlen(claims));
    if (r == 0)
        r = buf_add(ret, text.data, text.len);
    if (r == 0)
        r = sign(key, &text, ret);
    buf_wipe(&text);
    EVP_PKEY_free(key);
    return r;
}
