/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "lib/config/config.h"
#include "lib/record/kind.h"
#include "lib/config/filesd.h"
#include "tests/support/allocations.h"
#include "tests/support/txtar.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define TARGETS "    static_configs: [{targets: [\"127.0.0.1:6060\"]}]\n"
#define JOB "scrape_configs:\n  - job_name: shop\n" TARGETS

static const char *source_path(const char *below, char out[static PATH_MAX])
{
    const char *dir = getenv("CONTRACE_SRC_DIR");

#ifdef TEST_FIXTURES
    if (!dir)
        dir = TEST_FIXTURES "/../../..";
#endif
    (void)snprintf(out, PATH_MAX, "%s/%s", dir ? dir : ".", below);
    return out;
}

static void read_file(const char *path, struct buf *out)
{
    buf_init(out, YAML_FILE_MAX);
    if (buf_read_file(out, path) < 0)
        fail_msg("%s cannot be read", path);
}

/* As the daemon does it: the file, then the rules once more. The errors, as text. */
static char *errors_of(const char *name, const char *text, size_t len)
{
    struct diags d = {0};
    struct config *c = NULL;
    char *printed = NULL;
    size_t size;
    FILE *out = open_memstream(&printed, &size);
    int r = config_load_text(name, text, len, &c, &d);

    assert_non_null(out);
    assert_int_equal(r < 0, diags_count(&d) > 0);
    if (r == 0) {
        r = config_check(c, false, &d);
        assert_int_equal(r < 0, diags_count(&d) > 0);
    }
    diags_print(&d, out);
    assert_int_equal(fclose(out), 0);
    diags_done(&d);
    config_free(c);
    return printed;
}

static struct config *load(const char *text)
{
    struct diags d = {0};
    struct config *c = NULL;

    if (config_load_text("etc/test.yaml", text, strlen(text), &c, &d) < 0) {
        diags_print(&d, stderr);
        fail();
    }
    assert_int_equal(config_check(c, false, &d), 0);
    return c;
}

static void set_environment(void)
{
    assert_int_equal(setenv("CONTRACE_TEST_TEXT", "web-1", 1), 0);
    assert_int_equal(setenv("CONTRACE_TEST_STRUCTURE", "{a: [b,\nc]}", 1), 0);
    assert_int_equal(unsetenv("CONTRACE_TEST_UNSET"), 0);
}

/* `expected` is what it says, and empty for a good one. */
static void check_fixture(const char *name, const char *text, size_t len, const char *expected)
{
    _cleanup_free_ char *errors = errors_of(name, text, len);

    assert_null(strstr(errors, "SEK"));
    assert_int_equal(expected[0] == '\0', strncmp(name, "ok-", 3) == 0);
    if (strcmp(errors, expected) != 0)
        fail_msg("%s gives:\n%s\nexpected:\n%s", name, errors, expected);
}

/* A file by itself: one that no archive can hold, or that other tests read. */
static void check_file(const char *path, const char *name)
{
    char expected_path[PATH_MAX * 2 + 16];
    struct buf text, expected;

    read_file(path, &text);
    buf_init(&expected, YAML_FILE_MAX);
    if (strncmp(name, "ok-", 3) != 0) {
        (void)snprintf(expected_path, sizeof(expected_path), "%.*s.expected",
                       (int)(strlen(path) - strlen(".yaml")), path);
        read_file(expected_path, &expected);
    }
    check_fixture(name, buf_str(&text), text.len, buf_str(&expected));
    buf_done(&text);
    buf_done(&expected);
}

/* NAME.yaml, and behind each that is bad its NAME.expected. */
static unsigned check_archive(const char *path)
{
    struct txtar_file file, next;
    struct buf archive;
    const char *at, *end;
    unsigned n = 0;

    read_file(path, &archive);
    at = buf_str(&archive);
    end = at + archive.len;
    for (bool more = txtar_next(&at, end, &file); more; n++) {
        _cleanup_free_ char *expected = NULL;
        size_t stem = strlen(file.name) - strlen(".yaml");

        assert_string_equal(file.name + stem, ".yaml");
        more = txtar_next(&at, end, &next);
        if (more && strncmp(next.name, file.name, stem) == 0 &&
            strcmp(next.name + stem, ".expected") == 0) {
            expected = strndup(next.data, next.len);
            more = txtar_next(&at, end, &next);
        }
        check_fixture(file.name, file.data, file.len, expected ? expected : "");
        file = next;
    }
    buf_done(&archive);
    return n;
}

