/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/store/credential/sigv4.h"
#include "lib/store/file/file.h"
#include "tests/support/scratch.h"

#define HELLO_SHA256 "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

static char *dir;
static sd_event *event;
static struct store *store;

/* What the handlers were told. */
static struct told {
    int times, pieces;
    struct store_result result;
    char text[4096];
    struct store_call *call;
    bool cancel, give_up;
    pthread_t thread;
} told;

static void on_done(void *userdata, const struct store_result *result)
{
    struct told *t = userdata;

    assert_true(pthread_equal(pthread_self(), t->thread));
    t->times++;
    t->result = *result;
}

static int on_body(void *userdata, const void *data, size_t n)
{
    struct told *t = userdata;

    assert_true(pthread_equal(pthread_self(), t->thread));
    t->pieces++;
    if (n < sizeof(t->text) - strlen(t->text))
        strncat(t->text, data, n);
    if (t->cancel)
        store->ops->cancel(t->call);
    return t->give_up ? -ENOSPC : 0;
}

static int on_object(void *userdata, const char *key, uint64_t size, usec modified)
{
    struct told *t = userdata;

    assert_true(modified > 0);
    t->pieces++;
    if (strlen(key) + 32 < sizeof(t->text) - strlen(t->text))
        (void)sprintf(t->text + strlen(t->text), "%s:%u ", key, (unsigned)size);
    if (t->cancel)
        store->ops->cancel(t->call);
    return t->give_up ? -ENOMEM : 0;
}

static void forget(void)
{
    memset(&told, 0, sizeof(told));
    told.thread = pthread_self();
}

static void wait_for(const struct told *t)
{
    while (t->times == 0)
        assert_true(sd_event_run(event, UINT64_MAX) > 0);
    assert_int_equal(t->times, 1);
}

static void start(bool if_none_match)
{
    const struct store_context context = {.event = event}; /* it brings its own threads */
    struct upload_config u = {.if_none_match = if_none_match};
    char why[STORE_TEXT_MAX];

    assert_true(asprintf(&u.url, "file://%s/", dir) > 0);
    assert_int_equal(file_check(&u, why), 0);
    assert_int_equal(file_new(&context, &u, &store), 0);
    assert_memory_equal(store->description, u.url, strlen(u.url) - 1);
    assert_int_equal(strlen(store->description), strlen(u.url) - 1);
    free(u.url);
}

static int setup(void **state)
{
    (void)state;
    dir = scratch_new(NULL);
    assert_true(sd_event_new(&event) >= 0);
    start(false);
    forget();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    if (store)
        store->ops->free(store);
    store = NULL;
    while (scratch_threads() > 1) /* what was left to one ends here */
        assert_true(sd_event_run(event, 20 * USEC_PER_MSEC) >= 0);
    sd_event_unref(event);
    scratch_free(dir);
    return 0;
}

static void begin_put(const char *key, const char *text, const char *sha256)
{
    const struct store_object o = {
        .key = key, .data = text, .fd = -1, .size = strlen(text), .sha256 = sha256};

    assert_int_equal(store->ops->put(store, &o, on_done, &told, &told.call), 0);
    assert_int_equal(told.times, 0);
}

static enum store_end put(const char *key, const char *text, const char *sha256)
{
    forget();
    begin_put(key, text, sha256);
    wait_for(&told);
    return told.result.end;
}

static enum store_end get(const char *key)
{
    forget();
    assert_int_equal(store->ops->get(store, key, on_body, on_done, &told, &told.call), 0);
    wait_for(&told);
    return told.result.end;
}

static const char *list(const char *prefix, const char *after)
{
    forget();
    assert_int_equal(store->ops->list(store, prefix, after, on_object, on_done, &told, &told.call),
                     0);
    wait_for(&told);
    assert_int_equal(told.result.end, STORE_DONE);
    return told.text;
}

