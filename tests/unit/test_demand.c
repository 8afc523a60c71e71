/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "lib/store/http/demand.h"

/* The words of the stores themselves. */
static void test_refusals(void **state)
{
    static const char lock[] = "Content-MD5 OR x-amz-checksum- HTTP header is required for Put "
                               "Object requests with Object Lock parameters";
    static const struct {
        const char *code, *message;
        bool put, summed;
        enum reply_class class;
        const char *hint; /* a part of it */
    } cases[] = {
        {"InvalidRequest", lock, true, false, REPLY_PARK, "`checksum: auto`"},
        {"InvalidRequest", lock, true, true, REPLY_PARK, "take it out?"},
        {"MissingContentMD5", "Missing required header for this request: Content-Md5.", true, false,
         REPLY_PARK, "`checksum: auto`"},
        {"MissingUploadObjectWithObjectLockHeaders", "Content-MD5 or … required", true, false,
         REPLY_PARK, "`checksum: auto`"},
        {"InvalidArgument",
         "Unsupported header 'x-amz-checksum-sha256' received for this API call.", true, true,
         REPLY_BARE, "`checksum: none`"},
        {"NotImplemented", "A header you provided implies functionality that is not implemented",
         true, true, REPLY_BARE, "`checksum: none`"},
        {"ExcessHeaderValues", "Multiple HTTP header values where one was expected.", true, true,
         REPLY_BARE, "`checksum: none`"},
        {"MissingSecurityHeader", "Your request was missing a required header.", true, true,
         REPLY_PARK, "upload.acl"},
        {"AccessControlListNotSupported", "The bucket does not allow ACLs", true, true, REPLY_PARK,
         "remove upload.acl"},
        {"AccessDenied",
         "User: arn:aws:iam::1:user/u is not authorized to perform: s3:PutObject on resource: "
         "\"arn:aws:s3:::b/k\" with an explicit deny in a resource-based policy",
         true, true, REPLY_PARK, "x-amz-server-side-encryption (upload.server_side_encryption"},
        {"AccessDenied", "… is not authorized to perform: s3:PutObjectAcl on resource: …", true,
         true, REPLY_PARK, "s3:PutObjectAcl"},
        {"AccessDenied", "… is not authorized to perform: s3:PutObjectTagging on …", true, true,
         REPLY_PARK, "upload.tags"},
        {"AccessDenied", "… is not authorized to perform: kms:GenerateDataKey on …", true, true,
         REPLY_PARK, "upload.sse_kms_key_id"},
        {"AccessDenied", "Access Denied", true, true, REPLY_PARK, "x-amz-acl (upload.acl)"},
        {"AccessDenied", "Access Denied", false, false, REPLY_PARK, "s3:ListBucket"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct reply_facts f = {.status = 400,
                                      .code = cases[i].code,
                                      .message = cases[i].message,
                                      .put = cases[i].put,
                                      .summed = cases[i].summed};
        struct reply r = {0};

        assert_true(demand_find(&f, &r));
        assert_int_equal(r.class, cases[i].class);
        assert_false(r.trouble);
        assert_non_null(strstr(r.hint, cases[i].hint));
    }
}

static void test_others(void **state)
{
    static const struct reply_facts others[] = {
        {.status = 400, .code = "InvalidRequest", .message = "no", .put = true, .summed = true},
        {.status = 400, .code = "InvalidArgument", .message = "no", .put = true, .summed = true},
        {.status = 400, .code = "InvalidArgument", .message = "checksum", .put = true},
        {.status = 501, .code = "NotImplemented", .put = true},
        {.status = 400,
         .code = "BadDigest",
         .message = "x-amz-checksum",
         .put = true,
         .summed = true},
        {.status = 200, .code = "AccessDenied", .put = true},
        {.status = 403, .put = true},
    };
    struct reply r;

    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_false(demand_find(&others[i], &r));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