static void test_fixtures(void **state)
{
    char below[PATH_MAX], path[PATH_MAX * 2];
    const char *dir = source_path("tests/unit/fixtures/config", below);
    DIR *d = opendir(dir);
    struct dirent *e;
    unsigned n = 0;

    (void)state;
    set_environment();
    assert_non_null(d);
    while ((e = readdir(d))) {
        const char *dot = strrchr(e->d_name, '.');

        (void)snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
        if (strcmp(dot, ".txtar") == 0)
            n += check_archive(path);
        if (strcmp(dot, ".yaml") == 0) {
            check_file(path, e->d_name);
            n++;
        }
    }
    assert_int_equal(closedir(d), 0);
    assert_true(n >= 225);
}

static void assert_default_globals(const struct config *c)
{
    assert_int_equal(c->interval, 5 * USEC_PER_MIN);
    assert_int_equal(c->window, 2 * USEC_PER_SEC);
    assert_int_equal(c->timeout, 0);
    assert_int_equal(c->body_size_limit, 64 << 20);
    assert_true(c->max_duty_cycle == 0.01);
    assert_int_equal(c->max_concurrent_captures, 64);
    assert_int_equal(c->shutdown_timeout, 25 * USEC_PER_SEC);
    assert_null(c->host);
    assert_string_equal(c->storage.path, "/var/lib/contrace");
    assert_string_equal(c->web.listen_address, "127.0.0.1:7465, unix:/run/contrace/contraced.sock");
    assert_null(c->web.bearer_token_file);
    assert_int_equal(c->storage.max_bytes, 512 << 20);
    assert_int_equal(c->storage.max_age, 7 * USEC_PER_DAY);
    assert_int_equal(c->storage.max_files, 20000);
    assert_true(c->storage.min_free == 0.1);
    assert_null(c->upload.url);
    assert_int_equal(c->upload.addressing, UPLOAD_ADDRESSING_AUTO);
    assert_int_equal(c->upload.concurrency, 4);
    assert_true(c->upload.keep_local);
    assert_false(c->upload.if_none_match);
    assert_int_equal(c->upload.max_rate, 0);
    assert_int_equal(c->upload.stall_timeout, USEC_PER_MIN);
    assert_true(c->inspect.enabled);
    assert_null(c->inspect.command);
    assert_int_equal(c->inspect.timeout, 30 * USEC_PER_SEC);
    assert_int_equal(c->inspect.max_memory, 256 << 20);
    assert_true(c->rows.enabled);
    assert_int_equal(c->rows.interval, 6 * USEC_PER_HOUR);
    assert_string_equal(c->suspend.flag_file, "/run/contrace/suspend");
    assert_true(c->suspend.cpu_pressure == 0);
    assert_int_equal(c->incidents.max_per_hour, 6);
    assert_int_equal(c->incidents.max_per_target_per_hour, 2);
    assert_true(c->incidents.max_traced == 0.02);
    assert_true(c->incidents.cpu_pressure_ceiling == 0.9);
    assert_int_equal(c->incidents.keep, 30 * USEC_PER_DAY);
    assert_int_equal(c->log_level, LOG_LEVEL_INFO);
    assert_int_equal(c->log_format, LOG_FORMAT_AUTO);
}

static void assert_default_job(const struct job_config *job, const char *name)
{
    assert_string_equal(job->name, name);
    assert_false(job->https);
    assert_string_equal(job->path, "/debug/pprof/trace");
    assert_int_equal(job->interval, 5 * USEC_PER_MIN);
    assert_int_equal(job->window, 2 * USEC_PER_SEC);
    assert_int_equal(job->timeout, 17 * USEC_PER_SEC);
    assert_int_equal(job->body_size_limit, 64 << 20);
    assert_int_equal(job->file_sd_refresh, 5 * USEC_PER_MIN);
    assert_int_equal(job->targets.n, 1);
    assert_string_equal(job->targets.items[0].address, "127.0.0.1:6060");
    assert_int_equal(job->targets.items[0].n_labels, 0);
    assert_null(job->access.auth.type);
    assert_null(job->access.tls.ca_file);
    assert_null(job->pid_file);
}

static void test_defaults(void **state)
{
    struct config *c = config_new();

    (void)state;
    assert_default_globals(c);
    assert_int_equal(c->n_jobs, 0);
    config_free(c);
    config_free(NULL);
    c = load(JOB);
    assert_default_globals(c);
    assert_int_equal(c->n_jobs, 1);
    assert_default_job(&c->jobs[0], "shop");
    config_free(c);
}

