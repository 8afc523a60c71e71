/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "lib/net/listen.h"

/* What is refused, and in which words, stands in the fixtures web-*.yaml of test_config. */

static struct listen_address parse(const char *text)
{
    struct listen_address a;
    const char *why = NULL;

    if (listen_parse(text, &a, &why) < 0)
        fail_msg("%s: %s", text, why);
    assert_string_equal(a.text, text);
    return a;
}

static void assert_v4(const char *text, const char *address, uint16_t port, bool local)
{
    struct listen_address a = parse(text);
    char shown[INET_ADDRSTRLEN];

    assert_int_equal(a.sa.any.sa_family, AF_INET);
    assert_int_equal(a.len, sizeof(a.sa.v4));
    assert_string_equal(inet_ntop(AF_INET, &a.sa.v4.sin_addr, shown, sizeof(shown)), address);
    assert_int_equal(ntohs(a.sa.v4.sin_port), port);
    assert_int_equal(a.local, local);
}

static void assert_v6(const char *text, const char *address, uint16_t port, bool local)
{
    struct listen_address a = parse(text);
    char shown[INET6_ADDRSTRLEN];

    assert_int_equal(a.sa.any.sa_family, AF_INET6);
    assert_int_equal(a.len, sizeof(a.sa.v6));
    assert_string_equal(inet_ntop(AF_INET6, &a.sa.v6.sin6_addr, shown, sizeof(shown)), address);
    assert_int_equal(ntohs(a.sa.v6.sin6_port), port);
    assert_int_equal(a.local, local);
}

static void test_addresses(void **state)
{
    struct listen_address a;

    (void)state;
    assert_v4("127.0.0.1:7465", "127.0.0.1", 7465, true);
    assert_v4("127.9.9.9:0", "127.9.9.9", 0, true);
    assert_v4("localhost:1", "127.0.0.1", 1, true);
    assert_v4("128.0.0.1:65535", "128.0.0.1", 65535, false);
    assert_v4("0.0.0.0:80", "0.0.0.0", 80, false);
    assert_v6("[::1]:7465", "::1", 7465, true);
    assert_v6("[::]:7465", "::", 7465, false);
    assert_v6(":7465", "::", 7465, false);
    assert_v6("[::ffff:10.0.0.1]:1", "::ffff:10.0.0.1", 1, false);
    a = parse("unix:/run/contrace/contraced.sock");
    assert_int_equal(a.sa.any.sa_family, AF_UNIX);
    assert_string_equal(a.sa.un.sun_path, "/run/contrace/contraced.sock");
    assert_true(a.local);
    assert_int_equal(a.len, offsetof(struct sockaddr_un, sun_path) + 29);
}

static void test_refused(void **state)
{
    static const char *const texts[] = {
        "",
        ":",
        "::",
        "[",
        "]",
        "[]",
        "[]:",
        "[]:1",
        "[:",
        "[]]:1",
        "]:1",
        "1",
        "127.0.0.1:",
        "127.0.0.1:-1",
        "127.0.0.1:+1",
        "127.0.0.1:1x",
        "127.1:1",
        "0x7f.0.0.1:1",
        "1.2.3.4.5:1",
        "*:1",
        "@:1",
        " 127.0.0.1:1",
        "unix:",
        "unix:/",
        "unix:x",
        "unix:@",
        "unix:@x",
        "off",
        "[::1%lo]:1",
        "[::1]x:1",
        "[::1:1",
        "::1]:1",
        "\xff:1",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct listen_address a = {.len = 77};
        const char *why = NULL;

        if (listen_parse(texts[i], &a, &why) != -EINVAL)
            fail_msg("'%s' is taken", texts[i]);
        assert_non_null(why);
        assert_int_equal(a.len, 77);
    }
}

static void test_lists(void **state)
{
    struct listen_list list = {.n = 9};
    const char *why = NULL;

    (void)state;
    assert_int_equal(listen_parse_list("off", &list, &why), 0);
    assert_int_equal(list.n, 0);
    assert_null(listen_list_exposed(&list));
    assert_int_equal(listen_parse_list(LISTEN_DEFAULT, &list, &why), 0);
    assert_int_equal(list.n, 2);
    assert_string_equal(list.items[0].text, "127.0.0.1:7465");
    assert_string_equal(list.items[1].text, "unix:/run/contrace/contraced.sock");
    assert_null(listen_list_exposed(&list));
    assert_int_equal(listen_parse_list("[::1]:1,10.0.0.1:1 ,\t:1", &list, &why), 0);
    assert_int_equal(list.n, 3);
    assert_string_equal(listen_list_exposed(&list)->text, "10.0.0.1:1");
    assert_int_equal(listen_parse_list("", &list, &why), -EINVAL);
    assert_int_equal(listen_parse_list(" off", &list, &why), -EINVAL);
    assert_int_equal(list.n, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_lists),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
