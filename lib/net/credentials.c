/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/net/credentials.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/secretfile.h"

#define SECRET_MAX CREDENTIALS_SECRET_MAX
#define HEADER_MAX (2 * SECRET_MAX + 8192) /* base64 grows it by a third; plus the user's name */
#define BASE64_SIZE(n) (((n) + 2) / 3 * 4 + 1) /* with its zero */

#define SCHEME "Bearer "
#define SCHEME_TWICE "only the token belongs into the file, without `Bearer`"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Without the white space around it, as Prometheus reads such a file: an editor's newline, a
 * carriage return of another system, a blank that was copied with it. */
static void trim(struct buf *secret)
{
    size_t from = 0;

    while (secret->len > 0 && is_blank(secret->data[secret->len - 1]))
        secret->data[--secret->len] = '\0';
    while (from < secret->len && is_blank(secret->data[from]))
        from++;
    if (from == 0)
        return;
    memmove(secret->data, secret->data + from, secret->len - from);
    explicit_bzero(secret->data + secret->len - from, from);
    secret->len -= from;
}

static int read_secret(const char *path, struct buf *secret)
{
    int r = secretfile_read(secret, path);

    if (r < 0)
        return r;
    trim(secret);
    if (secret->len == 0)
        return -ENODATA;
    if (secret->len >= 3 && memcmp(secret->data, "\xef\xbb\xbf", 3) == 0)
        return -EILSEQ;
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
    case EILSEQ: return "it begins with a byte order mark: save it as plain text";
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

static bool is_bearer(const char *type)
{
    return !type || strcasecmp(type, "Bearer") == 0;
}

void credentials_init(struct buf *header)
{
    buf_init(header, HEADER_MAX);
}

int credentials_read(const char *path, struct buf *secret, char *text, size_t text_size)
{
    char shown[SECRETFILE_SHOWN_SIZE];
    int r = read_secret(path, secret);

    if (r < 0)
        (void)snprintf(text, text_size, "cannot use the secret file %s: %s",
                       secretfile_shown(path, r, shown), explain(r));
    return r;
}

/* Which would be sent twice. Other blanks are the server's to judge. */
static bool begins_with_scheme(const struct buf *secret)
{
    return secret->len > strlen(SCHEME) &&
           strncasecmp(buf_str(secret), SCHEME, strlen(SCHEME)) == 0;
}

int credentials_header(const struct access_auth *c, struct buf *header, char *text,
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
    if (c->credentials_file && is_bearer(c->type) && begins_with_scheme(&secret)) {
        (void)snprintf(text, text_size, "cannot use the secret file %s: %s", path, SCHEME_TWICE);
        buf_wipe(&secret);
        return -EINVAL;
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