/* What is shipped is valid, says what the defaults are, and leaves no key out. */
static void test_shipped_file(void **state)
{
    static const char *const keys[] = {
        "global",
        "scrape_interval",
        "seconds",
        "scrape_timeout",
        "body_size_limit",
        "cpu_samples",
        "max_duty_cycle",
        "max_concurrent_captures",
        "host",
        "shutdown_timeout",
        "scrape_configs",
        "job_name",
        "scheme",
        "path",
        "artifacts",
        "name",
        "interval",
        "delta",
        "incident_artifacts",
        "flight",
        "method",
        "headers",
        "profiles_path",
        "static_configs",
        "targets",
        "labels",
        "file_sd_configs",
        "files",
        "refresh_interval",
        "basic_auth",
        "username",
        "password_file",
        "authorization",
        "type",
        "credentials_file",
        "tls_config",
        "ca_file",
        "cert_file",
        "key_file",
        "server_name",
        "insecure_skip_verify",
        "pid_file",
        "storage",
        "max_bytes",
        "max_age",
        "max_files",
        "min_free",
        "upload",
        "url",
        "endpoint",
        "region",
        "addressing",
        "concurrency",
        "keep_local",
        "require_mount",
        "if_none_match",
        "max_rate",
        "stall_timeout",
        "storage_class",
        "server_side_encryption",
        "sse_kms_key_id",
        "tags",
        "access_key_file",
        "secret_key_file",
        "session_token_file",
        "account_key_file",
        "sas_token_file",
        "web",
        "listen_address",
        "bearer_token_file",
        "incidents",
        "max_per_hour",
        "max_per_target_per_hour",
        "max_traced",
        "cpu_pressure_ceiling",
        "keep",
        "log",
        "level",
        "format",
    };
    char path[PATH_MAX];
    struct config *c = NULL;
    struct diags d = {0};
    struct buf text;

    (void)state;
    source_path("conf/contraced.yaml", path);
    if (config_load(path, &c, &d) < 0) {
        diags_print(&d, stderr);
        fail();
    }
    assert_int_equal(config_check(c, false, &d), 0);
    assert_default_globals(c);
    assert_int_equal(c->n_jobs, 1);
    assert_default_job(&c->jobs[0], "example");
    config_free(c);
    read_file(path, &text);
    for (size_t i = 0; i < COUNT(keys); i++) {
        char key[64];

        (void)snprintf(key, sizeof(key), " %s:", keys[i]);
        if (!strstr(buf_str(&text), key)) {
            key[0] = '\n';
            assert_non_null(strstr(buf_str(&text), key));
        }
    }
    buf_done(&text);
}

/* A name alone, or with what is said of that one. */
static void test_artifacts(void **state)
{
    struct config *c = load("scrape_configs:\n"
                            "- job_name: shop\n"
                            "  static_configs: [{targets: ['a:1']}]\n"
                            "  artifacts:\n"
                            "  - trace\n"
                            "  - {name: heap, interval: 1h, path: /h, delta: true}\n"
                            "  - {name: mutex, delta: false}\n"
                            "  flight:\n"
                            "    path: /f\n"
                            "    method: POST\n"
                            "    headers: {X-Reason: contrace}\n");
    const struct flight_config *flight = &c->jobs[0].flight;
    const struct artifact_config *of = c->jobs[0].of_kind;

    (void)state;
    assert_int_equal(c->jobs[0].artifacts, 1u << KIND_TRACE | 1u << KIND_HEAP | 1u << KIND_MUTEX);
    assert_int_equal(of[KIND_HEAP].interval, USEC_PER_HOUR);
    assert_string_equal(of[KIND_HEAP].path, "/h");
    assert_int_equal(of[KIND_HEAP].delta, ARTIFACT_DELTA_YES);
    assert_int_equal(of[KIND_HEAP].line, 6);
    assert_int_equal(of[KIND_HEAP].column, 5);
    assert_int_equal(of[KIND_MUTEX].delta, ARTIFACT_DELTA_NO);
    assert_int_equal(of[KIND_MUTEX].interval, 0);
    assert_null(of[KIND_MUTEX].path);
    assert_int_equal(of[KIND_TRACE].line, 5);
    assert_int_equal(of[KIND_TRACE].delta, ARTIFACT_DELTA_USUAL);
    assert_int_equal(of[KIND_BLOCK].line, 0);
    assert_string_equal(flight->path, "/f");
    assert_true(flight->post);
    assert_int_equal(flight->n_headers, 1);
    assert_string_equal(flight->headers[0].name, "X-Reason");
    assert_string_equal(flight->headers[0].value, "contrace");
    config_free(c);
}

