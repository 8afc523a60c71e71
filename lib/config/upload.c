/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/config/upload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "lib/config/keys/access_keys.h"
#include "lib/yaml/label.h"

#define KEYS(array) .keys = (array), .n_keys = sizeof(array) / sizeof((array)[0])
#define AT(type, field) .offset = offsetof(struct type, field)

#define URL_MAX 2048
#define CONCURRENCY_MAX 64
#define RATE_MIN (16u << 10)
#define RATE_MAX (1ULL << 50)

void upload_defaults(struct upload_config *u)
{
    *u = (struct upload_config){
        .concurrency = 4,
        .keep_local = true,
        .checksum = true,
        .stall_timeout = USEC_PER_MIN,
        .access.proxy.from_environment = true,
    };
}

void upload_done(struct upload_config *u)
{
    label_clear_all(&u->tags, &u->n_tags);
    label_clear_all(&u->sse_context, &u->n_sse_context);
    free(u->url);
    free(u->acl);
    free(u->endpoint);
    free(u->region);
    free(u->storage_class);
    free(u->sse);
    free(u->sse_kms_key_id);
    free(u->access_key_file);
    free(u->secret_key_file);
    free(u->session_token_file);
    free(u->account_key_file);
    free(u->sas_token_file);
    free(u->credentials_file);
    access_done(&u->access);
}

static const char lower[] = "abcdefghijklmnopqrstuvwxyz";
static const char upper[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
static const char digits[] = "0123456789";

static const char *check_region(const char *region)
{
    for (; *region; region++) {
        if (!strchr(lower, *region) && !strchr(digits, *region) && *region != '-')
            return "must be lower-case letters, digits and hyphens, as in eu-west-1";
    }
    return NULL;
}

/* Amazon's storage classes are in capitals; other servers may have any name. */
static const char *check_storage_class(const char *name)
{
    for (; *name; name++) {
        if (!strchr(lower, *name) && !strchr(upper, *name) && !strchr(digits, *name) &&
            !strchr("_-.", *name))
            return "must be a single word such as STANDARD_IA";
    }
    return NULL;
}

static const char *check_sse(const char *sse)
{
    static const char *const known[] = {"AES256", "aws:kms", "aws:kms:dsse"};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(sse, known[i]) == 0)
            return NULL;
    }
    return "must be AES256, aws:kms or aws:kms:dsse";
}

/* Amazon's canned ACLs. */
static const char *check_acl(const char *acl)
{
    static const char *const known[] = {
        "private",       "public-read",       "public-read-write",         "authenticated-read",
        "aws-exec-read", "bucket-owner-read", "bucket-owner-full-control", "log-delivery-write"};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(acl, known[i]) == 0)
            return NULL;
    }
    return "must be a canned ACL, such as bucket-owner-full-control or private";
}

static const char *check_visible(const char *text)
{
    for (; *text; text++) {
        if (*text <= ' ' || *text >= 0x7f)
            return "has a blank or a letter outside ASCII";
    }
    return NULL;
}

static size_t count_characters(const char *s)
{
    size_t n = 0;

    for (size_t len; *s; s += len ? len : 1, n++)
        len = utf8_length(s, UTF8_MAX);
    return n;
}

/* Characters that S3 allows in tags. Non-ASCII letters are left to the store to check. */
static bool tag_letters(const char *s)
{
    for (; *s; s++) {
        if ((unsigned char)*s < 0x80 && !strchr(lower, *s) && !strchr(upper, *s) &&
            !strchr(digits, *s) && !strchr(" +-=._:/@", *s))
            return false;
    }
    return true;
}

static int check_tag_key(struct yaml_file *f, const yaml_node_t *node, const char *key)
{
    if (*key == '\0')
        return yaml_file_error(f, node, "a tag's key must not be empty");
    if (count_characters(key) > UPLOAD_TAG_KEY_MAX)
        return yaml_file_error(f, node, "the tag's key `%.60s...` is longer than %d characters",
                               key, UPLOAD_TAG_KEY_MAX);
    if (strncasecmp(key, "aws:", 4) == 0)
        return yaml_file_error(f, node, "tag `%.60s`: keys that begin with aws: are Amazon's own",
                               key);
    if (!tag_letters(key))
        return yaml_file_error(
            f, node, "tag `%.60s`: keys have letters, digits, blanks and + - = . _ : / @", key);
    return 0;
}

