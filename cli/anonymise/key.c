/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/anonymise/key.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "base/secretfile.h"
#include "cli/common/screen.h"

#define RANDOM_BYTES 32
#define FILE_MAX 4096

struct key {
    size_t n;
    unsigned char secret[FILE_MAX];
};

static int make(const void *secret, size_t n, struct key **ret)
{
    struct key *key = malloc(sizeof(*key));

    if (!key)
        return complain_memory();
    key->n = n;
    memcpy(key->secret, secret, n);
    *ret = key;
    return 0;
}

static int make_random(struct key **ret)
{
    unsigned char secret[RANDOM_BYTES];
    int r;

    if (RAND_bytes(secret, sizeof(secret)) != 1) {
        complain("anonymise: there are no random numbers for a key; --key-file gives one");
        return -EIO;
    }
    r = make(secret, sizeof(secret), ret);
    OPENSSL_cleanse(secret, sizeof(secret));
    return r;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static int make_from(const char *path, struct key **ret)
{
    char shown[SECRETFILE_SHOWN_SIZE];
    struct buf secret;
    int r;

    buf_init(&secret, FILE_MAX);
    r = secretfile_read(&secret, path);
    while (r == 0 && secret.len > 0 && is_space(secret.data[secret.len - 1]))
        secret.len--;
    if (r < 0)
        complain("anonymise: the key file %s: %s", secretfile_shown(path, r, shown),
                 secretfile_explain(r));
    else if (secret.len < KEY_MIN)
        complain("anonymise: the key file %s has fewer than %d bytes; make one with 'openssl rand "
                 "-hex 32'",
                 path, KEY_MIN);
    else
        r = make(secret.data, secret.len, ret);
    r = r == 0 && secret.len < KEY_MIN ? -EIO : r;
    buf_wipe(&secret);
    return r;
}

int key_new(const char *path, struct key **ret)
{
    return path ? make_from(path, ret) : make_random(ret);
}

void key_free(struct key *key)
{
    if (!key)
        return;
    OPENSSL_cleanse(key, sizeof(*key));
    free(key);
}

int key_digest(void *userdata, const void *text, size_t n, uint8_t ret[32])
{
    const struct key *key = userdata;

    return HMAC(EVP_sha256(), key->secret, (int)key->n, text, n, ret, NULL) ? 0 : -ENOMEM;
}
