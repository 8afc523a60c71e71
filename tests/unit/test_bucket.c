/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/dialect/bucket.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/store/credential/partition.h"

#define KEY "checkout/web-1/20260314/092653-4711.trace"
#define N(array) (sizeof(array) / sizeof((array)[0]))

static void test_addresses(void **state)
{
    static const struct {
        struct bucket_options options;
        const char *url, *path;
    } cases[] = {
        {{.url = "s3://traces", .region = "eu-west-1"},
         "https://traces.s3.eu-west-1.amazonaws.com/" KEY,
         "/" KEY},
        {{.url = "s3://traces/", .region = "cn-north-1"},
         "https://traces.s3.cn-north-1.amazonaws.com.cn/" KEY,
         "/" KEY},
        {{.url = "s3://traces/prod/eu"},
         "https://traces.s3.us-east-1.amazonaws.com/prod/eu/" KEY,
         "/prod/eu/" KEY},
        {{.url = "s3://my.traces/p/"},
         "https://s3.us-east-1.amazonaws.com/my.traces/p/" KEY,
         "/my.traces/p/" KEY},
        {{.url = "s3://my.traces", .style = BUCKET_STYLE_VIRTUAL},
         "https://my.traces.s3.us-east-1.amazonaws.com/" KEY,
         "/" KEY},
        {{.url = "s3://traces", .style = BUCKET_STYLE_PATH},
         "https://s3.us-east-1.amazonaws.com/traces/" KEY,
         "/traces/" KEY},
        {{.url = "s3://Traces_2/a b", .endpoint = "http://127.0.0.1:9000"},
         "http://127.0.0.1:9000/Traces_2/a%20b/" KEY,
         "/Traces_2/a b/" KEY},
        {{.url = "s3://t1x",
          .endpoint = "https://store.example:8443/",
          .style = BUCKET_STYLE_VIRTUAL},
         "https://t1x.store.example:8443/" KEY,
         "/" KEY},
        {{.url = "s3://traces", .region = "eusc-de-east-1"},
         "https://traces.s3.eusc-de-east-1.amazonaws.eu/" KEY,
         "/" KEY},
        {{.url = "s3://traces", .region = "us-iso-east-1"},
         "https://traces.s3.us-iso-east-1.c2s.ic.gov/" KEY,
         "/" KEY},
        {{.url = "s3://my.traces",
          .region = "us-gov-west-1",
          .wishes = PARTITION_FIPS | PARTITION_DUALSTACK},
         "https://s3-fips.dualstack.us-gov-west-1.amazonaws.com/my.traces/" KEY,
         "/my.traces/" KEY},
        {{.url = "s3://t/p", .endpoint = "https://gw.example/s3/"},
         "https://gw.example/s3/t/p/" KEY,
         "/s3/t/p/" KEY},
        {{.url = "s3://t/p", .endpoint = "https://gw.example:443/a/s3"},
         "https://gw.example/a/s3/t/p/" KEY,
         "/a/s3/t/p/" KEY},
        {{.url = "s3://t1x", .endpoint = "https://gw.example:80/s3", .style = BUCKET_STYLE_VIRTUAL},
         "https://t1x.gw.example:80/s3/" KEY,
         "/s3/" KEY},
        {{.url = "s3://t", .endpoint = "https://minio:443"}, "https://minio/t/" KEY, "/t/" KEY},
        {{.url = "s3://t", .endpoint = "http://minio:80/"}, "http://minio/t/" KEY, "/t/" KEY},
        {{.url = "s3://t", .endpoint = "http://minio:443"}, "http://minio:443/t/" KEY, "/t/" KEY},
        {{.url = "s3://t", .endpoint = "https://minio:8080"},
         "https://minio:8080/t/" KEY,
         "/t/" KEY},
    };

    (void)state;
    for (size_t i = 0; i < N(cases); i++) {
        struct bucket b;
        struct buf out;
        const char *why = NULL;

        assert_int_equal(bucket_init(&b, &cases[i].options, &why), 0);
        buf_init(&out, 4096);
        assert_int_equal(bucket_add_url(&b, KEY, &out), 0);
        assert_string_equal(buf_str(&out), cases[i].url);
        buf_clear(&out);
        assert_int_equal(bucket_add_path(&b, KEY, &out), 0);
        assert_string_equal(buf_str(&out), cases[i].path);
        buf_done(&out);
        bucket_done(&b);
    }
}