static int check_tag_value(struct yaml_file *f, const yaml_node_t *node, const struct label *tag)
{
    if (count_characters(tag->value) > UPLOAD_TAG_VALUE_MAX)
        return yaml_file_error(f, node, "tag `%.60s`: the value is longer than %d characters",
                               tag->name, UPLOAD_TAG_VALUE_MAX);
    if (!tag_letters(tag->value))
        return yaml_file_error(
            f, node, "tag `%.60s`: values have letters, digits, blanks and + - = . _ : / @",
            tag->name);
    return 0;
}

/* KMS accepts any text; an empty one or control characters are refused as mistakes. */
static int check_context_key(struct yaml_file *f, const yaml_node_t *node, const char *key)
{
    return *key ? 0 : yaml_file_error(f, node, "a key of sse_kms_context must not be empty");
}

static int check_context_value(struct yaml_file *f, const yaml_node_t *node,
                               const struct label *pair)
{
    size_t n = strlen(pair->name) + strlen(pair->value);

    if (n <= UPLOAD_CONTEXT_PAIR_MAX)
        return 0;
    return yaml_file_error(f, node,
                           "sse_kms_context `%.60s`: key and value are longer than %d bytes",
                           pair->name, UPLOAD_CONTEXT_PAIR_MAX);
}

static int read_tags(struct yaml_file *f, const yaml_node_t *node, void *base)
{
    static const struct label_rule rule = {"tags",          "a tag",       "an object has at most",
                                           UPLOAD_TAGS_MAX, check_tag_key, check_tag_value};
    struct upload_config *u = base;

    return label_read_all(f, node, &rule, &u->tags, &u->n_tags);
}

static int read_context(struct yaml_file *f, const yaml_node_t *node, void *base)
{
    static const struct label_rule rule = {"sse_kms_context", "a value of sse_kms_context",
                                           "it has at most",  UPLOAD_CONTEXT_MAX,
                                           check_context_key, check_context_value};
    struct upload_config *u = base;

    return label_read_all(f, node, &rule, &u->sse_context, &u->n_sse_context);
}

static const struct table_choice checksum_choices[] = {{"auto", true}, {"none", false}, {NULL, 0}};

static const struct table_choice payer_choices[] = {
    {"requester", true}, {"bucket-owner", false}, {NULL, 0}};

static const struct table_choice addressing_choices[] = {
    {"auto", UPLOAD_ADDRESSING_AUTO},
    {"path", UPLOAD_ADDRESSING_PATH},
    {"virtual", UPLOAD_ADDRESSING_VIRTUAL},
    {NULL, 0},
};

#define FILE_KEY(key, field) \
    {.name = (key), .type = TABLE_PATH, .flags = TABLE_NULLABLE, AT(upload_config, field)}

#define REFUSED_SECRET(key, file) \
    {.name = (key),               \
     .type = TABLE_REFUSED,       \
     .flags = TABLE_SECRET,       \
     .hint = ACCESS_NO_SECRETS "with `" file "`"}

