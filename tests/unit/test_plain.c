/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/compose.h"
#include "tests/support/scratch.h"
#include "tests/support/text.h"

static void test_put(void **state)
{
    const struct upload_config u = {.url = TEXT("https://traces.example.com/go")};
    const struct dialect_request q = {
        .verb = DIALECT_PUT, .key = "a b/c+d%.trace", .object = &compose_object};
    struct dialect *d = compose_dialect(plain_dialect, &u);
    struct message m = compose(d, &q, NULL);

    (void)state;
    assert_string_equal(m.method, "PUT");
    assert_string_equal(buf_str(&m.url), "https://traces.example.com/go/a%20b/c%2Bd%25.trace");
    assert_string_equal(compose_header(&m, "Content-Type"), "application/octet-stream");
    assert_string_equal(compose_header(&m, "x-contrace-service"), "checkout");
    assert_string_equal(compose_header(&m, "x-contrace-sha256"), compose_object.sha256);
    assert_null(compose_header(&m, "If-None-Match"));
    assert_null(compose_header(&m, "Authorization"));
    assert_string_equal(d->description, "https://traces.example.com/go/");
    assert_string_equal(d->prefix, "");
    assert_int_equal(d->identity, DIALECT_IDENTITY_NONE);
    assert_false(d->lists);
    message_done(&m);
    d->ops->free(d);
}

static void test_head_and_get(void **state)
{
    const struct upload_config u = {.url = TEXT("http://h:81/"), .if_none_match = true};
    struct dialect *d = compose_dialect(plain_dialect, &u);
    struct dialect_request q = {.verb = DIALECT_HEAD, .key = "k"};
    struct message m = compose(d, &q, NULL);

    (void)state;
    assert_string_equal(m.method, "HEAD");
    assert_string_equal(buf_str(&m.url), "http://h:81/k");
    assert_int_equal(m.n_headers, 0);
    message_done(&m);
    q.verb = DIALECT_GET;
    m = compose(d, &q, NULL);
    assert_string_equal(m.method, "GET");
    assert_int_equal(m.n_headers, 0);
    message_done(&m);
    d->ops->free(d);
}

static void test_if_none_match(void **state)
{
    const struct upload_config u = {.url = TEXT("http://h/"), .if_none_match = true};
    struct store_object probe = compose_object;
    struct dialect *d = compose_dialect(plain_dialect, &u);
    struct dialect_request q = {.verb = DIALECT_PUT, .key = "k", .object = &compose_object};
    struct message m = compose(d, &q, NULL);

    (void)state;
    assert_true(d->conditional);
    assert_string_equal(compose_header(&m, "If-None-Match"), "*");
    message_done(&m);
    probe.replace = true;
    q.object = &probe;
    m = compose(d, &q, NULL);
    assert_null(compose_header(&m, "If-None-Match"));
    message_done(&m);
    d->ops->free(d);
}

static void test_no_listing(void **state)
{
    const struct upload_config u = {.url = TEXT("http://h/")};
    const struct dialect_request q = {.verb = DIALECT_LIST, .key = ""};
    struct dialect *d = compose_dialect(plain_dialect, &u);
    char why[STORE_TEXT_MAX] = "";
    struct message m;

    (void)state;
    assert_true(d->ops->compose(d, &q, NULL, COMPOSE_NOW, &m, why) < 0);
    assert_non_null(strstr(why, "no listings"));
    d->ops->free(d);
}

/* Whatever is in the file counts from the next message on. */
static void test_authorization(void **state)
{
    const struct dialect_request q = {.verb = DIALECT_HEAD, .key = "k"};
    char *path = strdup(scratch_text(scratch_dir, "secret", "open sesame\n"));
    const struct upload_config basic = {
        .url = TEXT("http://h/"),
        .access.auth = {.basic_username = TEXT("Aladdin"), .basic_password_file = path},
    };
    const struct upload_config bearer = {.url = TEXT("http://h/"),
                                         .access.auth = {.credentials_file = path}};
    char why[STORE_TEXT_MAX] = "";
    struct dialect *d = compose_dialect(plain_dialect, &basic);
    struct message m = compose(d, &q, NULL);

    (void)state;
    assert_string_equal(compose_header(&m, "Authorization"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    message_done(&m);
    d->ops->free(d);
    d = compose_dialect(plain_dialect, &bearer);
    (void)scratch_text(scratch_dir, "secret", "t0ken");
    m = compose(d, &q, NULL);
    assert_string_equal(compose_header(&m, "Authorization"), "Bearer t0ken");
    message_done(&m);
    (void)scratch_text(scratch_dir, "secret", "rotated");
    m = compose(d, &q, NULL);
    assert_string_equal(compose_header(&m, "Authorization"), "Bearer rotated");
    message_done(&m);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(d->ops->compose(d, &q, NULL, COMPOSE_NOW, &m, why), -ENOENT);
    assert_non_null(strstr(why, path));
    d->ops->free(d);
    free(path);
}

static void test_sections(void **state)
{
    static const struct {
        struct upload_config u;
        const char *why;
    } bad[] = {
        {{.url = TEXT("ftp://h/")}, "must begin with https://"},
        {{.url = TEXT("https:///x")}, "names no host"},
        {{.url = TEXT("https://:80/x")}, "names no host"},
        {{.url = TEXT("https://u:p@h/x")}, "must not hold a user"},
        {{.url = TEXT("https://h/x?y=z")}, "no query"},
        {{.url = TEXT("https://h/x#y")}, "no fragment"},
        {{.url = TEXT("https://h/x y")}, "has a blank"},
        {{.url = TEXT("https://h/\xc3\xa4")}, "outside ASCII"},
        {{.url = TEXT("https://h/"), .access.auth = {.basic_username = TEXT("u")}}, "go together"},
        {{.url = TEXT("https://h/"), .access.auth = {.basic_password_file = TEXT("/p")}},
         "go together"},
        {{.url = TEXT("https://h/"),
          .access.auth = {.basic_username = TEXT("u:v"), .basic_password_file = TEXT("/p")}},
         "no colon"},
        {{.url = TEXT("https://h/"), .access.auth = {.type = TEXT("Token")}},
         "needs credentials_file"},
        {{.url = TEXT("https://h/"),
          .access.auth = {.basic_username = TEXT("u"),
                          .basic_password_file = TEXT("/p"),
                          .credentials_file = TEXT("/c")}},
         "not beside basic_auth"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_non_null(strstr(compose_fault(plain_dialect, &bad[i].u), bad[i].why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_put),
        cmocka_unit_test(test_head_and_get),
        cmocka_unit_test(test_if_none_match),
        cmocka_unit_test(test_no_listing),
        cmocka_unit_test_setup_teardown(test_authorization, scratch_setup, scratch_teardown),
        cmocka_unit_test(test_sections),
    };

    return cmocka_run_group_tests_name("plain", tests, NULL, NULL);
}