static void test_every_key(void **state)
{
    struct config *c = load("global:\n"
                            "  scrape_interval: 10m\n  seconds: 1.25\n  scrape_timeout: 20s\n"
                            "  body_size_limit: 32MB\n  max_duty_cycle: 2.5%\n"
                            "  max_concurrent_captures: 8\n  host: ${CONTRACE_TEST_TEXT}\n"
                            "  shutdown_timeout: 0s\n" JOB
                            "storage:\n  path: /srv/x\n  max_bytes: 2GiB\n  max_age: 0\n"
                            "  max_files: 7\n  min_free: 0.25\n"
                            "log: {level: debug, format: json}\n");

    (void)state;
    assert_int_equal(c->interval, 10 * USEC_PER_MIN);
    assert_int_equal(c->window, 1250000);
    assert_int_equal(c->timeout, 20 * USEC_PER_SEC);
    assert_int_equal(c->body_size_limit, 32000000);
    assert_true(c->max_duty_cycle == 0.025);
    assert_int_equal(c->max_concurrent_captures, 8);
    assert_string_equal(c->host, "web-1");
    assert_int_equal(c->shutdown_timeout, 0);
    assert_int_equal(c->jobs[0].timeout, 20 * USEC_PER_SEC);
    assert_int_equal(c->jobs[0].window, 1250000);
    assert_string_equal(c->storage.path, "/srv/x");
    assert_int_equal(c->storage.max_bytes, 2ULL << 30);
    assert_int_equal(c->storage.max_age, 0);
    assert_int_equal(c->storage.max_files, 7);
    assert_true(c->storage.min_free == 0.25);
    assert_int_equal(c->log_level, LOG_LEVEL_DEBUG);
    assert_int_equal(c->log_format, LOG_FORMAT_JSON);
    config_free(c);
}

