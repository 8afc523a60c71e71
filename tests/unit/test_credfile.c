/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/store/credential/credfile.h"
#include "tests/support/scratch.h"

#define CANARY "cAnArY0secret"
#define KEYS "aws_access_key_id = AK\naws_secret_access_key = " CANARY "\n"

static int parse(enum credfile_kind kind, const char *profile, const char *text,
                 struct credfile_profile *ret, char why[static 256])
{
    memset(ret, 0, sizeof(*ret));
    why[0] = '\0';
    return credfile_parse("f", &(struct credfile_query){.kind = kind, .name = profile}, text,
                          strlen(text), ret, why, 256);
}

static void assert_keys(enum credfile_kind kind, const char *profile, const char *text,
                        const char *access, const char *secret, const char *token,
                        const char *region)
{
    struct credfile_profile p;
    char why[256];

    assert_int_equal(parse(kind, profile, text, &p, why), 0);
    assert_string_equal(why, "");
    assert_string_equal(p.secrets.access_key ? p.secrets.access_key : "", access);
    assert_string_equal(p.secrets.secret_key ? p.secrets.secret_key : "", secret);
    assert_string_equal(p.secrets.session_token ? p.secrets.session_token : "", token);
    assert_string_equal(p.values[CREDFILE_REGION] ? p.values[CREDFILE_REGION] : "", region);
    assert_true(p.secrets.expiry == USEC_NEVER);
    credfile_done(&p);
}

static void test_credentials(void **state)
{
    const enum credfile_kind k = CREDFILE_CREDENTIALS;

    (void)state;
    assert_keys(k, "default", "[default]\n" KEYS, "AK", CANARY, "", "");
    assert_keys(k, "b", "[a]\naws_access_key_id=no\n\n[b]\n" KEYS "aws_session_token=t/+==\n", "AK",
                CANARY, "t/+==", "");
    assert_keys(k, "a",
                "\xef\xbb\xbf# c\r\n; d\r\n[ a ] # e\r\nAWS_Access_Key_ID:x\r\n"
                "aws_secret_access_key=y#z ; f\r\nregion=eu-west-1",
                "x", "y#z", "", "eu-west-1");
    /* Parts of a profile come together; of a key that is there twice the last counts. */
    assert_keys(k, "a", "[a]\n" KEYS "[b]\nregion=no\n[a]\nregion=r\naws_access_key_id=later\n",
                "later", CANARY, "", "r");
    assert_keys(k, "a", " [a]\n  aws_access_key_id=x\n  aws_secret_access_key=y\n", "x", "y", "",
                "");
    assert_keys(k, "a", "[a]\nregion=r\n", "", "", "", "r");
}

static void test_config(void **state)
{
    const enum credfile_kind k = CREDFILE_CONFIG;

    (void)state;
    assert_keys(k, "default", "[default]\nregion=r\n", "", "", "", "r");
    assert_keys(k, "x", "[x]\nregion=no\n[profile x]\nregion=r\n", "", "", "", "r");
    assert_keys(k, "x y", "[profile 'x y']\nregion=r\n", "", "", "", "r");
    assert_keys(k, "x", "[profile\t\"x\"]\nregion=r\n", "", "", "", "r");
    assert_keys(k, "default",
                "[default]\nregion=no\n[profile default]\nregion=r\n"
                "[default]\nregion=no\n",
                "", "", "", "r");
    /* Nested properties and values that go on are for other tools. */
    assert_keys(k, "x", "[profile x]\ns3 =\n  region = no\n  max = 1\n\nregion = r\n", "", "", "",
                "r");
    assert_keys(k, "x", "[sso-session x]\nregion=no\n[profile x]\nregion=r\n", "", "", "", "r");
}

/* What the message says, and that it says it of the right line and no more. */
static void test_errors(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"[a\n", "f:1: the section has no ]"},
        {"[]\n", "f:1: the section has no name"},
        {"[a] " CANARY "\n", "f:1: something follows the section's ]"},
        {"[a]\n" CANARY "\n", "f:2: neither a section nor key = value"},
        {"[a]\n=" CANARY "\n", "f:2: a value without a key"},
        {"aws_secret_access_key=" CANARY "\n[a]\n", "f:1: a key before the first section"},
        {"[a]\naws_access_key_id=" CANARY "\n",
         "f:2: aws_access_key_id without aws_secret_access_key"},
        {"[a]\n\naws_secret_access_key=" CANARY "\n",
         "f:3: aws_secret_access_key without aws_access_key_id"},
        {"[a]\naws_access_key_id=\n", "f:2: aws_access_key_id is empty"},
        {"[a]\n" KEYS "aws_session_token= # " CANARY "\n", "f:4: aws_session_token is empty"},
        {"[a]\naws_access_key_id=AK\naws_secret_access_key=" CANARY " " CANARY "\n",
         "f:3: aws_secret_access_key has blanks or characters that no key has"},
        {"[a]\naws_access_key_id=AK\naws_secret_access_key=" CANARY "\xc3\xa4\n",
         "f:3: aws_secret_access_key has blanks or characters that no key has"},
        {"[a]\n" KEYS "  " CANARY "\n", "f:4: a key or region goes on over a second line"},
        {"[a]\nregion=" CANARY CANARY CANARY CANARY CANARY "\n", "f:2: region is too long"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct credfile_profile p;
        char why[256];

        assert_int_equal(parse(CREDFILE_CREDENTIALS, "a", rows[i].text, &p, why), -EINVAL);
        assert_string_equal(why, rows[i].why);
        assert_null(p.secrets.access_key);
    }
}

