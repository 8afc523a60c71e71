/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/net/credentials.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/secretfile.h"

#define SECRET_MAX CREDENTIALS_SECRET_MAX
#define HEADER_MAX (2 * SECRET_MAX + 8192) /* base64 grows it by a third; plus the user's name */
#define BASE64_SIZE(n) (((n) + 2) / 3 * 4 + 1) /* with its zero */

static bool is_line_end(char c)
{
    return c == '\n' || c == '\r';
}

/* The secret without the newline that editors put at its end. */
static int read_secret(const char *path, struct buf *secret)
{
    int r = secretfile_read(secret, path);

    if (r < 0)
        return r;
    while (secret->len > 0 && is_line_end(secret->data[secret->len - 1]))
        secret->data[--secret->len] = '\0';
    if (secret->len == 0)
        return -ENODATA;
    /* A line break in a header would be another header. */
    return memchr(secret->data, '\n', secret->len) || memchr(secret->data, '\r', secret->len) ||
                   memchr(secret->data, '\0', secret->len)
             ? -EBADMSG
             : 0;
}

static const char *explain(int r)
{
    switch (-r) {
    case ENODATA: return "it is empty";
    case EBADMSG: return "it has more than one line";
    case E2BIG: return "it is longer than 16 KiB";
    default: return secretfile_explain(r);
    }
}

/* RFC 7617 */
int credentials_basic(const char *user, const struct buf *password, struct buf *header)
{
    struct buf pair;
    char *encoded = NULL;
    int r;

    buf_init(&pair, SECRET_MAX + 4096);
    r = buf_addf(&pair, "%s:", user);
    if (r == 0)
        r = buf_add(&pair, buf_str(password), password->len);
    if (r == 0) {
        encoded = calloc(1, BASE64_SIZE(pair.len));
        r = encoded ? 0 : -ENOMEM;
    }
    if (r == 0) {
        (void)EVP_EncodeBlock((unsigned char *)encoded, (const unsigned char *)pair.data,
                              (int)pair.len);
        r = buf_adds(header, "Authorization: Basic ");
    }
    if (r == 0)
        r = buf_adds(header, encoded);
    if (encoded)
        explicit_bzero(encoded, BASE64_SIZE(pair.len));
    free(encoded);
    buf_wipe(&pair);
    return r;
}

static int add_token(const char *type, const struct buf *token, struct buf *header)
{
    int r = buf_adds(header, "Authorization: ");

    if (r == 0)
        r = buf_adds(header, type);
    if (r == 0)
        r = buf_adds(header, " ");
    return r < 0 ? r : buf_add(header, buf_str(token), token->len);
}

void credentials_init(struct buf *header)
{
    buf_init(header, HEADER_MAX);
}

int credentials_read(const char *path, struct buf *secret, char *text, size_t text_size)
{
    int r = read_secret(path, secret);

    if (r < 0)
        (void)snprintf(text, text_size, "cannot use the secret file %s: %s", path, explain(r));
    return r;
}

int credentials_header(const struct credentials *c, struct buf *header, char *text,
                       size_t text_size)
{
    const char *path = c->credentials_file ? c->credentials_file : c->basic_password_file;
    struct buf secret;
    int r;

    if (!path)
        return 0;
    buf_init(&secret, SECRET_MAX);
    r = credentials_read(path, &secret, text, text_size);
    if (r < 0) {
        buf_wipe(&secret);
        return r;
    }
    if (c->credentials_file)
        r = add_token(c->type ? c->type : "Bearer", &secret, header);
    else
        r = credentials_basic(c->basic_username ? c->basic_username : "", &secret, header);
    if (r < 0)
        (void)snprintf(text, text_size, "the Authorization header cannot be made: %s",
                       r == -E2BIG ? "it is too long" : strerror(-r));
    buf_wipe(&secret);
    return r;
}
