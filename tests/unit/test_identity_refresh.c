/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/identity_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/store/credential/creddoc.h"

static void test_refresh(void **state)
{
    struct world *w = *state;

    with_endpoint(w);
    will_give(w, (int64_t)USEC_PER_HOUR);
    assert_int_equal(ask(w, 0), 0);
    check_log(1, LOG_LEVEL_INFO, "the container's endpoint");
    for (unsigned n = 1; n <= 3; n++) {
        assert_int_equal(identity_version(w->identity), n);
        advance(w, 44 * USEC_PER_MIN);
        assert_int_equal(requests, n);
        will_give(w, (int64_t)(USEC_PER_HOUR + 6 * USEC_PER_MIN));
        advance(w, 6 * USEC_PER_MIN); /* ten minutes are left */
        run_request(w, n);
    }
    assert_string_equal(secret_key(w), "canary-4");
    assert_int_equal(n_lines, 1);
}

/* The same set once more, as long as the service has no other. */
static void test_refresh_same(void **state)
{
    struct world *w = *state;
    unsigned before;

    with_endpoint(w);
    will_give(w, (int64_t)USEC_PER_HOUR);
    assert_int_equal(ask(w, 0), 0);
    advance(w, 44 * USEC_PER_MIN);
    play(w);
    advance(w, 6 * USEC_PER_MIN);
    run_request(w, 1);
    assert_int_equal(identity_version(w->identity), 1);
    for (unsigned n = 2; n < 6; n++) {
        play(w);
        before = requests;
        for (int s = 0; s < 60 && requests == before; s++)
            advance(w, USEC_PER_SEC);
        run_request(w, before);
        assert_int_equal(identity_version(w->identity), 1);
    }
    assert_int_equal(n_lines, 1);
    will_give(w, (int64_t)USEC_PER_HOUR);
    before = requests;
    advance(w, USEC_PER_MIN);
    run_request(w, before);
    assert_int_equal(identity_version(w->identity), 2);
    advance(w, 30 * USEC_PER_MIN);
    assert_int_equal(requests, before + 1);
    assert_int_equal(n_lines, 1);
}

static void fail_until(struct world *w, usec end)
{
    usec now = 0;

    while (now < end) {
        unsigned before = requests;

        will_fail(w);
        while (requests == before && now < end) {
            advance(w, USEC_PER_SEC);
            assert_true(sd_event_now(w->event, CLOCK_REALTIME, &now) >= 0);
            /* What is there is in use, whatever becomes of it. */
            assert_int_equal(ask(w, 0), 0);
            assert_int_equal(told.times, 0);
        }
        if (requests > before)
            run_request(w, before);
    }
}

static void test_outage(void **state)
{
    struct world *w = *state;
    unsigned before;
    usec expiry;

    with_endpoint(w);
    will_give(w, (int64_t)USEC_PER_HOUR);
    assert_int_equal(ask(w, 0), 0);
    expiry = identity_expiry(w->identity);
    advance(w, 44 * USEC_PER_MIN);
    fail_until(w, expiry - 10 * USEC_PER_MIN - 2 * USEC_PER_SEC);
    assert_int_equal(n_lines, 1); /* nothing is urgent yet */
    fail_until(w, expiry - USEC_PER_MIN);
    check_log(2, LOG_LEVEL_WARN,
              "the container's endpoint answers with status 503: those in use "
              "expire soon");
    fail_until(w, expiry + 2 * USEC_PER_MIN);
    check_log(3, LOG_LEVEL_WARN, "have expired");
    before = requests;
    fail_until(w, expiry + 12 * USEC_PER_MIN);
    assert_in_range(requests - before, 8, 120); /* once a minute at least, and no storm */
    assert_int_equal(n_lines, 3);
    /* The store refuses them: now one hears why there are no better ones. */
    will_fail(w);
    advance(w, USEC_PER_MIN);
    assert_int_equal(ask(w, 1), -EAGAIN);
    assert_non_null(strstr(told.why, "status 503"));
    (void)loopback_join(w->server);
    will_give(w, (int64_t)USEC_PER_HOUR);
    before = requests;
    advance(w, USEC_PER_MIN);
    run_request(w, before);
    assert_int_equal(identity_version(w->identity), 2);
    check_log(4, LOG_LEVEL_INFO, "again");
}