/* A job may say otherwise than the global key, either way. */
static void test_cpu_samples(void **state)
{
    static const struct {
        const char *global, *job;
        bool expected;
    } rows[] = {
        {"", "", false},
        {"  cpu_samples: true\n", "", true},
        {"  cpu_samples: true\n", "    cpu_samples: false\n", false},
        {"", "    cpu_samples: true\n", true},
        {"  cpu_samples: false\n", "    cpu_samples: true\n", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[512];
        struct config *c;

        (void)snprintf(text, sizeof(text),
                       "global:\n  seconds: 2\n%sscrape_configs:\n  - job_name: a\n%s"
                       "    static_configs: [{targets: [\"h:1\"]}]\n",
                       rows[i].global, rows[i].job);
        c = load(text);
        assert_int_equal(c->jobs[0].cpu_samples, rows[i].expected);
        config_free(c);
    }
}

static void load_fixture(const char *name, struct config **ret)
{
    char path[PATH_MAX];
    struct diags d = {0};

    source_path(name, path);
    assert_int_equal(config_load(path, ret, &d), 0);
}

static void test_job(void **state)
{
    char dir[PATH_MAX], path[PATH_MAX * 2];
    struct config *c = NULL;
    const struct job_config *job;

    (void)state;
    source_path("tests/unit/fixtures/config", dir);
    load_fixture("tests/unit/fixtures/config/ok-job.yaml", &c);
    job = &c->jobs[0];
    assert_true(job->https);
    assert_string_equal(job->path, "/recorder/snapshot");
    assert_int_equal(job->artifacts, 1u << KIND_TRACE | 1u << KIND_MUTEX);
    assert_string_equal(job->profiles_path, "/debug/pprof");
    assert_int_equal(job->window, 1900000);
    assert_int_equal(job->interval, USEC_PER_HOUR);
    assert_int_equal(job->timeout, 30 * USEC_PER_SEC);
    assert_int_equal(job->body_size_limit, 16 << 20);
    assert_int_equal(job->targets.n, 3);
    assert_string_equal(job->targets.items[0].parsed.unix_path, "/run/shop/pprof.sock");
    assert_int_equal(job->targets.items[2].n_labels, 3);
    assert_string_equal(job->targets.items[2].labels[1].name, "__meta");
    assert_string_equal(job->targets.items[2].labels[2].name, "service");
    assert_string_equal(job->targets.items[2].labels[2].value, "checkout");
    assert_int_equal(job->n_file_sd, 3);
    (void)snprintf(path, sizeof(path), "%s/targets/*.json", dir);
    assert_string_equal(job->file_sd[0], path);
    assert_string_equal(job->file_sd[1], "/etc/t.yml");
    (void)snprintf(path, sizeof(path), "%s/more.yaml", dir);
    assert_string_equal(job->file_sd[2], path);
    assert_int_equal(job->file_sd_refresh, USEC_PER_MIN);
    assert_int_equal(job->n_http_sd, 2);
    assert_string_equal(job->http_sd[0].url, "https://list.example/t?env=prod");
    assert_int_equal(job->http_sd[0].refresh, 30 * USEC_PER_SEC);
    assert_string_equal(job->http_sd[0].access.auth.type, "Bearer");
    assert_int_equal(job->http_sd[1].refresh, USEC_PER_MIN);
    assert_string_equal(job->http_sd[1].access.proxy.url, "http://proxy:3128");
    assert_int_equal(job->n_relabel, 2);
    assert_string_equal(job->access.auth.type, "Bearer");
    (void)snprintf(path, sizeof(path), "%s/token", dir);
    assert_string_equal(job->access.auth.credentials_file, path);
    (void)snprintf(path, sizeof(path), "%s/c.pem", dir);
    assert_string_equal(job->access.tls.cert_file, path);
    assert_string_equal(job->access.tls.key_file, "/k.pem");
    assert_string_equal(job->access.tls.server_name, "shop");
    assert_true(job->access.tls.insecure_skip_verify);
    (void)snprintf(path, sizeof(path), "%s/run/shop.pid", dir);
    assert_string_equal(job->pid_file, path);
    config_free(c);
}

static void test_variables(void **state)
{
    struct config *c = NULL;
    const struct target_config *t;

    (void)state;
    load_fixture("tests/unit/fixtures/config/ok-expand.yaml", &c);
    assert_string_equal(c->host, "web-1");
    assert_int_equal(c->window, 1500000);
    t = &c->jobs[0].targets.items[0];
    assert_string_equal(t->address, "127.0.0.1:6060");
    assert_int_equal(t->n_labels, 3);
    assert_string_equal(t->labels[0].value, "$5");
    assert_string_equal(t->labels[1].value, "$");
    /* What a variable holds is a value, never structure. */
    assert_string_equal(t->labels[2].value, "{a: [b,\nc]}");
    config_free(c);
    assert_int_equal(setenv("CONTRACE_TEST_TEXT", "\xff", 1), 0);
    {
        const char text[] = "global: {host: \"${CONTRACE_TEST_TEXT}\"}\n" JOB;
        _cleanup_free_ char *errors = errors_of("f", text, strlen(text));

        assert_non_null(strstr(errors, "`CONTRACE_TEST_TEXT` is not UTF-8"));
    }
    set_environment();
}

/* A job's timeout follows its own window and never passes its interval, as in Prometheus. */
static void test_inheritance(void **state)
{
    struct config *c = load("global: {max_duty_cycle: 100%, scrape_timeout: 1m}\nscrape_configs:\n"
                            "  - job_name: a\n    scrape_interval: 30s\n" TARGETS
                            "  - job_name: b\n    seconds: 10\n" TARGETS);

    (void)state;
    assert_int_equal(c->jobs[0].timeout, 30 * USEC_PER_SEC);
    assert_int_equal(c->jobs[1].timeout, USEC_PER_MIN);
    config_free(c);
    c = load("global: {max_duty_cycle: 100%}\nscrape_configs:\n"
             "  - job_name: a\n    scrape_interval: 12s\n    seconds: 10\n" TARGETS
             "  - job_name: b\n    seconds: 10\n" TARGETS);
    assert_int_equal(c->jobs[0].timeout, 12 * USEC_PER_SEC);
    assert_int_equal(c->jobs[1].timeout, 25 * USEC_PER_SEC);
    config_free(c);
}

static char *check(struct config *c, bool once)
{
    struct diags d = {0};
    char *printed = NULL;
    size_t size;
    FILE *out = open_memstream(&printed, &size);
    int r = config_check(c, once, &d);

    assert_non_null(out);
    assert_int_equal(r < 0, diags_count(&d) > 0);
    diags_print(&d, out);
    assert_int_equal(fclose(out), 0);
    diags_done(&d);
    return printed;
}

static void assert_check(struct config *c, bool once, const char *expected)
{
    char *text = check(c, once);

    assert_string_equal(text, expected);
    free(text);
}

/* Options change the global values after the file; what jobs inherit follows. */
static void test_check_after_options(void **state)
{
    struct config *c = load("scrape_configs:\n  - job_name: a\n" TARGETS
                            "  - job_name: b\n    scrape_interval: 10m\n" TARGETS);

    (void)state;
    c->interval = USEC_PER_HOUR;
    c->window = 5 * USEC_PER_SEC;
    assert_check(c, false, "");
    assert_int_equal(c->jobs[0].interval, USEC_PER_HOUR);
    assert_int_equal(c->jobs[0].timeout, 20 * USEC_PER_SEC);
    assert_int_equal(c->jobs[1].interval, 10 * USEC_PER_MIN);
    assert_int_equal(c->jobs[1].window, 5 * USEC_PER_SEC);
    c->interval = 10 * USEC_PER_SEC;
    c->window = 7 * USEC_PER_SEC;
    assert_check(c, false,
                 "contraced: seconds 7s every 10s is a duty cycle of 70%, above max_duty_cycle 1%: "
                 "raise scrape_interval to at least 11m40s, shorten seconds, or raise "
                 "max_duty_cycle\n"
                 "contraced: job `b`: seconds 7s every 10m is a duty cycle of 1.167%, above "
                 "max_duty_cycle 1%: raise scrape_interval to at least 11m40s, shorten seconds, or "
                 "raise max_duty_cycle\n");
    assert_int_equal(c->jobs[0].timeout, 10 * USEC_PER_SEC);
    assert_check(c, true, "");
    assert_int_equal(c->jobs[0].timeout, 22 * USEC_PER_SEC);
    c->timeout = USEC_PER_SEC;
    assert_check(c, true,
                 "contraced: scrape_timeout 1s must be more than seconds 7s\n"
                 "contraced: job `b`: scrape_timeout 1s must be more than seconds 7s\n");
    config_free(c);
}

static void test_storage_option(void **state)
{
    struct config *c = load(JOB);

    (void)state;
    free(c->storage.path);
    c->storage.path = strdup("spool");
    assert_check(c, false, "contraced: storage.path `spool` must be absolute\n");
    config_free(c);
}

/* `flag_file:` takes the default away; `cpu_pressure:` says nothing, as elsewhere. */
static void test_suspend(void **state)
{
    struct config *c = load("suspend: {flag_file: , cpu_pressure: }\n" JOB);

    (void)state;
    assert_null(c->suspend.flag_file);
    assert_true(c->suspend.cpu_pressure == 0);
    config_free(c);
    c = load("suspend: {flag_file: /etc/pause, cpu_pressure: 60%}\n" JOB);
    assert_string_equal(c->suspend.flag_file, "/etc/pause");
    assert_true(c->suspend.cpu_pressure == 0.6);
    config_free(c);
    c = load("suspend: {cpu_pressure: off}\n" JOB);
    assert_true(c->suspend.cpu_pressure == 0);
    config_free(c);
}

static struct config *with_targets(const char *const *args, size_t n)
{
    struct config *c = config_new();

    for (size_t i = 0; i < n; i++) {
        const char *why = NULL;

        if (config_add_target(c, args[i], &why) < 0)
            fail_msg("%s: %s", args[i], why);
    }
    return c;
}

static void test_target_names(void **state)
{
    static const struct {
        const char *arg, *name, *address, *path;
    } rows[] = {
        {"http://127.0.0.1:6060", "127.0.0.1:6060", "127.0.0.1:6060", "/debug/pprof/trace"},
        {"shop=https://a/x=y", "shop", "a", "/x=y"},
        {"http://a:1/x=y", "a:1", "a:1", "/x=y"},
        {"unix:/run/a/pprof.sock", "pprof", "unix:/run/a/pprof.sock", "/debug/pprof/trace"},
        {"unix:/run/b/pprof.sock", "pprof-2", "unix:/run/b/pprof.sock", "/debug/pprof/trace"},
        {"unix:/run/.sock", ".sock", "unix:/run/.sock", "/debug/pprof/trace"},
        {"unix:/run/", "socket", "unix:/run/", "/debug/pprof/trace"},
        {"unix:@pprof", "pprof-3", "unix:@pprof", "/debug/pprof/trace"},
        {"http://[::1]:6060", "[::1]:6060", "[::1]:6060", "/debug/pprof/trace"},
        {"http://127.0.0.1:6060/other", "127.0.0.1:6060-2", "127.0.0.1:6060", "/other"},
    };
    struct config *c = config_new();

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct job_config *job;
        const char *why = NULL;

        assert_int_equal(config_add_target(c, rows[i].arg, &why), 0);
        assert_int_equal(c->n_jobs, i + 1);
        job = &c->jobs[i];
        assert_string_equal(job->name, rows[i].name);
        assert_string_equal(job->targets.items[0].address, rows[i].address);
        assert_string_equal(job->path, rows[i].path);
        assert_true(job->from_option);
        assert_int_equal(job->timeout, 17 * USEC_PER_SEC);
    }
    assert_true(c->jobs[1].https);
    assert_check(c, false, "");
    config_free(c);
}