static void test_there_and_back(void **state)
{
    (void)state;
    assert_int_equal(put("a/b/hello", "hello", HELLO_SHA256), STORE_DONE);
    assert_int_equal(put("a/b/none", "hello", NULL), STORE_DONE);
    assert_int_equal(put("a/other", "hello", SIGV4_EMPTY_SHA256), STORE_CHANGED);
    forget();
    assert_int_equal(store->ops->head(store, "a/b/hello", on_done, &told, &told.call), 0);
    wait_for(&told);
    assert_int_equal(told.result.end, STORE_DONE);
    assert_int_equal(told.result.size, 5);
    assert_string_equal(told.result.sha256, HELLO_SHA256);
    assert_int_equal(get("a/b/hello"), STORE_DONE);
    assert_string_equal(told.text, "hello");
    assert_int_equal(told.result.size, 5);
    assert_int_equal(get("a/b/gone"), STORE_MISSING);
    assert_int_equal(get("a/b"), STORE_MISSING);
    assert_string_equal(list("", NULL), "a/b/hello:5 a/b/none:5 ");
    assert_string_equal(list("a/b/", "a/b/hello"), "a/b/none:5 ");
}

static void test_large(void **state)
{
    struct store_object o = {.key = "large", .fd = open(dir, O_TMPFILE | O_RDWR, 0600)};
    static char block[1 << 20];

    (void)state;
    assert_true(o.fd >= 0);
    for (int i = 0; i < 20; i++)
        assert_int_equal(write(o.fd, block, sizeof(block)), sizeof(block));
    o.size = 20 * sizeof(block) - 1;
    assert_int_equal(store->ops->put(store, &o, on_done, &told, &told.call), 0);
    (void)close(o.fd); /* the call has its own */
    wait_for(&told);
    assert_int_equal(told.result.end, STORE_DONE);
    assert_int_equal(get("large"), STORE_DONE);
    assert_int_equal(told.result.size, o.size);
    assert_int_equal(told.pieces, 80);
}

static void test_long_list(void **state)
{
    char name[32];

    (void)state;
    for (int i = 0; i < 1500; i++) {
        (void)snprintf(name, sizeof(name), "%05d", i);
        (void)scratch_text(dir, name, "x");
    }
    (void)scratch_text(dir, ".contrace-0123456789abcdef.tmp", "unfinished");
    (void)list("", "");
    assert_int_equal(told.pieces, 1500);
    assert_memory_equal(told.text, "00000:1 00001:1 ", 16);
}

static void test_conditional(void **state)
{
    const struct store_object probe = {
        .key = "hello", .data = "probe", .fd = -1, .size = 5, .replace = true};

    (void)state;
    store->ops->free(store);
    start(true);
    assert_int_equal(put("hello", "hello", HELLO_SHA256), STORE_DONE);
    assert_int_equal(put("hello", "hello", HELLO_SHA256), STORE_DONE);
    assert_int_equal(put("hello", "other", NULL), STORE_REFUSED);
    assert_int_equal(get("hello"), STORE_DONE);
    assert_string_equal(told.text, "hello");
    forget();
    assert_int_equal(store->ops->put(store, &probe, on_done, &told, &told.call), 0);
    wait_for(&told);
    assert_int_equal(told.result.end, STORE_DONE);
    assert_int_equal(get("hello"), STORE_DONE);
    assert_string_equal(told.text, "probe");
}

static void test_no_directory(void **state)
{
    (void)state;
    scratch_free(dir);
    dir = NULL;
    assert_int_equal(put("hello", "hello", HELLO_SHA256), STORE_PARKED);
    assert_non_null(strstr(told.result.text, "create it or mount it"));
    assert_int_equal(get("hello"), STORE_PARKED);
    forget();
    assert_int_equal(store->ops->list(store, "", "", on_object, on_done, &told, &told.call), 0);
    wait_for(&told);
    assert_int_equal(told.result.end, STORE_PARKED);
}

/* Nobody hears of it, whatever the thread is at, and nothing is left: not even open. */
static void test_cancel(void **state)
{
    char *data = strdup("hello");
    size_t open_before;

    (void)state;
    store->ops->free(store);
    open_before = scratch_descriptors();
    start(false);
    for (int i = 0; i < 300; i++) {
        begin_put("hello", data, HELLO_SHA256);
        if (i % 3 == 0)
            (void)sd_event_run(event, 0);
        if (told.times == 0)
            store->ops->cancel(told.call);
        told.times = 0;
    }
    memset(data, 'x', 5);
    free(data);
    store->ops->free(store);
    store = NULL;
    while (scratch_descriptors() > open_before)
        assert_true(sd_event_run(event, 20 * USEC_PER_MSEC) >= 0);
    assert_int_equal(told.times, 0);
    assert_int_equal(scratch_descriptors(), open_before);
}

