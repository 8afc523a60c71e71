/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Sends one request to a store, with contraced's own code, for tests that look at it from outside:
 *
 *   store [NAME=VALUE…] put FILE KEY [META=VALUE…]
 *   store [NAME=VALUE…] head KEY
 *   store [NAME=VALUE…] get KEY FILE
 *   store [NAME=VALUE…] list PREFIX [AFTER]
 *
 * A name is a key of the configuration's section `upload`; tag.NAME is a tag. It prints the result's
 * word, size, hash, pause and text, or the lines of a listing: size, seconds and key. The exit status
 * is the result's number; 64 for wrong arguments or a wrong section.
 */

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/disk.h"
#include "base/filehash.h"
#include "base/parse.h"
#include "lib/config/config.h"
#include "lib/net/http.h"
#include "lib/store/kinds.h"

#define WRONG_USE 64
#define PAIRS_MAX 32

struct asking {
    sd_event *event;
    struct store *store;
    int out;
    bool ended;
    struct store_result result;
};

static _Noreturn void fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "store: %s: %s\n", what, why);
    exit(WRONG_USE);
}

static struct label tags[PAIRS_MAX];

static bool set_text(struct upload_config *u, const char *name, char *value)
{
    const struct {
        const char *name;
        char **to;
    } texts[] = {
        {"url", &u->url},
        {"endpoint", &u->endpoint},
        {"region", &u->region},
        {"storage_class", &u->storage_class},
        {"server_side_encryption", &u->sse},
        {"sse_kms_key_id", &u->sse_kms_key_id},
        {"acl", &u->acl},
        {"proxy_url", &u->access.proxy.url},
        {"access_key_file", &u->access_key_file},
        {"secret_key_file", &u->secret_key_file},
        {"session_token_file", &u->session_token_file},
        {"account_key_file", &u->account_key_file},
        {"sas_token_file", &u->sas_token_file},
        {"credentials_file", &u->credentials_file},
        {"basic_auth.username", &u->access.auth.basic_username},
        {"basic_auth.password_file", &u->access.auth.basic_password_file},
        {"authorization.type", &u->access.auth.type},
        {"authorization.credentials_file", &u->access.auth.credentials_file},
        {"tls_config.ca_file", &u->access.tls.ca_file},
        {"tls_config.server_name", &u->access.tls.server_name},
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (strcmp(texts[i].name, name) == 0) {
            *texts[i].to = value;
            return true;
        }
    }
    return false;
}

static bool set_other(struct upload_config *u, const char *name, char *value)
{
    if (strcmp(name, "addressing") == 0)
        u->addressing = strcmp(value, "path") == 0    ? UPLOAD_ADDRESSING_PATH
                      : strcmp(value, "virtual") == 0 ? UPLOAD_ADDRESSING_VIRTUAL
                                                      : UPLOAD_ADDRESSING_AUTO;
    else if (strcmp(name, "if_none_match") == 0)
        u->if_none_match = strcmp(value, "true") == 0;
    else if (strcmp(name, "checksum") == 0)
        u->checksum = strcmp(value, "auto") == 0;
    else if (strcmp(name, "max_rate") == 0)
        return parse_size(value, &u->max_rate) == 0;
    else if (strcmp(name, "stall_timeout") == 0)
        return parse_duration(value, &u->stall_timeout) == 0;
    else if (strncmp(name, "tag.", 4) == 0 && u->n_tags < PAIRS_MAX)
        tags[u->n_tags++] = (struct label){.name = (char *)name + 4, .value = value};
    else
        return false;
    return true;
}

/* Splits "NAME=VALUE" in place. */
static char *value_of(char *pair)
{
    char *equals = strchr(pair, '=');

    if (!equals)
        return NULL;
    *equals = '\0';
    return equals + 1;
}

static void on_done(void *userdata, const struct store_result *result)
{
    struct asking *a = userdata;

    a->ended = true;
    a->result = *result;
}