/* Everything that is had has expired, by a clock that is wrong. */
static void test_wrong_clock(void **state)
{
    struct world *w = *state;
    unsigned before;
    usec start_shift;

    with_endpoint(w);
    will_give(w, -7200 * (int64_t)USEC_PER_SEC);
    assert_int_equal(ask(w, 0), 0);
    start_shift = shift;
    while (shift - start_shift < USEC_PER_HOUR) {
        before = requests;
        will_give(w, -7200 * (int64_t)USEC_PER_SEC);
        while (requests == before && shift - start_shift < USEC_PER_HOUR)
            advance(w, USEC_PER_SEC);
        if (requests > before)
            run_request(w, before);
    }
    assert_in_range(requests, 10, 60);
    assert_int_equal(ask(w, 0), 0);
    check_log(2, LOG_LEVEL_WARN, "is this machine's clock right?");
    before = requests;
    will_give(w, (int64_t)USEC_PER_HOUR);
    advance(w, 5 * USEC_PER_MIN);
    run_request(w, before);
    check_log(3, LOG_LEVEL_INFO, "again");
}

/* The store refuses set after set; it is asked every second. */
static void test_refused_for_ever(void **state)
{
    struct world *w = *state;
    unsigned before, eacces = 0;

    with_endpoint(w);
    will_give(w, (int64_t)USEC_PER_DAY);
    assert_int_equal(ask(w, 0), 0);
    will_give(w, (int64_t)USEC_PER_DAY);
    assert_int_equal(ask(w, 1), 0); /* the first one is obeyed at once */
    before = requests;
    will_give(w, (int64_t)USEC_PER_DAY);
    for (int s = 0; s < 3600; s++) {
        unsigned had = requests;
        int r = ask(w, identity_version(w->identity));

        assert_true(r == 0 || r == -EACCES);
        eacces += r == -EACCES;
        if (r < 0)
            assert_non_null(strstr(told.why, "others after a pause"));
        if (requests > had)
            will_give(w, (int64_t)USEC_PER_DAY);
        advance(w, USEC_PER_SEC);
    }
    assert_in_range(requests - before, 10, 80);
    assert_in_range(eacces, 3500, 3600);
    assert_int_equal(n_lines, 1);
}

static void test_google(void **state)
{
    struct world *w = *state;
    char host[64];

    (void)snprintf(host, sizeof(host), "127.0.0.1:%u", loopback_port(w->server));
    assert_int_equal(setenv("GCE_METADATA_HOST", host, 1), 0);
    assert_int_equal(setenv("AWS_ACCESS_KEY_ID", "AKENV", 1), 0); /* not for Google */
    start(w, &(struct identity_options){.kind = IDENTITY_GOOGLE});
    (void)snprintf(w->reply, sizeof(w->reply),
                   "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"access_token\":\"canary-g\","
                   "\"expires_in\":3000,\"token_type\":\"Bearer\"}");
    play(w);
    assert_int_equal(ask(w, 0), 0);
    assert_string_equal(identity_secrets(w->identity)->session_token, "canary-g");
    assert_null(identity_secrets(w->identity)->access_key);
    check_log(1, LOG_LEVEL_INFO, "Google's metadata server");
    /* The same token with another second to live is the same. */
    play(w);
    advance(w, 5 * USEC_PER_SEC);
    assert_int_equal(ask(w, 1), -EACCES);
    (void)unsetenv("GCE_METADATA_HOST");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        TEST(test_refresh),     TEST(test_refresh_same),     TEST(test_outage),
        TEST(test_wrong_clock), TEST(test_refused_for_ever), TEST(test_google),
    };

    creddoc_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