static void test_targets_of_one_service(void **state)
{
    static const char *const args[] = {"shop=http://a:1", "shop=http://b:1", "shop=https://c:1",
                                       "shop=http://a:1/x", "http://d:1"};
    struct config *c = with_targets(args, COUNT(args));

    (void)state;
    assert_int_equal(c->n_jobs, 4);
    assert_int_equal(c->jobs[0].targets.n, 2);
    assert_int_equal(c->jobs[0].targets.items[1].n_labels, 0);
    assert_string_equal(c->jobs[1].name, "shop-2");
    assert_string_equal(c->jobs[1].targets.items[0].labels[0].name, "service");
    assert_string_equal(c->jobs[1].targets.items[0].labels[0].value, "shop");
    assert_string_equal(c->jobs[2].name, "shop-3");
    assert_string_equal(c->jobs[3].name, "d:1");
    assert_check(c, false, "");
    config_free(c);
}

static void test_target_beside_a_file(void **state)
{
    struct config *c = load(JOB);
    const char *why;

    (void)state;
    assert_int_equal(config_add_target(c, "shop=http://b:1", &why), 0);
    assert_int_equal(c->n_jobs, 2);
    assert_int_equal(c->jobs[0].targets.n, 1);
    assert_string_equal(c->jobs[1].name, "shop-2");
    assert_string_equal(c->jobs[1].targets.items[0].labels[0].value, "shop");
    assert_check(c, false, "");
    config_free(c);
}