static int on_body(void *userdata, const void *data, size_t n)
{
    const struct asking *a = userdata;
    const char *p = data;

    while (n > 0) {
        ssize_t written = write(a->out, p, n);

        if (written < 0)
            fail("write", "failed");
        p += written;
        n -= (size_t)written;
    }
    return 0;
}

static int on_object(void *userdata, const char *key, uint64_t size, usec modified)
{
    (void)userdata;
    (void)printf("%" PRIu64 " %" PRIu64 " %s\n", size, modified / USEC_PER_SEC, key);
    return 0;
}

static int open_or_fail(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);

    if (fd < 0)
        fail(path, "cannot be opened");
    return fd;
}

static int put(struct asking *a, char **words, size_t n, struct store_call **call)
{
    static struct store_meta meta[PAIRS_MAX];
    static struct store_object o;
    struct stat st;

    if (n < 2 || n - 2 > PAIRS_MAX)
        fail("put", "wrong use");
    o = (struct store_object){.key = words[1],
                              .fd = open_or_fail(words[0], O_RDONLY),
                              .content_type = "application/octet-stream",
                              .meta = meta};
    if (fstat(o.fd, &st) < 0)
        fail(words[0], "cannot be looked at");
    o.size = (uint64_t)st.st_size;
    for (size_t i = 2; i < n; i++) {
        char *value = value_of(words[i]);

        if (!value)
            fail(words[i], "is no META=VALUE");
        if (strcmp(words[i], "sha256") == 0)
            o.sha256 = value;
        meta[o.n_meta++] = (struct store_meta){words[i], value};
    }
    return store_put(a->store, &o, on_done, a, call);
}

static int ask(struct asking *a, char **words, size_t n, struct store_call **call)
{
    const char *verb = words[0];

    if (n >= 3 && strcmp(verb, "put") == 0)
        return put(a, words + 1, n - 1, call);
    if (n == 2 && strcmp(verb, "head") == 0)
        return store_head(a->store, words[1], on_done, a, call);
    if (n == 3 && strcmp(verb, "get") == 0) {
        a->out = open_or_fail(words[2], O_WRONLY | O_CREAT | O_TRUNC);
        return store_get(a->store, words[1], on_body, on_done, a, call);
    }
    if (n >= 2 && n <= 3 && strcmp(verb, "list") == 0)
        return store_list(a->store, words[1], n == 3 ? words[2] : NULL, on_object, on_done, a,
                          call);
    fail(verb, "wrong use");
}

int main(int argc, char **argv)
{
    struct upload_config u = {.concurrency = 1, .checksum = true, .tags = tags};
    struct asking a = {.out = -1};
    struct store_context context;
    struct store_call *call;
    char why[STORE_TEXT_MAX], *value;
    int i = 1;

    (void)signal(SIGPIPE, SIG_IGN);
    for (; i < argc && (value = value_of(argv[i])); i++) {
        if (!set_text(&u, argv[i], value) && !set_other(&u, argv[i], value))
            fail(argv[i], "is no key, or has a wrong value");
    }
    if (i == argc)
        fail("nothing", "to ask for");
    if (store_check(&u, why) < 0)
        fail("upload", why);
    if (sd_event_new(&context.event) < 0 ||
        http_new(context.event, "contraced/test", &context.http) < 0 ||
        disk_new(context.event, &context.disk) < 0 || store_new(&context, &u, &a.store) < 0)
        fail("store", "cannot be set up");
    if (ask(&a, argv + i, (size_t)(argc - i), &call) < 0)
        fail("memory", "is short");
    while (!a.ended) {
        if (sd_event_run(context.event, UINT64_MAX) < 0)
            fail("event loop", "failed");
    }
    (void)fprintf(stderr, "%s %" PRIu64 " %s %" PRIu64 " %s\n", store_end_name(a.result.end),
                  a.result.size, a.result.sha256[0] ? a.result.sha256 : "-",
                  a.result.retry_after / USEC_PER_SEC, a.result.text);
    store_free(a.store);
    http_free(context.http);
    disk_free(context.disk);
    sd_event_unref(context.event);
    return (int)a.result.end;
}