static const struct table_key upload_keys[] = {
    {.name = "url",
     .type = TABLE_STRING,
     .flags = TABLE_NULLABLE,
     AT(upload_config, url),
     .max = URL_MAX},
    {.name = "endpoint",
     .type = TABLE_STRING,
     .flags = TABLE_NULLABLE,
     AT(upload_config, endpoint),
     .max = URL_MAX},
    {.name = "region",
     .type = TABLE_STRING,
     .flags = TABLE_NULLABLE,
     AT(upload_config, region),
     .max = 64,
     .check = check_region},
    {.name = "addressing",
     .type = TABLE_CHOICE,
     AT(upload_config, addressing),
     .choices = addressing_choices},
    {.name = "concurrency",
     .type = TABLE_UNSIGNED,
     AT(upload_config, concurrency),
     .min = 1,
     .max = CONCURRENCY_MAX},
    {.name = "keep_local", .type = TABLE_BOOL, AT(upload_config, keep_local)},
    {.name = "require_mount", .type = TABLE_BOOL, AT(upload_config, require_mount)},
    {.name = "if_none_match", .type = TABLE_BOOL, AT(upload_config, if_none_match)},
    {.name = "max_rate",
     .type = TABLE_SIZE,
     .flags = TABLE_NULLABLE,
     AT(upload_config, max_rate),
     .min = RATE_MIN,
     .max = RATE_MAX},
    {.name = "stall_timeout",
     .type = TABLE_DURATION,
     AT(upload_config, stall_timeout),
     .min = 5 * USEC_PER_SEC,
     .max = USEC_PER_HOUR},
    {.name = "storage_class",
     .type = TABLE_STRING,
     .flags = TABLE_NULLABLE,
     AT(upload_config, storage_class),
     .max = 128,
     .check = check_storage_class},
    {.name = "server_side_encryption",
     .type = TABLE_STRING,
     .flags = TABLE_NULLABLE,
     AT(upload_config, sse),
     .check = check_sse},
    {.name = "sse_kms_key_id",
     .type = TABLE_STRING,
     .flags = TABLE_NULLABLE,
     AT(upload_config, sse_kms_key_id),
     .max = 2048,
     .check = check_visible},
    {.name = "sse_kms_context",
     .type = TABLE_CUSTOM,
     .flags = TABLE_NULLABLE,
     AT(upload_config, sse_context),
     .custom = read_context},
    {.name = "acl",
     .type = TABLE_STRING,
     .flags = TABLE_NULLABLE,
     AT(upload_config, acl),
     .check = check_acl},
    {.name = "request_payer",
     .type = TABLE_BOOL,
     AT(upload_config, requester_pays),
     .choices = payer_choices},
    {.name = "checksum",
     .type = TABLE_BOOL,
     AT(upload_config, checksum),
     .choices = checksum_choices},
    {.name = "tags",
     .type = TABLE_CUSTOM,
     .flags = TABLE_NULLABLE,
     AT(upload_config, tags),
     .custom = read_tags},
    FILE_KEY("access_key_file", access_key_file),
    FILE_KEY("secret_key_file", secret_key_file),
    FILE_KEY("session_token_file", session_token_file),
    FILE_KEY("account_key_file", account_key_file),
    FILE_KEY("sas_token_file", sas_token_file),
    FILE_KEY("credentials_file", credentials_file),
    {.name = "basic_auth",
     .type = TABLE_MAPPING,
     AT(upload_config, access.auth),
     .table = &access_keys_basic_auth},
    {.name = "authorization",
     .type = TABLE_MAPPING,
     AT(upload_config, access.auth),
     .table = &access_keys_authorization},
    {.name = "tls_config",
     .type = TABLE_MAPPING,
     .flags = TABLE_NULLABLE,
     AT(upload_config, access.tls),
     .table = &access_keys_tls},
    ACCESS_PROXY_KEYS(upload_config),
    REFUSED_SECRET("access_key", "access_key_file"),
    REFUSED_SECRET("access_key_id", "access_key_file"),
    REFUSED_SECRET("secret_key", "secret_key_file"),
    REFUSED_SECRET("secret_access_key", "secret_key_file"),
    REFUSED_SECRET("session_token", "session_token_file"),
    REFUSED_SECRET("account_key", "account_key_file"),
    REFUSED_SECRET("sas_token", "sas_token_file"),
    {.name = "bucket",
     .type = TABLE_REFUSED,
     .hint = "the bucket is part of `url`: s3://BUCKET/PREFIX"},
    {.name = "prefix",
     .type = TABLE_REFUSED,
     .hint = "the prefix is part of `url`: s3://BUCKET/PREFIX"},
    {.name = "profile",
     .type = TABLE_REFUSED,
     .hint = "set AWS_PROFILE in the environment of contraced"},
    {.name = "force_path_style", .type = TABLE_REFUSED, .hint = "write `addressing: path`"},
    {.name = "insecure",
     .type = TABLE_REFUSED,
     .hint = "write `endpoint: http://HOST:PORT` for a server without TLS, or "
             "`insecure_skip_verify` in `tls_config`"},
};

_Static_assert(sizeof(upload_keys) / sizeof(upload_keys[0]) <= TABLE_KEYS_MAX, "room for all keys");

const struct table upload_section = {.where = "in upload", KEYS(upload_keys)};