static void test_bad_targets(void **state)
{
    static const struct {
        const char *arg, *why;
    } rows[] = {
        {"", "begins with http://"},         {"127.0.0.1:6060", "begins with http://"},
        {"=http://a", "before = is empty"},  {"a\nb=http://a", "control character"},
        {"shop=", "begins with http://"},    {"http://u:p@a/", "do not belong into a URL"},
        {"http://a/?x=1", "no query"},       {"http://taken:1", "given twice"},
        {"x=http://taken:1", "given twice"},
    };
    static const char *const first[] = {"http://taken:1"};
    struct config *c = with_targets(first, 1);
    char longer[200];
    const char *why = NULL;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        why = NULL;
        assert_int_equal(config_add_target(c, rows[i].arg, &why), -EINVAL);
        assert_non_null(strstr(why, rows[i].why));
    }
    memset(longer, 's', sizeof(longer));
    memcpy(longer + CONFIG_JOB_NAME_MAX + 1, "=http://a", 10);
    assert_int_equal(config_add_target(c, longer, &why), -EINVAL);
    assert_int_equal(config_add_target(c, longer + 1, &why), 0);
    assert_int_equal(c->n_jobs, 2);
    config_free(c);
}

static void test_files_that_cannot_be_read(void **state)
{
    struct diags d = {0};
    struct config *untouched = config_new(), *c = untouched;

    (void)state;
    assert_int_equal(config_load("/nonexistent/c.yaml", &c, &d), -ENOENT);
    assert_string_equal(d.items[0].file, "/nonexistent/c.yaml");
    assert_string_equal(d.items[0].message, "cannot be read: No such file or directory");
    assert_int_equal(config_load("/dev/null", &c, &d), -EINVAL);
    assert_string_equal(d.items[1].message, "cannot be read: not a regular file");
    assert_int_equal(diags_count(&d), 2);
    assert_ptr_equal(c, untouched);
    diags_done(&d);
    config_free(untouched);
}

/* A file of the greatest length made of one text over and over, between a head and a tail. */
static char *fill(const char *head, const char *body, const char *tail, size_t *ret_len)
{
    size_t h = strlen(head), b = strlen(body), t = strlen(tail), n = (YAML_FILE_MAX - h - t) / b;
    char *text = malloc(h + n * b + t + 1);

    assert_non_null(text);
    memcpy(text, head, h);
    for (size_t i = 0; i < n; i++)
        memcpy(text + h + i * b, body, b);
    memcpy(text + h + n * b, tail, t + 1);
    *ret_len = h + n * b + t;
    return text;
}

