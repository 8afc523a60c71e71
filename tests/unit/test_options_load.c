/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "daemon/options.h"
#include "tests/support/scratch.h"

static struct options options(const char *upload, const char *url)
{
    _cleanup_free_ char *text = NULL;

    assert_true(asprintf(&text,
                         "scrape_configs:\n- job_name: a\n"
                         "  static_configs: [{targets: ['a:1']}]\n%s",
                         upload) > 0);
    return (struct options){
        .config_file = scratch_text(scratch_dir, "contraced.yaml", text),
        .upload_url = url,
    };
}

/* The errors as text; "" when the configuration is good. */
static char *errors_of(const char *upload, const char *url)
{
    struct options o = options(upload, url);
    struct diags d = {0};
    struct config *c = NULL;
    const char *file = NULL;
    char *text = NULL;
    size_t size;
    int r = options_load(&o, &c, &file, &d);
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    assert_int_equal(r < 0, diags_count(&d) > 0);
    assert_int_equal(r < 0, c == NULL);
    assert_true(r < 0 || file == o.config_file);
    diags_print(&d, out);
    assert_int_equal(fclose(out), 0);
    diags_done(&d);
    config_free(c);
    return text;
}

static void test_good(void **state)
{
    static const char *const sections[] = {"", "upload:\n  url: s3://traces/prod\n"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        _cleanup_free_ char *errors = errors_of(sections[i], NULL);

        assert_string_equal(errors, "");
    }
}

/* What only the store knows stands at the URL's place, once. */
static void test_bad_store(void **state)
{
    _cleanup_free_ char *errors = errors_of("upload:\n  url: s3://Bad_Bucket/prod\n", NULL);
    _cleanup_free_ char *option = errors_of("upload:\n  url: s3://traces\n", "s3://Bad_Bucket");
    _cleanup_free_ char *off = errors_of("upload:\n  url: s3://Bad_Bucket\n", "");

    (void)state;
    assert_non_null(strstr(errors, "/contraced.yaml:5:8: upload: url: a bucket's name "));
    assert_ptr_equal(strchr(errors, '\n') + 1, errors + strlen(errors));
    assert_int_equal(strncmp(option, "contraced: upload: url: a bucket's name ", 40), 0);
    assert_string_equal(off, "");
}

/* What only contraced knows of artifacts stands at their place. */
static void test_bad_artifacts(void **state)
{
    static const struct {
        const char *text, *error;
    } rows[] = {
        {"  artifacts: [flight]\n",
         "4:15: job `a`: artifacts: where is the flight recording? Go serves none by itself: "
         "`flight` must say where the service has it"},
        {"  artifacts: [{name: flight, path: /f}]\n  flight: {path: /f}\n",
         "4:15: job `a`: artifacts: the path of the flight recording is `path` in `flight`"},
        {"  artifacts: [{name: flight, delta: true}]\n  flight: {path: /f}\n",
         "4:15: job `a`: artifacts: a flight recording has no `delta`: it is a snapshot"},
        {"  artifacts: [trace, mutex]\n  path: /x\n",
         "4:22: job `a`: artifacts: where is the mutex profile? `path` /x does not end in /trace, so "
         "profiles_path must say where net/http/pprof's profiles are"},
        {"  path: /x\n  cpu_samples: true\n",
         "5:16: job `a`: cpu_samples: where is the CPU profile? `path` /x does not end in /trace, so "
         "profiles_path must say where net/http/pprof's profiles are"},
        {"  artifacts: [{name: trace, path: /y}]\n",
         "4:15: job `a`: artifacts: the path of the trace is the job's `path`"},
        {"  artifacts: [{name: cpu, delta: true}]\n",
         "4:15: job `a`: artifacts: a CPU profile has no `delta`: it is always of `seconds`"},
        {"  artifacts: [{name: trace, delta: false}]\n",
         "4:15: job `a`: artifacts: a trace has no `delta`: it is always of `seconds`"},
        {"  artifacts: [{name: heap, interval: 16s}]\n",
         "4:15: job `a`: artifacts: interval 16s of the heap profile must be at least "
         "scrape_timeout 17s"},
        {"  artifacts: [{name: cpu, interval: 1m}]\n",
         "4:15: job `a`: artifacts: seconds 2s every 1m for the CPU profile is a duty cycle of "
         "3.333%, above max_duty_cycle 1%: raise its interval, shorten seconds, or raise "
         "max_duty_cycle"},
        {"  artifacts: [{name: heap, interval: 1m, delta: true}]\n", "of 3.333%, above"},
        {"  artifacts: [trace, mutex]\n  scrape_interval: 1m\n  seconds: 0.5\n",
         "seconds 1s every 1m for the mutex profile is a duty cycle of 1.667%"},
        {"  artifacts: [{name: goroutineleak, delta: true}]\n",
         "a goroutineleak profile has no `delta`: it is a snapshot"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        _cleanup_free_ char *errors = errors_of(rows[i].text, NULL);

        assert_non_null(strstr(errors, rows[i].error));
        assert_ptr_equal(strchr(errors, '\n') + 1, errors + strlen(errors)); /* one line */
    }
}

static void test_good_artifacts(void **state)
{
    static const char *const texts[] = {
        "  artifacts: [{name: mutex, path: /y}]\n  path: /x\n",
        ("  artifacts: [trace, {name: heap, interval: 1m},"
         " {name: allocs, interval: 20s, delta: false}]\n"),
        "  artifacts: [trace, {name: flight, interval: 1m}]\n  flight: {path: /f}\n",
        "  flight: {path: /f, method: POST}\n",
        "  artifacts: [{name: trace, interval: 10m}, {name: heap, interval: 1h, delta: true}]\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        _cleanup_free_ char *errors = errors_of(texts[i], NULL);

        assert_string_equal(errors, "");
    }
}

/* The configuration's own rules come first, and alone. */
static void test_bad_file(void **state)
{
    _cleanup_free_ char *errors = errors_of("upload:\n  url: S3://Bad_Bucket\n", NULL);

    (void)state;
    assert_non_null(strstr(errors, "did you mean s3://?"));
    assert_null(strstr(errors, "bucket's name"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),          cmocka_unit_test(test_bad_store),
        cmocka_unit_test(test_bad_artifacts), cmocka_unit_test(test_good_artifacts),
        cmocka_unit_test(test_bad_file),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
