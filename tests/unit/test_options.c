/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/options.h"
#include "tests/support/scratch.h"
#include "tests/support/text.h"

#define ARGS_MAX 16

static char *dir;
static char said[16384];

static int setup(void **state)
{
    (void)state;
    dir = scratch_new(NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    scratch_free(dir);
    return 0;
}

static int parse(struct options *o, const char *const *args)
{
    char *argv[ARGS_MAX + 2] = {TEXT("contraced")};
    int argc = 1, r, out, err, fd;
    ssize_t n;

    for (; args[argc - 1]; argc++) {
        assert_true(argc <= ARGS_MAX);
        argv[argc] = TEXT(args[argc - 1]);
    }
    (void)fflush(stdout);
    fd = open(scratch_path(dir, "said"), O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    out = dup(STDOUT_FILENO);
    err = dup(STDERR_FILENO);
    assert_true(fd >= 0 && out >= 0 && err >= 0);
    (void)dup2(fd, STDOUT_FILENO);
    (void)dup2(fd, STDERR_FILENO);
    optind = 0;
    r = options_parse(argc, argv, o);
    (void)fflush(stdout);
    (void)dup2(out, STDOUT_FILENO);
    (void)dup2(err, STDERR_FILENO);
    (void)close(out);
    (void)close(err);
    n = pread(fd, said, sizeof(said) - 1, 0);
    (void)close(fd);
    assert_true(n >= 0);
    said[n] = '\0';
    return r;
}

#define ARGS(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void assert_wrong(const char *const *args, const char *expected)
{
    struct options o;

    memset(&o, 0x5a, sizeof(o));
    assert_int_equal(parse(&o, args), -EINVAL);
    if (!strstr(said, expected))
        fail_msg("expected \"%s\", got \"%s\"", expected, said);
}

static void test_none(void **state)
{
    struct options o;

    (void)state;
    assert_int_equal(parse(&o, ARGS()), 0);
    assert_null(o.config_file);
    assert_null(o.storage_path);
    assert_null(o.upload_url);
    assert_null(o.listen_address);
    assert_int_equal(o.n_targets, 0);
    assert_int_equal(o.interval, 0);
    assert_int_equal(o.window, 0);
    assert_false(o.has_log_level || o.has_log_format || o.once || o.check_config);
    assert_string_equal(said, "");
    options_done(&o);
    options_done(&o);
}

static void test_each(void **state)
{
    struct options o;

    (void)state;
    assert_int_equal(parse(&o, ARGS("--config.file=/c", "--target=http://a:1", "-t", "x=http://b:2",
                                    "--storage.path", "/s", "--upload.url=s3://b",
                                    "--web.listen-address=127.0.0.1:0, unix:/x", "--interval=90s",
                                    "--seconds=1.9", "--once", "--check-config",
                                    "--log.level=debug", "--log.format=json")),
                     0);
    assert_string_equal(o.config_file, "/c");
    assert_int_equal(o.n_targets, 2);
    assert_string_equal(o.targets[0], "http://a:1");
    assert_string_equal(o.targets[1], "x=http://b:2");
    assert_string_equal(o.storage_path, "/s");
    assert_string_equal(o.upload_url, "s3://b");
    assert_string_equal(o.listen_address, "127.0.0.1:0, unix:/x");
    assert_int_equal(o.interval, 90 * USEC_PER_SEC);
    assert_int_equal(o.window, 1900000);
    assert_true(o.once && o.check_config && o.has_log_level && o.has_log_format);
    assert_int_equal(o.log_level, LOG_LEVEL_DEBUG);
    assert_int_equal(o.log_format, LOG_FORMAT_JSON);
    options_done(&o);
    assert_int_equal(parse(&o, ARGS("-c", "a", "-c", "b", "--seconds", "0.001")), 0);
    assert_string_equal(o.config_file, "b"); /* the last one wins */
    assert_int_equal(o.window, USEC_PER_MSEC);
    options_done(&o);
}

static void test_help_and_version(void **state)
{
    static const char *const options[] = {
        "--config.file", "--target",  "--storage.path", "--upload.url",   "--web.listen-address",
        "--interval",    "--seconds", "--once",         "--check-config", "--log.level",
        "--log.format",  "--version", "--help",
    };
    struct options o;

    (void)state;
    assert_int_equal(parse(&o, ARGS("--version")), 1);
    assert_int_equal(strncmp(said, "contraced ", 10), 0);
    assert_int_equal(parse(&o, ARGS("--help", "--interval=wrong")), 1);
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        assert_non_null(strstr(said, options[i]));
    assert_int_equal(parse(&o, ARGS("-h")), 1);
}

static void test_wrong(void **state)
{
    (void)state;
    assert_wrong(ARGS("--no-such-option"), "no-such-option");
    assert_wrong(ARGS("--web.listen-address=7465"),
                 "--web.listen-address=7465 must be ADDRESS:PORT such as");
    assert_wrong(ARGS("-x"), "Try 'contraced --help'");
    assert_wrong(ARGS("-c"), "requires an argument");
    assert_wrong(ARGS("--target"), "requires an argument");
    assert_wrong(ARGS("--once=yes"), "doesn't allow an argument");
    assert_wrong(ARGS("http://u:p@a"), "'(not shown)' is not an option");
    assert_wrong(ARGS("--web.listen-address=u:p@a:1"), "--web.listen-address=(not shown) ");
    assert_wrong(ARGS("http://127.0.0.1:6060"), "--target=http://127.0.0.1:6060");
    assert_wrong(ARGS("--once", "extra"), "'extra' is not an option");
    assert_wrong(ARGS("--", "--once"), "'--once' is not an option");
    assert_wrong(ARGS("--interval=5"), "--interval=5: expected");
    assert_wrong(ARGS("--interval=0"), "--interval=0: expected");
    assert_wrong(ARGS("--interval=-5m"), "--interval=-5m: expected");
    assert_wrong(ARGS("--seconds=0"), "--seconds=0: expected");
    assert_wrong(ARGS("--seconds=-1"), "--seconds=-1: expected");
    assert_wrong(ARGS("--seconds=2s"), "--seconds=2s: expected");
    assert_wrong(ARGS("--seconds=1e3"), "--seconds=1e3: expected");
    assert_wrong(ARGS("--seconds=601"), "--seconds=601: expected");
    assert_wrong(ARGS("--seconds=0.0000001"), "--seconds=0.0000001: expected");
    assert_wrong(ARGS("--storage.path="), "--storage.path=: expected");
    assert_wrong(ARGS("--log.level=loud"), "--log.level=loud: expected");
    assert_wrong(ARGS("--log.format=xml"), "--log.format=xml: expected");
    assert_wrong(ARGS("-t", "http://a:1", "--seconds=x"), "--seconds=x: expected");
}

static struct config *load(const char *const *args)
{
    struct diags diags = {0};
    struct config *c = NULL;
    const char *file = "untouched";
    struct options o;

    assert_int_equal(parse(&o, args), 0);
    if (options_load(&o, &c, &file, &diags) < 0) {
        diags_print(&diags, stderr);
        fail();
    }
    assert_int_equal(diags_count(&diags), 0);
    assert_true(file == o.config_file);
    diags_done(&diags);
    options_done(&o);
    return c;
}

static void assert_load_fails(const char *const *args, const char *expected)
{
    struct diags diags = {0};
    struct config *c = NULL;
    const char *file;
    struct options o;
    bool found = false;

    assert_int_equal(parse(&o, args), 0);
    assert_true(options_load(&o, &c, &file, &diags) < 0);
    assert_null(c);
    for (size_t i = 0; i < diags.n; i++)
        found = found || strstr(diags.items[i].message, expected);
    if (!found) {
        diags_print(&diags, stderr);
        fail_msg("expected \"%s\"", expected);
    }
    diags_done(&diags);
    options_done(&o);
}

static void test_target_alone(void **state)
{
    struct config *c = load(ARGS("-t", "http://127.0.0.1:6060"));

    (void)state;
    assert_int_equal(c->n_jobs, 1);
    assert_int_equal(c->jobs[0].targets.n, 1);
    assert_string_equal(c->jobs[0].targets.items[0].address, "127.0.0.1:6060");
    assert_string_equal(c->storage.path, "/var/lib/contrace");
    assert_int_equal(c->jobs[0].interval, 5 * USEC_PER_MIN);
    assert_int_equal(c->jobs[0].window, 2 * USEC_PER_SEC);
    assert_int_equal(c->jobs[0].timeout, 17 * USEC_PER_SEC);
    config_free(c);
}

static void test_options_win(void **state)
{
    static const char text[] = "global: {scrape_interval: 10m, scrape_timeout: 1m, seconds: 3}\n"
                               "storage: {path: /from/file}\n"
                               "log: {level: error, format: text}\n"
                               "scrape_configs:\n"
                               "- job_name: a\n"
                               "  static_configs: [{targets: ['a:1']}]\n"
                               "- job_name: b\n"
                               "  scrape_interval: 20m\n"
                               "  scrape_timeout: 2m\n"
                               "  seconds: 4\n"
                               "  static_configs: [{targets: ['b:1']}]\n";
    const char *file = scratch_text(dir, "contraced.yaml", text);
    struct config *c = load(ARGS("-c", file));

    (void)state;
    assert_int_equal(c->jobs[0].interval, 10 * USEC_PER_MIN);
    assert_int_equal(c->jobs[1].interval, 20 * USEC_PER_MIN);
    assert_int_equal(c->jobs[1].window, 4 * USEC_PER_SEC);
    assert_string_equal(c->storage.path, "/from/file");
    config_free(c);
    c = load(ARGS("-c", file, "--interval=1h", "--seconds=5", "--storage.path=/s",
                  "--log.level=debug", "--log.format=json", "-t", "x=http://c:1"));
    assert_int_equal(c->n_jobs, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(c->jobs[i].interval, USEC_PER_HOUR);
        assert_int_equal(c->jobs[i].window, 5 * USEC_PER_SEC);
    }
    assert_string_equal(c->jobs[2].name, "x");
    assert_string_equal(c->storage.path, "/s");
    assert_int_equal(c->log_level, LOG_LEVEL_DEBUG);
    assert_int_equal(c->log_format, LOG_FORMAT_JSON);
    config_free(c);
}

/* A timeout of the file that the options leave no room for follows them. */
static void test_timeouts_follow(void **state)
{
    const char *file = scratch_text(dir, "contraced.yaml",
                                    "global: {max_duty_cycle: 50%, scrape_timeout: 20s}\n"
                                    "scrape_configs:\n"
                                    "- job_name: a\n"
                                    "  scrape_timeout: 30s\n"
                                    "  static_configs: [{targets: ['a:1']}]\n");
    struct config *c = load(ARGS("-c", file, "--interval=10s"));

    (void)state;
    assert_int_equal(c->jobs[0].timeout, 10 * USEC_PER_SEC);
    config_free(c);
    c = load(ARGS("-c", file, "--seconds=40"));
    assert_int_equal(c->jobs[0].timeout, 55 * USEC_PER_SEC);
    config_free(c);
}

static void test_relative_storage(void **state)
{
    char *cwd = getcwd(NULL, 0), *there;
    struct config *c;

    (void)state;
    assert_int_equal(chdir(dir), 0);
    there = getcwd(NULL, 0);
    c = load(ARGS("-t", "http://a:1", "--storage.path=traces"));
    assert_int_equal(strncmp(c->storage.path, there, strlen(there)), 0);
    assert_string_equal(c->storage.path + strlen(there), "/traces");
    config_free(c);
    assert_int_equal(chdir(cwd), 0);
    free(there);
    free(cwd);
}

static void test_listen_address(void **state)
{
    const char *file = scratch_text(dir, "contraced.yaml",
                                    "web: {listen_address: '127.0.0.1:1'}\n"
                                    "scrape_configs:\n"
                                    "- job_name: a\n"
                                    "  static_configs: [{targets: ['a:1']}]\n");
    struct config *c = load(ARGS("-c", file));

    (void)state;
    assert_string_equal(c->web.listen_address, "127.0.0.1:1");
    config_free(c);
    c = load(ARGS("-c", file, "--web.listen-address=off"));
    assert_string_equal(c->web.listen_address, "off");
    config_free(c);
    assert_load_fails(ARGS("-c", file, "--web.listen-address=:80"), "give web.bearer_token_file");
}

static void test_upload_url(void **state)
{
    const char *file = scratch_text(dir, "contraced.yaml",
                                    "upload: {url: 's3://traces', region: eu-west-1}\n"
                                    "scrape_configs:\n"
                                    "- job_name: a\n"
                                    "  static_configs: [{targets: ['a:1']}]\n");
    struct config *c = load(ARGS("-c", file));

    (void)state;
    assert_string_equal(c->upload.url, "s3://traces");
    assert_int_equal(c->upload.url_line, 1);
    config_free(c);
    c = load(ARGS("-c", file, "--upload.url=s3://other/prefix"));
    assert_string_equal(c->upload.url, "s3://other/prefix");
    assert_string_equal(c->upload.region, "eu-west-1");
    assert_int_equal(c->upload.url_line, 0);
    config_free(c);
    c = load(ARGS("-c", file, "--upload.url=file:///mnt"));
    assert_string_equal(c->upload.url, "file:///mnt");
    config_free(c);
    c = load(ARGS("-c", file, "--upload.url="));
    assert_null(c->upload.url);
    config_free(c);
    c = load(ARGS("-t", "http://a:1", "--upload.url", "gs://b"));
    assert_string_equal(c->upload.url, "gs://b");
    config_free(c);
    assert_load_fails(ARGS("-t", "http://a:1", "--upload.url=s3a://b"), "write s3://BUCKET/PREFIX");
}

static void test_bad_together(void **state)
{
    /* scratch_path keeps a path for eight calls only */
    char *file = strdup(scratch_text(dir, "empty.yaml", "# nothing\n"));

    (void)state;
    assert_non_null(file);
    assert_load_fails(ARGS("-c", scratch_path(dir, "none.yaml")), "No such file");
    assert_load_fails(ARGS("-c", file), "no targets");
    assert_load_fails(ARGS("-t", "ftp://a:1"), "--target=ftp://a:1: ");
    assert_load_fails(ARGS("-t", "http://u:p@a:1"), "--target=(not shown): ");
    assert_load_fails(ARGS("-t", "s=u:p@a:1"), "--target=(not shown): ");
    assert_load_fails(ARGS("-t", "http://u:p@a:1"), "basic_auth");
    assert_load_fails(ARGS("-t", "http://a:1", "--interval=1s", "--seconds=2"), "");
    (void)scratch_text(dir, "empty.yaml", "globl: 1\n");
    assert_load_fails(ARGS("-c", file), "globl");
    free(file);
}

static void test_once_needs_no_interval(void **state)
{
    struct config *c = load(ARGS("--once", "-t", "http://a:1", "--seconds=30"));

    (void)state;
    assert_int_equal(c->jobs[0].window, 30 * USEC_PER_SEC);
    config_free(c);
    assert_load_fails(ARGS("-t", "http://a:1", "--seconds=30"), "duty");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_none, setup, teardown),
        cmocka_unit_test_setup_teardown(test_each, setup, teardown),
        cmocka_unit_test_setup_teardown(test_help_and_version, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wrong, setup, teardown),
        cmocka_unit_test_setup_teardown(test_target_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_options_win, setup, teardown),
        cmocka_unit_test_setup_teardown(test_timeouts_follow, setup, teardown),
        cmocka_unit_test_setup_teardown(test_relative_storage, setup, teardown),
        cmocka_unit_test_setup_teardown(test_listen_address, setup, teardown),
        cmocka_unit_test_setup_teardown(test_upload_url, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_together, setup, teardown),
        cmocka_unit_test_setup_teardown(test_once_needs_no_interval, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
