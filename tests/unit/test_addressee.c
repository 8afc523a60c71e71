/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "daemon/order/addressee.h"
#include "tests/support/order_fixture.h"

/* The places of those that are meant (order_fixture.h), as digits; the set is in order of its own. */
static void expect(const char *service, const char *job, const char *instance, const char *places)
{
    static const char *const addresses[] = {"10.0.0.1:80", "10.0.0.2:80", "10.0.0.1:90",
                                            "127.0.0.1:70"};
    struct targets *ts = order_targets();
    struct addressee a = {.service = service, .job = job, .instance = instance};
    char meant[5] = "";
    size_t n = 0;

    addressee_read(&a, ts);
    for (size_t k = 0; k < 4; k++)
        for (size_t i = 0; i < targets_count(ts); i++)
            if (strcmp(targets_at(ts, i)->address, addresses[k]) == 0 &&
                addressee_is(&a, targets_at(ts, i)))
                meant[n++] = (char)('0' + k);
    assert_string_equal(meant, places);
    targets_free(ts);
}

static void test_service_and_job(void **state)
{
    (void)state;
    expect("cart", NULL, NULL, "2");
    expect("cart", "checkout", NULL, "2");    /* the service counts if there is such a one */
    expect("team-a", "checkout", NULL, "01"); /* a meaning of its own in Prometheus */
    expect(NULL, "basket", NULL, "2");
    expect(NULL, "cart", NULL, "2"); /* a job of Prometheus may be called like a service of ours */
    expect("nobody", "nothing", NULL, "");
    expect("nobody", NULL, NULL, "");
    expect(NULL, NULL, NULL, "");
    expect(NULL, NULL, "10.0.0.1:80", "");
}

static void test_instance(void **state)
{
    (void)state;
    expect(NULL, "checkout", "10.0.0.2:80", "1");   /* exactly */
    expect(NULL, "checkout", "10.0.0.2:9100", "1"); /* another port of the same host */
    expect(NULL, "checkout", "10.0.0.2", "1");
    expect(NULL, "checkout", "10.0.0.1:90", "0"); /* that address is another job's */
    expect(NULL, "checkout", "10.0.0.9:80", "");
    expect(NULL, "local", "here:9100", "3"); /* this machine by its name */
    expect(NULL, "local", "127.0.0.1:1", "3");
    expect(NULL, "checkout", "unix:/run/checkout", "");
    expect(NULL, "checkout", "[10.0.0.2", "1"); /* cut */
    expect(NULL, "checkout", "", "");
    expect(NULL, "checkout", ":80", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_service_and_job),
        cmocka_unit_test(test_instance),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