/* So many come, and no more. */
static void wait_for_pieces(int n)
{
    while (told.pieces < n)
        assert_true(sd_event_run(event, UINT64_MAX) >= 0);
    while (sd_event_run(event, 50 * USEC_PER_MSEC) > 0)
        ;
    assert_int_equal(told.pieces, n);
}

static void test_cancel_from_a_handler(void **state)
{
    (void)state;
    assert_int_equal(put("hello", "hello", HELLO_SHA256), STORE_DONE);
    assert_int_equal(put("hello2", "hello", HELLO_SHA256), STORE_DONE);
    forget();
    told.cancel = true;
    assert_int_equal(store->ops->get(store, "hello", on_body, on_done, &told, &told.call), 0);
    wait_for_pieces(1);
    assert_int_equal(store->ops->list(store, "", "", on_object, on_done, &told, &told.call), 0);
    wait_for_pieces(2);
    assert_int_equal(told.times, 0);
}

static void test_handler_gives_up(void **state)
{
    (void)state;
    assert_int_equal(put("hello", "hello", HELLO_SHA256), STORE_DONE);
    forget();
    told.give_up = true;
    assert_int_equal(store->ops->get(store, "hello", on_body, on_done, &told, &told.call), 0);
    wait_for(&told);
    assert_int_equal(told.result.end, STORE_LOCAL);
    told.times = 0;
    assert_int_equal(store->ops->list(store, "", "", on_object, on_done, &told, &told.call), 0);
    wait_for(&told);
    assert_int_equal(told.result.end, STORE_LOCAL);
}

/* With the first put: what is ours and old, and nothing else. */
static void test_sweep(void **state)
{
    static const char stale[] = "s/h/.contrace-0123456789abcdef.tmp";
    static const char fresh[] = "s/h/.contrace-fedcba9876543210.tmp";
    static const char foreign[] = "s/h/old.tmp";
    struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};

    (void)state;
    assert_int_equal(mkdir(scratch_path(dir, "s"), 0700), 0);
    assert_int_equal(mkdir(scratch_path(dir, "s/h"), 0700), 0);
    (void)scratch_text(dir, stale, "x");
    (void)scratch_text(dir, fresh, "x");
    (void)scratch_text(dir, foreign, "x");
    assert_int_equal(utimensat(AT_FDCWD, scratch_path(dir, stale), old, 0), 0);
    assert_int_equal(utimensat(AT_FDCWD, scratch_path(dir, foreign), old, 0), 0);
    (void)list("", "");
    assert_int_equal(access(scratch_path(dir, stale), F_OK), 0);
    assert_int_equal(put("hello", "hello", HELLO_SHA256), STORE_DONE);
    while (access(scratch_path(dir, stale), F_OK) == 0)
        assert_true(sd_event_run(event, 50 * USEC_PER_MSEC) >= 0);
    assert_int_equal(access(scratch_path(dir, fresh), F_OK), 0);
    assert_int_equal(access(scratch_path(dir, foreign), F_OK), 0);
}

static void test_check(void **state)
{
    static const char *const bad[] = {"file://", "file://host/dir", "file://dir", "file:///a\nb"};
    struct upload_config good = {.url = strdup("file:///srv"), .concurrency = 1};
    char why[STORE_TEXT_MAX];

    (void)state;
    assert_int_equal(file_check(&good, why), 0);
    free(good.url);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct upload_config u = {.url = strdup(bad[i])};

        why[0] = '\0';
        assert_int_equal(file_check(&u, why), -EINVAL);
        assert_memory_equal(why, "url: ", 5);
        free(u.url);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_there_and_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_large, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_list, setup, teardown),
        cmocka_unit_test_setup_teardown(test_conditional, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_directory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cancel_from_a_handler, setup, teardown),
        cmocka_unit_test_setup_teardown(test_handler_gives_up, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sweep, setup, teardown),
        cmocka_unit_test(test_check),
    };

    return cmocka_run_group_tests_name("file_store", tests, NULL, NULL);
}
