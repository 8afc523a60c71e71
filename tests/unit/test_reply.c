/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "lib/store/http/reply.h"

#define NOW (784111777 * USEC_PER_SEC) /* Sun, 06 Nov 1994 08:49:37 GMT */

static const struct expectation {
    long status;
    const char *code;
    enum reply_class class;
    bool trouble;
} put_rows[] = {
    {200, "", REPLY_OK, false},
    {201, "", REPLY_OK, false},
    {204, "", REPLY_OK, false},
    {202, "", REPLY_PARK, false},
    {200, "InternalError", REPLY_RETRY, true},
    {200, "Whatever", REPLY_RETRY, true},
    {302, "", REPLY_PARK, false},
    {301, "PermanentRedirect", REPLY_PARK, false},
    {307, "TemporaryRedirect", REPLY_RETRY, true},
    {400, "RequestTimeout", REPLY_RETRY, true},
    {400, "ExpiredToken", REPLY_REFRESH, false},
    {400, "InvalidToken", REPLY_REFRESH, false},
    {400, "BadDigest", REPLY_REHASH, false},
    {400, "XAmzContentSHA256Mismatch", REPLY_REHASH, false},
    {400, "Md5Mismatch", REPLY_REHASH, false},
    {400, "EntityTooLarge", REPLY_QUARANTINE, false},
    {400, "KeyTooLongError", REPLY_QUARANTINE, false},
    {400, "InvalidRequest", REPLY_QUARANTINE, false},
    {400, "IncompleteBody", REPLY_RETRY, false},
    {400, "NeverHeardOf", REPLY_PARK, false},
    {400, "", REPLY_PARK, false},
    {401, "", REPLY_REFRESH, false},
    {403, "", REPLY_PARK, false},
    {403, "AccessDenied", REPLY_PARK, false},
    {403, "InvalidAccessKeyId", REPLY_REFRESH, false},
    {403, "SignatureDoesNotMatch", REPLY_REFRESH, false},
    {403, "AuthenticationFailed", REPLY_PARK, false},
    {403, "RequestExpired", REPLY_REFRESH, false},
    {403, "RequestTimeTooSkewed", REPLY_RETRY, true},
    {403, "UserProjectAccountProblem", REPLY_PARK, false},
    {404, "NoSuchBucket", REPLY_PARK, false},
    {404, "ContainerNotFound", REPLY_PARK, false},
    {404, "", REPLY_PARK, false},
    {405, "", REPLY_PARK, false},
    {408, "", REPLY_RETRY, true},
    {409, "ConditionalRequestConflict", REPLY_RETRY, false},
    {409, "OperationAborted", REPLY_RETRY, true},
    {409, "BlobAlreadyExists", REPLY_EXISTS, false},
    {409, "", REPLY_PARK, false},
    {412, "PreconditionFailed", REPLY_PARK, false}, /* it was not conditional */
    {413, "", REPLY_QUARANTINE, false},
    {429, "", REPLY_RETRY, true},
    {500, "InternalError", REPLY_RETRY, true},
    {500, "OperationTimedOut", REPLY_RETRY, true},
    {501, "NotImplemented", REPLY_PARK, false},
    {502, "", REPLY_RETRY, true},
    {503, "SlowDown", REPLY_RETRY, true},
    {503, "SlowDownWrite", REPLY_RETRY, true},
    {503, "ServerBusy", REPLY_RETRY, true},
    {503, "AccessDenied", REPLY_PARK, false},
    {504, "", REPLY_RETRY, true},
    {507, "", REPLY_PARK, false},
    {599, "", REPLY_RETRY, true},
};

static void expect(const struct reply_facts *f, enum reply_class class, bool trouble)
{
    struct reply r = {0};

    reply_classify(f, &r);
    if (r.class != class || r.trouble != trouble)
        fail_msg("error %d, status %ld, \"%s\": %s", (int)f->error, f->status,
                 f->code ? f->code : "", reply_class_name(r.class));
    assert_non_null(r.hint);
    assert_true((r.skew != 0) == (class == REPLY_SKEW));
}

static void test_put(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(put_rows) / sizeof(put_rows[0]); i++)
        expect(&(struct reply_facts){.status = put_rows[i].status,
                                     .code = put_rows[i].code,
                                     .put = true,
                                     .sent = true,
                                     .now = NOW},
               put_rows[i].class, put_rows[i].trouble);
}

