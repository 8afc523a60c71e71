/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "daemon/api/alerts.h"

static char why[APIREQUEST_WHY_SIZE];

static int parse(const char *text, struct alerts *a)
{
    memset(why, 0, sizeof(why));
    return alerts_parse(text, strlen(text), false, a, why);
}

/* As Alertmanager sends it. */
static const char notification[] =
    "{\"receiver\":\"contrace\",\"status\":\"firing\",\"alerts\":["
    "{\"status\":\"firing\",\"labels\":{\"alertname\":\"HighLatency\",\"instance\":"
    "\"10.1.2.3:8080\",\"job\":\"checkout\",\"service\":\"cart\",\"severity\":\"page\"},"
    "\"annotations\":{\"summary\":\"slow\"},\"startsAt\":\"2026-03-14T09:26:53.589Z\","
    "\"endsAt\":\"0001-01-01T00:00:00Z\",\"generatorURL\":\"http://prometheus/graph?g0\","
    "\"fingerprint\":\"1a30ba71cca2921f\"},"
    "{\"status\":\"resolved\",\"labels\":{\"alertname\":\"Down\",\"job\":\"checkout\"},"
    "\"annotations\":{},\"startsAt\":\"2026-03-14T09:26:53.589Z\",\"endsAt\":"
    "\"2026-03-14T09:36:53.589Z\",\"generatorURL\":\"\",\"fingerprint\":\"00\"},"
    "{\"status\":\"firing\",\"labels\":{\"job\":\"\"}}],"
    "\"groupLabels\":{\"alertname\":\"HighLatency\"},\"commonLabels\":{},"
    "\"commonAnnotations\":{},\"externalURL\":\"http://alertmanager:9093\",\"version\":\"4\","
    "\"groupKey\":\"{}:{alertname=\\\"HighLatency\\\"}\",\"truncatedAlerts\":0}";

static void test_notification(void **state)
{
    struct alerts a;

    (void)state;
    assert_int_equal(parse(notification, &a), 0);
    assert_int_equal(a.n, 2);
    assert_int_equal(a.left_out, 0);
    assert_string_equal(a.items[0].service, "cart");
    assert_string_equal(a.items[0].job, "checkout");
    assert_string_equal(a.items[0].instance, "10.1.2.3:8080");
    assert_string_equal(a.items[0].reason, "alert:HighLatency");
    assert_null(a.items[1].service);
    assert_null(a.items[1].job);
    assert_null(a.items[1].instance);
    assert_string_equal(a.items[1].reason, "alert:unnamed");
    alerts_done(&a);
    assert_int_equal(parse("{\"alerts\":[]}", &a), 0);
    assert_int_equal(a.n, 0);
    alerts_done(&a);
}

/* Wherever it is cut: what is whole counts, and nothing else. */
static void test_cut(void **state)
{
    const char *first = strstr(notification, "\"alerts\":["),
               *last = strstr(notification, "}],\"group");

    (void)state;
    for (size_t n = 0; n < sizeof(notification); n++) {
        _cleanup_free_ char *text = strndup(notification, n);
        struct alerts a;
        int r;

        assert_non_null(text);
        memset(why, 0, sizeof(why));
        r = alerts_parse(text, n, true, &a, why);
        if (r < 0) {
            assert_int_equal(r, -EINVAL);
            assert_true(n < (size_t)(strstr(first, "},{\"status\":\"resolved") - notification) + 1);
            assert_non_null(
                strstr(why, ": it is too long, and its beginning has not one whole alert"));
            continue;
        }
        assert_string_equal(a.items[0].service, "cart");
        assert_int_equal(a.n, n <= (size_t)(last - notification) ? 1 : 2);
        alerts_done(&a);
    }
}

/* A name goes into logs, records and listings: of it only plain characters, and not too many. */
static void test_names(void **state)
{
    static const struct {
        const char *name, *reason;
    } cases[] = {
        {"\"a b\\n\\u001b[0m\"", "alert:a_b___0m"},
        {"\"\\u00e4..//<script>\"", "alert:__..___script_"},
        {"\"A:b-C_9.\"", "alert:A:b-C_9."},
        {"\"\"", "alert:unnamed"},
        {"7", "alert:unnamed"},
    };
    char text[400];
    struct alerts a;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        (void)snprintf(text, sizeof(text),
                       "{\"alerts\":[{\"status\":\"firing\",\"labels\":{\"alertname\":%s}}]}",
                       cases[i].name);
        assert_int_equal(parse(text, &a), 0);
        assert_string_equal(a.items[0].reason, cases[i].reason);
        alerts_done(&a);
    }
    (void)snprintf(text, sizeof(text),
                   "{\"alerts\":[{\"status\":\"firing\",\"labels\":{\"alertname\":\"%0300d\"}}]}",
                   7);
    assert_int_equal(parse(text, &a), 0);
    assert_int_equal(strlen(a.items[0].reason), ALERTS_REASON_SIZE - 1);
    alerts_done(&a);
}

static void test_many(void **state)
{
    struct buf text;
    struct alerts a;

    (void)state;
    buf_init(&text, 1 << 20);
    (void)buf_adds(&text, "{\"alerts\":[");
    for (int i = 0; i < ALERTS_MAX + 7; i++)
        (void)buf_addf(&text, "%s{\"status\":\"firing\",\"labels\":{}}", i ? "," : "");
    assert_int_equal(buf_adds(&text, "]}"), 0);
    assert_int_equal(parse(buf_str(&text), &a), 0);
    assert_int_equal(a.n, ALERTS_MAX);
    assert_int_equal(a.left_out, 7);
    alerts_done(&a);
    buf_done(&text);
}

static void test_refused(void **state)
{
    static const char *const bodies[] = {
        "",
        "nonsense",
        "[]",
        "{}",
        "{\"alerts\":{}}",
        "{\"alerts\":[7]}",
        "{\"alerts\":[{}]}",
        "{\"alerts\":[{\"status\":\"firing\"}]}",
        "{\"alerts\":[{\"status\":7,\"labels\":{}}]}",
        "{\"alerts\":[{\"status\":\"firing\",\"labels\":[]}]}",
    };
    struct alerts a;

    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        assert_int_equal(parse(bodies[i], &a), -EINVAL);
        assert_non_null(strstr(why, "no notification of Alertmanager's webhook: "));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_notification), cmocka_unit_test(test_cut),
        cmocka_unit_test(test_names),        cmocka_unit_test(test_many),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
