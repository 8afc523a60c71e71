/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/config/keys/access_keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KEYS(array) .keys = (array), .n_keys = sizeof(array) / sizeof((array)[0])
#define AT(type, field) .offset = offsetof(struct type, field)

static const char *check_auth_type(const char *type)
{
    if (strcasecmp(type, "basic") == 0)
        return "must not be Basic: use `basic_auth`";
    for (; *type; type++) {
        if (*type <= ' ' || *type >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", *type))
            return "must be a single word such as Bearer";
    }
    return NULL;
}

static const char *check_username(const char *name)
{
    return strchr(name, ':') ? "must not contain a colon" : NULL;
}

/* The name is put into a URL, before a port; so an IPv6 address must have its brackets. */
static const char *check_server_name(const char *name)
{
    size_t n = strlen(name);

    if (name[0] == '[' && name[n - 1] == ']' &&
        strspn(name + 1, "0123456789abcdefABCDEF:.") == n - 2)
        return NULL;
    for (const char *p = name; *p; p++) {
        if ((unsigned char)*p <= ' ' || *p == 0x7f || strchr("\"#%/:<>?@[\\]^`{|}", *p))
            return "must be a name alone, as the certificate has it: no port, no scheme";
    }
    return NULL;
}

static const struct table_key basic_auth_keys[] = {
    {.name = "username",
     .type = TABLE_STRING,
     .flags = TABLE_REQUIRED,
     AT(access_auth, basic_username),
     .check = check_username},
    {.name = "password_file",
     .type = TABLE_PATH,
     .flags = TABLE_REQUIRED,
     AT(access_auth, basic_password_file)},
    {.name = "password",
     .type = TABLE_REFUSED,
     .flags = TABLE_SECRET,
     .hint = ACCESS_NO_SECRETS "with `password_file`"},
};

const struct table access_keys_basic_auth = {.where = "in basic_auth", KEYS(basic_auth_keys)};

static const struct table_key authorization_keys[] = {
    {.name = "type", .type = TABLE_STRING, AT(access_auth, type), .check = check_auth_type},
    {.name = "credentials_file",
     .type = TABLE_PATH,
     .flags = TABLE_REQUIRED,
     AT(access_auth, credentials_file)},
    {.name = "credentials",
     .type = TABLE_REFUSED,
     .flags = TABLE_SECRET,
     .hint = ACCESS_NO_SECRETS "with `credentials_file`"},
};

const struct table access_keys_authorization = {
    .where = "in authorization",
    KEYS(authorization_keys),
};

static const struct table_key tls_keys[] = {
    {.name = "ca_file", .type = TABLE_PATH, .flags = TABLE_NULLABLE, AT(access_tls, ca_file)},
    {.name = "cert_file", .type = TABLE_PATH, .flags = TABLE_NULLABLE, AT(access_tls, cert_file)},
    {.name = "key_file", .type = TABLE_PATH, .flags = TABLE_NULLABLE, AT(access_tls, key_file)},
    {.name = "server_name",
     .type = TABLE_STRING,
     .flags = TABLE_NULLABLE,
     .max = 253,
     AT(access_tls, server_name),
     .check = check_server_name},
    {.name = "insecure_skip_verify", .type = TABLE_BOOL, AT(access_tls, insecure_skip_verify)},
    {.name = "ca", .type = TABLE_REFUSED, .hint = "name a file with `ca_file`"},
    {.name = "cert", .type = TABLE_REFUSED, .hint = "name a file with `cert_file`"},
    {.name = "key",
     .type = TABLE_REFUSED,
     .flags = TABLE_SECRET,
     .hint = ACCESS_NO_SECRETS "with `key_file`"},
};

const struct table access_keys_tls = {.where = "in tls_config", KEYS(tls_keys)};

int access_keys_fill(struct access_auth *auth)
{
    if (!auth->credentials_file || auth->type)
        return 0;
    auth->type = strdup("Bearer");
    return auth->type ? 0 : -ENOMEM;
}