static void test_circumstances(void **state)
{
    struct reply_facts f = {.put = true, .sent = true, .now = NOW};

    (void)state;
    f.status = 412;
    f.conditional = true;
    expect(&f, REPLY_EXISTS, false);
    f.status = 200;
    f.sent = false;
    expect(&f, REPLY_RETRY, false);
    f = (struct reply_facts){.status = 404, .code = "NoSuchKey", .now = NOW};
    expect(&f, REPLY_MISSING, false);
    f.code = "NoSuchBucket";
    expect(&f, REPLY_PARK, false);
}

static void test_region(void **state)
{
    struct reply_facts f = {.status = 400,
                            .code = "AuthorizationHeaderMalformed",
                            .put = true,
                            .sent = true,
                            .region = "eu-west-1",
                            .region_told = "us-east-1"};

    (void)state;
    expect(&f, REPLY_REGION, false);
    f.region_told = "eu-west-1"; /* no use in going round in circles */
    expect(&f, REPLY_PARK, false);
    f.region_told = "us-east-1";
    f.status = 301;
    f.code = "";
    expect(&f, REPLY_REGION, false);
    f.status = 403;
    expect(&f, REPLY_PARK, false);
}

static void test_skew(void **state)
{
    struct reply_facts f = {.status = 403,
                            .code = "RequestTimeTooSkewed",
                            .put = true,
                            .sent = true,
                            .date = "Sun, 06 Nov 1994 09:49:37 GMT",
                            .now = NOW};
    struct reply r;

    (void)state;
    reply_classify(&f, &r);
    assert_int_equal(r.class, REPLY_SKEW);
    assert_true(r.skew == (int64_t)USEC_PER_HOUR);
    f.now += 2 * USEC_PER_HOUR;
    reply_classify(&f, &r);
    assert_true(r.skew == -(int64_t)USEC_PER_HOUR);
    f.date = "garbage";
    f.server_time = "1994-11-06T08:49:37Z";
    reply_classify(&f, &r);
    assert_true(r.skew == -2 * (int64_t)USEC_PER_HOUR);
    f.now = NOW;
    expect(&f, REPLY_RETRY, true);
}

static void test_transport(void **state)
{
    struct reply_facts f = {.put = true, .sent = true, .now = NOW};

    (void)state;
    for (int e = HTTP_DNS; e <= HTTP_LOCAL; e++) {
        bool park = e == HTTP_TLS_FILE || e == HTTP_PROXY_REFUSED;

        f.error = (enum http_error)e;
        expect(&f, park ? REPLY_PARK : REPLY_RETRY, !park && e != HTTP_ABORTED && e != HTTP_LOCAL);
    }
    f.error = HTTP_CLOSED;
    f.status = 200; /* the status line alone confirms nothing */
    expect(&f, REPLY_RETRY, true);
    f.status = 403;
    expect(&f, REPLY_RETRY, true);
    f.code = "AccessDenied";
    expect(&f, REPLY_PARK, false);
    f.error = HTTP_ABORTED; /* a long error body that was not read to its end */
    f.code = "";
    expect(&f, REPLY_PARK, false);
}

static const char *hint_of(const struct reply_facts *f)
{
    struct reply r = {0};

    reply_classify(f, &r);
    return r.hint;
}

/* What helps with one kind of store is no hint for another. */
static void test_hints(void **state)
{
    struct reply_facts f = {.status = 403, .put = true, .sent = true, .now = NOW, .s3 = true};

    (void)state;
    assert_non_null(strstr(hint_of(&f), "s3:PutObject"));
    f.code = "AccessDenied";
    assert_non_null(strstr(hint_of(&f), "x-amz-"));
    f.s3 = false;
    assert_null(strstr(hint_of(&f), "amz"));
    assert_null(strstr(hint_of(&f), "s3:"));
    f.code = "AuthorizationPermissionMismatch";
    f.access_hint = "the role Storage Blob Data Contributor";
    assert_string_equal(hint_of(&f), f.access_hint);
    f = (struct reply_facts){.error = HTTP_TLS, .text = "TLS: certificate has expired", .now = NOW};
    assert_non_null(strstr(hint_of(&f), "the CA file"));
    f.text = "TLS connect error: error:0A00010B:SSL routines::wrong version number";
    assert_non_null(strstr(hint_of(&f), "speaks no TLS there"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_put),       cmocka_unit_test(test_circumstances),
        cmocka_unit_test(test_region),    cmocka_unit_test(test_skew),
        cmocka_unit_test(test_transport), cmocka_unit_test(test_hints),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