/* Files made to be slow: each must be refused, in little time. */
static void test_hostile_sizes(void **state)
{
    static const struct {
        const char *head, *body, *tail;
    } rows[] = {
        {"", "[", ""},
        {"", "- ", ""},
        {"", "? ", ""},
        {"", "{a: ", ""},
        {"[", "a,", "]"},
        {"", "a: 1\n", ""},
        {"", "&a x\n", ""},
        {"", "%TAG !a! b\n", "---\na"},
        {"[", "&a b,", "]"},
        {"[&a b,", "*a,", "]"},
        {"global: {host: \"", "a\n", "\"}"},
        {"global: {host: \"", "$$", "\"}"},
        {"global: {host: \"", "${A:-", "\"}"},
        {"global: ", "!", " x"},
        {"log: &l {x: 1}\nscrape_configs:\n", "- *l\n", ""},
        {"scrape_configs:\n- &j\n  job_name: a\n  static_configs: &s\n  - &g {targets: [a]}\n",
         "  - *g\n", ""},
        {"\xef\xbb\xbf", "#", "\n"},
        {"", "\r", "x"},
        {"", "\xff", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t len;
        char *text = fill(rows[i].head, rows[i].body, rows[i].tail, &len), *errors;
        clock_t start = clock();

        errors = errors_of("f", text, len);
        assert_true(*errors);
        /* Some hundredths of a second; sanitizers and a busy machine get their share. */
        if (clock() - start > 20 * CLOCKS_PER_SEC)
            fail_msg("row %zu took too long", i);
        free(errors);
        free(text);
    }
}

/* Every allocation fails in turn, alone and with all after it: an error, no crash, no leak. */
static void fail_allocations(const char *text, bool once)
{
    bool again = true;

    allocations_fail_once = once;
    for (allocations_fail_at = 0; again; allocations_fail_at++) {
        struct diags d = {0};
        struct config *c = NULL;
        int r;

        allocations_made = 0;
        allocations_failing = true;
        r = config_load_text("etc/f.yaml", text, strlen(text), &c, &d);
        allocations_failing = false;
        again = allocations_made > allocations_fail_at;
        assert_int_equal(r < 0, diags_count(&d) > 0);
        assert_int_equal(r < 0, c == NULL);
        if (!again)
            assert_int_equal(r, strstr(text, "unknown") ? -EINVAL : 0);
        diags_done(&d);
        config_free(c);
    }
    assert_true(allocations_fail_at > 20);
}

static void test_memory_is_short(void **state)
{
    static const char *const files[] = {"tests/unit/fixtures/config/ok-job.yaml",
                                        "tests/unit/fixtures/config/ok-expand.yaml",
                                        "tests/unit/fixtures/config/mixed.yaml"};

    (void)state;
    for (size_t i = 0; i < COUNT(files); i++) {
        char path[PATH_MAX];
        struct buf text;

        read_file(source_path(files[i], path), &text);
        if (strstr(files[i], "mixed"))
            assert_int_equal(buf_adds(&text, "# unknown\n"), 0);
        fail_allocations(buf_str(&text), true);
        fail_allocations(buf_str(&text), false);
        buf_done(&text);
    }
}

static void test_memory_is_short_for_targets(void **state)
{
    static const char *const args[] = {"shop=http://a:1/x", "shop=http://b:1/x", "shop=https://c",
                                       "unix:/run/pprof.sock", "unix:/run/b/pprof.sock"};

    (void)state;
    allocations_fail_once = true;
    for (size_t i = 0; i < COUNT(args); i++) {
        bool again = true;

        for (allocations_fail_at = 0; again; allocations_fail_at++) {
            struct config *c = with_targets(args, i);
            const char *why;
            int r;

            allocations_made = 0;
            allocations_failing = true;
            r = config_add_target(c, args[i], &why);
            allocations_failing = false;
            again = allocations_made > allocations_fail_at;
            assert_int_equal(r, again ? -ENOMEM : 0);
            config_free(c);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fixtures),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_shipped_file),
        cmocka_unit_test(test_artifacts),
        cmocka_unit_test(test_every_key),
        cmocka_unit_test(test_job),
        cmocka_unit_test(test_cpu_samples),
        cmocka_unit_test(test_variables),
        cmocka_unit_test(test_inheritance),
        cmocka_unit_test(test_check_after_options),
        cmocka_unit_test(test_storage_option),
        cmocka_unit_test(test_suspend),
        cmocka_unit_test(test_target_names),
        cmocka_unit_test(test_targets_of_one_service),
        cmocka_unit_test(test_target_beside_a_file),
        cmocka_unit_test(test_bad_targets),
        cmocka_unit_test(test_files_that_cannot_be_read),
        cmocka_unit_test(test_hostile_sizes),
        cmocka_unit_test(test_memory_is_short),
        cmocka_unit_test(test_memory_is_short_for_targets),
    };

    set_environment();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
