/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/identity_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/store/credential/creddoc.h"
#include "tests/support/scratch.h"

static void write_keys(struct world *w, const char *secret, mode_t mode)
{
    (void)scratch_write(w->dir, "sk", secret, strlen(secret), mode);
}

static void with_files(struct world *w)
{
    (void)snprintf(w->access_key_file, sizeof(w->access_key_file), "%s",
                   scratch_write(w->dir, "ak", "AK\n", 3, 0600));
    write_keys(w, "canary-1\n", 0600);
    (void)snprintf(w->secret_key_file, sizeof(w->secret_key_file), "%s/sk", w->dir);
    start(w, &(struct identity_options){.access_key_file = w->access_key_file,
                                        .secret_key_file = w->secret_key_file});
}

static void test_files(void **state)
{
    struct world *w = *state;

    with_files(w);
    assert_int_equal(ask(w, 0), 0);
    assert_int_equal(told.times, 1);
    assert_string_equal(identity_secrets(w->identity)->access_key, "AK");
    assert_string_equal(secret_key(w), "canary-1");
    assert_int_equal(identity_version(w->identity), 1);
    assert_true(identity_expiry(w->identity) == USEC_NEVER);
    check_log(1, LOG_LEVEL_INFO, "upload: credentials come from the files named in the conf");
    assert_int_equal(ask(w, 0), 0);
    assert_int_equal(told.times, 0);
    advance(w, 30 * USEC_PER_DAY);
    assert_int_equal(n_lines, 1);
    assert_int_equal(requests, 0);
}

static void test_environment(void **state)
{
    struct world *w = *state;

    assert_int_equal(setenv("AWS_ACCESS_KEY_ID", "AKENV", 1), 0);
    assert_int_equal(setenv("AWS_SECRET_ACCESS_KEY", "canary-env", 1), 0);
    start(w, &(struct identity_options){0});
    assert_int_equal(ask(w, 0), 0);
    assert_string_equal(secret_key(w), "canary-env");
    check_log(1, LOG_LEVEL_INFO, "the environment");
    assert_int_equal(ask(w, 1), -EACCES);
    assert_non_null(strstr(told.why, "the store refuses the keys from the environment"));
    assert_string_equal(secret_key(w), "canary-env");
}

/* Until the back-off is over all hear of the failure, and the file is left alone. */
static void test_no_set(void **state)
{
    struct world *w = *state;

    with_files(w);
    write_keys(w, "canary-1", SCRATCH_EXPOSED);
    assert_int_equal(ask(w, 0), -EPERM);
    assert_non_null(strstr(told.why, "/sk: others may read it; chmod 0600"));
    assert_null(identity_secrets(w->identity));
    write_keys(w, "canary-1", 0600);
    assert_int_equal(ask(w, 0), -EPERM);
    advance(w, 5 * USEC_PER_SEC);
    assert_int_equal(ask(w, 0), 0);
    check_log(1, LOG_LEVEL_INFO, "come from");
}

static void test_refused(void **state)
{
    struct world *w = *state;

    with_files(w);
    assert_int_equal(ask(w, 0), 0);
    /* The file has what is refused. */
    assert_int_equal(ask(w, 1), -EACCES);
    assert_non_null(strstr(told.why, w->dir));
    assert_non_null(strstr(told.why, "still has the same"));
    assert_int_equal(identity_version(w->identity), 1);
    assert_int_equal(ask(w, 0), 0); /* for whom any will do */
    /* Rotated. */
    write_keys(w, "canary-2", 0600);
    assert_int_equal(ask(w, 1), -EACCES);
    advance(w, 5 * USEC_PER_SEC);
    assert_int_equal(ask(w, 1), 0);
    assert_int_equal(identity_version(w->identity), 2);
    assert_string_equal(secret_key(w), "canary-2");
    assert_int_equal(ask(w, 1), 0);
    assert_int_equal(told.times, 0);
    /* Gone: what is in use stays so. */
    advance(w, USEC_PER_HOUR);
    assert_int_equal(unlink(w->secret_key_file), 0);
    assert_int_equal(ask(w, 2), -ENOENT);
    assert_string_equal(secret_key(w), "canary-2");
    check_log(2, LOG_LEVEL_WARN, "those in use are kept");
    advance(w, USEC_PER_HOUR);
    assert_int_equal(ask(w, 2), -ENOENT);
    assert_int_equal(n_lines, 2);
    write_keys(w, "canary-3", 0600);
    advance(w, USEC_PER_HOUR);
    assert_int_equal(ask(w, 2), 0);
    check_log(3, LOG_LEVEL_INFO, "again");
}

/* Without a refusal the files are looked at once a minute, when someone asks. */
static void test_rotated(void **state)
{
    struct world *w = *state;

    with_files(w);
    assert_int_equal(ask(w, 0), 0);
    write_keys(w, "canary-22", 0600);
    assert_int_equal(ask(w, 0), 0);
    settle(w);
    assert_int_equal(identity_version(w->identity), 1);
    advance(w, 61 * USEC_PER_SEC);
    assert_int_equal(identity_version(w->identity), 1);
    assert_int_equal(ask(w, 0), 0);
    assert_string_equal(secret_key(w), "canary-1"); /* until the loop runs again */
    settle(w);
    assert_int_equal(identity_version(w->identity), 2);
    assert_string_equal(secret_key(w), "canary-22");
    write_keys(w, "", 0600);
    advance(w, 61 * USEC_PER_SEC);
    assert_int_equal(ask(w, 0), 0);
    settle(w);
    assert_string_equal(secret_key(w), "canary-22");
    check_log(2, LOG_LEVEL_WARN, "those in use are kept");
    write_keys(w, "canary-22", 0600);
    advance(w, 61 * USEC_PER_SEC);
    assert_int_equal(ask(w, 0), 0);
    settle(w);
    assert_int_equal(identity_version(w->identity), 2);
    check_log(3, LOG_LEVEL_INFO, "again");
}