static void test_no_profile(void **state)
{
    struct credfile_profile p;
    char why[256];

    (void)state;
    assert_int_equal(parse(CREDFILE_CREDENTIALS, "b", "[a]\n" KEYS, &p, why), -ENOENT);
    assert_string_equal(why, "f: it has no profile b");
    assert_int_equal(parse(CREDFILE_CONFIG, "a", "[a]\n" KEYS, &p, why), -ENOENT);
    assert_int_equal(parse(CREDFILE_CREDENTIALS, "a", "", &p, why), -ENOENT);
    assert_int_equal(credfile_parse("f",
                                    &(struct credfile_query){.kind = CREDFILE_CONFIG, .name = "a"},
                                    "[a]\n\0\n", 6, &p, why, 256),
                     -EINVAL);
    assert_string_equal(why, "f:2: a zero byte");
}

/* Every single-byte damage of a good file: a result or a text, and the text without the secret. */
static void test_canary(void **state)
{
    static const char good[] = "[default]\n" KEYS "aws_session_token = " CANARY "\nregion = r\n";
    static const char damage[] = {'\0', '\n', '\r', ' ', '[', ']', '=', '#', '"', '\x80'};

    (void)state;
    for (size_t i = 0; i < sizeof(good) - 1; i++) {
        for (size_t d = 0; d < sizeof(damage); d++) {
            const struct credfile_query q = {.kind = CREDFILE_CREDENTIALS, .name = "default"};
            struct credfile_profile p = {0};
            char text[sizeof(good)], why[256] = "";
            int r;

            memcpy(text, good, sizeof(good));
            text[i] = damage[d];
            r = credfile_parse("f", &q, text, sizeof(good) - 1, &p, why, sizeof(why));
            assert_true((r < 0) == (why[0] != '\0'));
            assert_null(strstr(why, "cAnArY"));
            assert_null(strstr(why, "secret\""));
            credfile_done(&p);
        }
    }
}

static int load(const char *text, mode_t mode, enum credfile_kind kind, char why[static 512])
{
    const char *path = scratch_write(scratch_dir, "f", text, strlen(text), mode);
    struct credfile_profile p = {0};
    int r = credfile_load(path, &(struct credfile_query){.kind = kind, .name = "default"}, &p, why,
                          512);

    assert_null(strstr(why, CANARY));
    assert_true(r == 0 || strstr(why, path) != NULL);
    assert_true(r == 0 || !p.secrets.access_key);
    credfile_done(&p);
    return r;
}

static void test_load(void **state)
{
    struct credfile_profile p = {0};
    char why[512], *big;

    (void)state;
    assert_int_equal(load("[default]\n" KEYS, 0600, CREDFILE_CREDENTIALS, why), 0);
    assert_int_equal(load("[default]\nregion=r\n", 0644, CREDFILE_CONFIG, why), 0);
    assert_int_equal(load("[default]\n" CANARY, 0600, CREDFILE_CONFIG, why), -EINVAL);
    big = calloc(1, CREDFILE_MAX + 2);
    assert_non_null(big);
    memset(big, '#', CREDFILE_MAX + 1);
    assert_int_equal(load(big, 0600, CREDFILE_CREDENTIALS, why), -E2BIG);
    free(big);
    assert_int_equal(credfile_load(scratch_path(scratch_dir, "none"),
                                   &(struct credfile_query){.kind = CREDFILE_CONFIG, .name = "a"},
                                   &p, why, 512),
                     -ENOENT);
    assert_int_equal(load("[default]\nregion=r\n", SCRATCH_EXPOSED, CREDFILE_CREDENTIALS, why),
                     -EPERM);
    assert_non_null(strstr(why, "chmod 0600"));
    assert_int_equal(load("[default]\n" KEYS, SCRATCH_EXPOSED, CREDFILE_CONFIG, why), -EPERM);
    assert_int_equal(
        load("[default]\nregion=r\n[profile b]\n" KEYS, SCRATCH_EXPOSED, CREDFILE_CONFIG, why),
        -EPERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_credentials),
        cmocka_unit_test(test_config),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_no_profile),
        cmocka_unit_test(test_canary),
        cmocka_unit_test_setup_teardown(test_load, scratch_setup, scratch_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