static void test_refused(void **state)
{
    static const struct {
        struct bucket_options options;
        const char *why;
    } cases[] = {
        {{.url = "s4://traces"}, "url: must begin with s3://"},
        {{.url = "s3:///prefix"}, "url: the bucket's name must have 3 to 63 letters"},
        {{.url = "s3://ab"}, "url: the bucket's name must have 3 to 63 letters"},
        {{.url = "s3://Traces"},
         "url: a bucket's name has only lower-case letters, digits, dots and hyphens"},
        {{.url = "s3://u:p@traces"},
         "url: a bucket's name has only lower-case letters, digits, dots and hyphens"},
        {{.url = "s3://-traces"}, "url: a bucket's name begins and ends with a letter or a digit"},
        {{.url = "s3://traces."}, "url: a bucket's name begins and ends with a letter or a digit"},
        {{.url = "s3://a..b"}, "url: a bucket's name has no two dots in a row"},
        {{.url = "s3://traces//a"}, "url: the prefix has an empty part: two slashes in a row"},
        {{.url = "s3://traces/a//b"}, "url: the prefix has an empty part: two slashes in a row"},
        {{.url = "s3://traces/a\nb"}, "url: the prefix has a control character"},
        {{.url = "s3://traces/a?b"}, "url: no query and no fragment can stand behind the prefix"},
        {{.url = "s3://traces", .region = ""}, "region: is empty"},
        {{.url = "s3://traces", .region = "x.evil.example/"},
         "region: has only lower-case letters, digits and hyphens, as in eu-west-1"},
        {{.url = "s3://t", .endpoint = "http://[::1]:9000", .style = BUCKET_STYLE_VIRTUAL},
         "endpoint: virtual-hosted addressing needs a name, not an address"},
        {{.url = "s3://t", .endpoint = "http://10.0.0.1:9000", .style = BUCKET_STYLE_VIRTUAL},
         "endpoint: virtual-hosted addressing needs a name, not an address"},
        {{.url = "s3://t", .endpoint = "minio:9000"},
         "endpoint: must begin with https:// or http://"},
        {{.url = "s3://t", .endpoint = "x"}, "endpoint: must begin with https:// or http://"},
        {{.url = "s3://t", .endpoint = "https://"}, "endpoint: names no host"},
        {{.url = "s3://t", .endpoint = "https://:9000"}, "endpoint: names no host"},
        {{.url = "s3://t", .endpoint = "https://u:p@minio"},
         "endpoint: must not hold a user or a password"},
        {{.url = "s3://t", .endpoint = "https://minio/s3/t/"},
         "endpoint: ends with the bucket's name, which url has already: write it without"},
        {{.url = "s3://t", .endpoint = "https://minio/a//b"},
         "endpoint: its path has an empty part, `.` or `..`: write it without"},
        {{.url = "s3://t", .endpoint = "https://minio/../b"},
         "endpoint: its path has an empty part, `.` or `..`: write it without"},
        {{.url = "s3://t", .endpoint = "https://minio/a%2fb"},
         "endpoint: its path has only letters, digits and - . _ ~"},
        {{.url = "s3://t", .endpoint = "https://minio/?x"},
         "endpoint: must have no query and no fragment"},
        {{.url = "s3://t", .endpoint = "https://minio:http"}, "endpoint: has no port like this"},
        {{.url = "s3://traces", .region = "eu-"},
         "region: is not a name of a region, as in eu-west-1"},
        {{.url = "s3://traces", .region = "cn-north-1", .wishes = PARTITION_FIPS},
         "region: has no FIPS endpoint of S3: unset AWS_USE_FIPS_ENDPOINT"},
        {{.url = "s3://traces/.."},
         "url: the prefix has a part `.` or `..`, which servers take for another place: write it "
         "without"},
        {{.url = "s3://traces/a/./b"},
         "url: the prefix has a part `.` or `..`, which servers take for another place: write it "
         "without"},
        {{.url = "s3://t", .endpoint = "https://mi nio"},
         "endpoint: has a blank or a letter outside ASCII"},
    };

    (void)state;
    for (size_t i = 0; i < N(cases); i++) {
        struct bucket b;
        const char *why = NULL;

        assert_int_equal(bucket_init(&b, &cases[i].options, &why), -EINVAL);
        assert_string_equal(why, cases[i].why);
    }
}

/* Where a bucket is listed. */
static void test_own_path(void **state)
{
    static const struct {
        struct bucket_options options;
        const char *path;
    } cases[] = {
        {{.url = "s3://traces/p"}, "/"},
        {{.url = "s3://my.traces/p"}, "/my.traces"},
        {{.url = "s3://t/p", .endpoint = "https://gw/s3/"}, "/s3/t"},
        {{.url = "s3://t/p", .endpoint = "https://gw/s3/", .style = BUCKET_STYLE_VIRTUAL}, "/s3/"},
    };

    (void)state;
    for (size_t i = 0; i < N(cases); i++) {
        struct bucket b;
        struct buf out;
        const char *why;

        assert_int_equal(bucket_init(&b, &cases[i].options, &why), 0);
        buf_init(&out, 4096);
        assert_int_equal(bucket_add_own_path(&b, &out), 0);
        assert_string_equal(buf_str(&out), cases[i].path);
        buf_done(&out);
        bucket_done(&b);
    }
}

/* A key that makes the object's name too long is told before anything is sent. */
static void test_long_names(void **state)
{
    const struct bucket_options options = {.url = "s3://traces/p"};
    struct bucket b;
    struct buf out;
    const char *why;
    char key[1100];

    (void)state;
    memset(key, 'k', sizeof(key));
    key[1022] = '\0';
    assert_int_equal(bucket_init(&b, &options, &why), 0);
    buf_init(&out, 4096);
    assert_int_equal(bucket_add_url(&b, key, &out), 0);
    key[1022] = 'k';
    key[1023] = '\0';
    assert_int_equal(bucket_add_url(&b, key, &out), -E2BIG);
    buf_done(&out);
    bucket_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_own_path),
        cmocka_unit_test(test_long_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
