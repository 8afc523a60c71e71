/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "lib/store/kinds.h"
#include "tests/support/allocations.h"
#include "tests/support/loopback.h"
#include "tests/support/scratch.h"

#define ALLOCATIONS_MAX 5000

/* What the log says of each failure is not what is looked at here. */
static void no_log(void *userdata, enum log_level level, const struct log_fields *fields,
                   const char *message)
{
    (void)userdata;
    (void)level;
    (void)fields;
    (void)message;
}

struct world {
    char *dir;
    struct upload_config u;
    char endpoint[64];
    int fd;
    struct store_context context;
    bool ended;
    struct store_result result;
    unsigned objects;
};

typedef int begin_fn(struct world *w, struct store *s, struct store_call **ret);

static void on_done(void *userdata, const struct store_result *result)
{
    struct world *w = userdata;

    w->ended = true;
    w->result = *result;
}

static int on_object(void *userdata, const char *key, uint64_t size, usec modified)
{
    struct world *w = userdata;

    (void)key;
    (void)size;
    (void)modified;
    w->objects++;
    return 0;
}

static int begin_put(struct world *w, struct store *s, struct store_call **ret)
{
    static const struct store_meta meta[] = {{"service", "checkout"}};
    const struct store_object o = {
        .key = "k", .fd = w->fd, .size = 5, .content_type = "a/b", .meta = meta, .n_meta = 1};

    return store_put(s, &o, on_done, w, ret);
}

static int begin_list(struct world *w, struct store *s, struct store_call **ret)
{
    return store_list(s, "", "a", on_object, on_done, w, ret);
}

/* Wakes a script that nobody came to. */
static void knock(struct loopback *l)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)loopback_port(l)),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    (void)connect(fd, (const struct sockaddr *)&to, sizeof(to));
    (void)close(fd);
}

static void run(struct world *w, begin_fn *begin)
{
    struct store *s = NULL;
    struct store_call *call;
    int r = store_new(&w->context, &w->u, &s);

    w->ended = false;
    w->objects = 0;
    w->result = (struct store_result){.end = STORE_LOCAL};
    if (r == 0)
        r = begin(w, s, &call);
    assert_true(r == 0 || r == -ENOMEM);
    while (r == 0 && !w->ended)
        assert_true(sd_event_run(w->context.event, UINT64_MAX) >= 0);
    store_free(s);
}

/*
 * Each allocation fails once. Whatever fails, the call ends, nothing leaks, and it is not taken for
 * an answer of the store's; what is no more than text may be missing.
 */
static void fail_each(struct world *w, begin_fn *begin, const struct loopback_step *steps, size_t n)
{
    unsigned i = 0;
    bool failed;

    do {
        struct loopback *l = loopback_new(NULL);
        size_t descriptors;

        (void)snprintf(w->endpoint, sizeof(w->endpoint), "http://127.0.0.1:%u", loopback_port(l));
        loopback_play(l, steps, n);
        assert_true(sd_event_new(&w->context.event) >= 0);
        assert_int_equal(http_new(w->context.event, "contraced/test", &w->context.http), 0);
        assert_int_equal(disk_new(w->context.event, &w->context.disk), 0);
        descriptors = scratch_descriptors();
        allocations_made = 0;
        allocations_fail_at = i++;
        allocations_fail_once = allocations_failing = true;
        run(w, begin);
        allocations_failing = false;
        failed = allocations_made > allocations_fail_at;
        if (w->result.end != STORE_DONE && (!failed || w->result.end != STORE_LOCAL))
            fail_msg("allocation %u: %s, %s", i, store_end_name(w->result.end), w->result.text);
        http_free(w->context.http);
        disk_free(w->context.disk);
        sd_event_unref(w->context.event);
        assert_true(scratch_descriptors() <= descriptors);
        knock(l);
        loopback_free(l);
    } while (failed && i < ALLOCATIONS_MAX);
    assert_in_range(i, 50, ALLOCATIONS_MAX - 1);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    w->dir = scratch_new(NULL);
    w->fd = open(scratch_text(w->dir, "object", "hello"), O_RDONLY | O_CLOEXEC);
    assert_true(w->fd >= 0);
    w->u = (struct upload_config){
        .url = (char *)"s3://bucket/pre",
        .endpoint = w->endpoint,
        .region = (char *)"eu-test-1",
        .concurrency = 1,
        .access_key_file = strdup(scratch_write(w->dir, "access", "AKONE\n", 6, 0600)),
        .secret_key_file = strdup(scratch_write(w->dir, "secret", "secret1\n", 8, 0600)),
    };
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    (void)close(w->fd);
    free(w->u.access_key_file);
    free(w->u.secret_key_file);
    scratch_free(w->dir);
    free(w);
    return 0;
}

/* Hashed, sent, sent again to another region. */
static void test_put(void **state)
{
    static const struct loopback_step steps[] = {
        BODY,
        SEND("HTTP/1.1 400 No\r\nContent-Length: 82\r\n\r\n<Error><Code>AuthorizationHeader"
             "Malformed</Code><Region>eu-else-2</Region></Error>"),
        NEXT, BODY, SEND("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")};

    fail_each(*state, begin_put, steps, sizeof(steps) / sizeof(steps[0]));
}

static void test_list(void **state)
{
    static const struct loopback_step steps[] = {
        SEND("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n74\r\n<ListBucketResult>"
             "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>"
             "</ListBucketResult>\r\n0\r\n\r\n"),
        NEXT,
        SEND("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n58\r\n<ListBucketResult>"
             "<Contents><Key>pre/b</Key><Size>1</Size></Contents></ListBucketResult>\r\n"
             "0\r\n\r\n")};
    struct world *w = *state;

    fail_each(w, begin_list, steps, sizeof(steps) / sizeof(steps[0]));
    assert_int_equal(w->objects, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_put, setup, teardown),
        cmocka_unit_test_setup_teardown(test_list, setup, teardown),
    };

    (void)signal(SIGPIPE, SIG_IGN); /* as the daemon does */
    log_set_sink(no_log, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