#define MANY 200

static void test_many(void **state)
{
    static struct waiter t[MANY];
    struct world *w = *state;
    unsigned heard = 0;

    memset(t, 0, sizeof(t));
    with_endpoint(w);
    will_give(w, (int64_t)USEC_PER_HOUR);
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(identity_wait(w->identity, 0, on_wait, &t[i], &t[i].wait), 0);
    for (size_t i = 0; i < MANY; i += 4) { /* pairs: the one told first cancels the other */
        t[i].cancels = &t[i + 1];
        t[i + 1].cancels = &t[i];
    }
    for (size_t i = 2; i < MANY; i += 4) {
        identity_wait_cancel(t[i].wait);
        t[i].wait = NULL;
    }
    while (t[3].times == 0)
        assert_true(sd_event_run(w->event, UINT64_MAX) >= 0);
    for (size_t i = 0; i < MANY; i++) {
        assert_true(t[i].times <= 1 && t[i].r == 0 && !t[i].wait);
        heard += t[i].times;
    }
    assert_int_equal(heard, MANY / 2);
    assert_int_equal(requests, 1);
}

struct eager {
    struct world *world;
    struct identity_wait *wait;
    unsigned times;
};

static void on_eager(void *userdata, int r, const char *why)
{
    struct eager *e = userdata;

    (void)why;
    assert_int_equal(r, -EAGAIN);
    if (++e->times < 5)
        assert_int_equal(identity_wait(e->world->identity, 0, on_eager, e, &e->wait), 0);
}

/* Who waits again when told of a failure is told again, without a request. */
static void test_waits_again(void **state)
{
    struct world *w = *state;
    struct eager e = {.world = w};

    with_endpoint(w);
    will_fail(w);
    assert_int_equal(identity_wait(w->identity, 0, on_eager, &e, &e.wait), 0);
    while (e.times < 5)
        assert_true(sd_event_run(w->event, UINT64_MAX) >= 0);
    settle(w);
    assert_int_equal(requests, 1);
}

static void test_cancelled(void **state)
{
    struct world *w = *state;
    struct waiter t = {0};

    with_endpoint(w);
    will_give(w, (int64_t)USEC_PER_HOUR);
    assert_int_equal(identity_wait(w->identity, 0, on_wait, &t, &t.wait), 0);
    identity_wait_cancel(t.wait);
    identity_wait_cancel(NULL);
    while (identity_version(w->identity) == 0)
        assert_true(sd_event_run(w->event, UINT64_MAX) >= 0);
    assert_int_equal(t.times, 0);
    assert_int_equal(ask(w, 0), 0);
    assert_int_equal(requests, 1);
}

static void test_freed_while_asking(void **state)
{
    struct world *w = *state;
    struct waiter t = {0};

    with_endpoint(w);
    will_give(w, (int64_t)USEC_PER_HOUR);
    assert_int_equal(identity_wait(w->identity, 0, on_wait, &t, &t.wait), 0);
    while (requests == 0)
        assert_true(sd_event_run(w->event, UINT64_MAX) >= 0);
    identity_wait_cancel(t.wait);
    identity_free(w->identity);
    w->identity = NULL;
    for (int n = 0; n < 10; n++)
        assert_true(sd_event_run(w->event, 5 * USEC_PER_MSEC) >= 0);
    assert_int_equal(answers, 0);
    assert_int_equal(t.times, 0);
    identity_free(NULL);
}

/* Somebody may have meant the role of the profile that was named. */
static void test_lost_role(void **state)
{
    static const char text[] = "[profile a]\nrole_arn = arn:aws:iam::111122223333:role/a\n"
                               "credential_source = Environment\n";
    struct world *w = *state;

    assert_int_equal(
        setenv("AWS_CONFIG_FILE", scratch_write(w->dir, "config", text, strlen(text), 0600), 1), 0);
    assert_int_equal(setenv("AWS_PROFILE", "a", 1), 0);
    assert_int_equal(setenv("AWS_ACCESS_KEY_ID", "AKENV", 1), 0);
    assert_int_equal(setenv("AWS_SECRET_ACCESS_KEY", "canary-env", 1), 0);
    start(w, &(struct identity_options){0});
    assert_int_equal(ask(w, 0), 0);
    check_log(2, LOG_LEVEL_WARN, "the role of profile a, which the environment names, is not used");
    assert_int_equal(ask(w, 1), -EACCES);
    assert_int_equal(n_lines, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        TEST(test_files),       TEST(test_environment), TEST(test_no_set),
        TEST(test_refused),     TEST(test_rotated),     TEST(test_many),
        TEST(test_waits_again), TEST(test_cancelled),   TEST(test_freed_while_asking),
        TEST(test_lost_role),
    };

    creddoc_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
