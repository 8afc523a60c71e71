/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "daemon/control/metrics.h"
#include "daemon/control/observation.h"
#include "lib/config/data.h"
#include "tests/support/allocations.h"

#define NOW (1795286789 * USEC_PER_SEC)

static struct counters totals;
static struct meters *m;
static struct metrics_job jobs[METERS_JOBS_MAX + 1];
static struct metrics_facts f;
static struct buf out;

static int set_up(void **state)
{
    static const struct metrics_library libraries[] = {{"libcurl", "8.1"}};
    static const struct metrics_cause causes[] = {{"signal", 0}, {"flag_file", NOW}};

    (void)state;
    totals = (struct counters){.last_reload_ok = true, .config_read = NOW};
    memset(jobs, 0, sizeof(jobs));
    buf_init(&out, 16u << 20);
    if (meters_new(&totals, &m) < 0)
        return -1;
    f = (struct metrics_facts){
        .version = "1.2.3",
        .libraries = libraries,
        .n_libraries = 1,
        .meters = m,
        .jobs = jobs,
        .causes = causes,
        .n_causes = 2,
        .inspecting = true,
    };
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    meters_free(m);
    buf_done(&out);
    return 0;
}

static void render(void)
{
    buf_clear(&out);
    assert_int_equal(metrics_render(&f, &out), 0);
}

static bool has(const char *line)
{
    const char *at = buf_str(&out);
    size_t n = strlen(line);

    while ((at = strstr(at, line))) {
        if ((at == buf_str(&out) || at[-1] == '\n') && at[n] == '\n')
            return true;
        at += n;
    }
    return false;
}

static void assert_line(const char *line)
{
    if (!has(line))
        fail_msg("%s is missing in\n%s", line, buf_str(&out));
}

static unsigned lines_of(const char *prefix)
{
    unsigned n = 0;
    size_t length = strlen(prefix);

    for (const char *at = buf_str(&out); *at; at = strchr(at, '\n') + 1)
        n += strncmp(at, prefix, length) == 0;
    return n;
}

static void test_a_new_daemon(void **state)
{
    (void)state;
    meters_expect(m, "web", 0);
    jobs[0] = (struct metrics_job){
        .targets = 2, .interval = 5 * USEC_PER_MIN, .window = 2 * USEC_PER_SEC};
    render();
    assert_line("contrace_build_info{version=\"1.2.3\",libcurl=\"8.1\"} 1");
    assert_line("contrace_captures_total{scrape_job=\"web\",artifact=\"trace\",result=\"ok\"} 0");
    assert_line("contrace_captures_total{scrape_job=\"web\",artifact=\"trace\",result=\"busy\"} 0");
    assert_int_equal(lines_of("contrace_captures_total{"), 10);
    assert_line("contrace_captured_bytes_total{scrape_job=\"web\",artifact=\"trace\"} 0");
    assert_line("contrace_capture_last_success_timestamp_seconds{scrape_job=\"web\"} 0");
    assert_line("contrace_capture_duration_seconds_count{scrape_job=\"web\",artifact=\"trace\"} 0");
    assert_line("contrace_capture_start_delay_seconds_bucket{le=\"+Inf\"} 0");
    assert_line("contrace_traces_labelled_total{scrape_job=\"web\",label=\"lock-contention\"} 0");
    assert_int_equal(lines_of("contrace_traces_labelled_total{"), METERS_LABELS - 1);
    assert_line("contrace_targets{scrape_job=\"web\"} 2");
    assert_line("contrace_scrape_interval_seconds{scrape_job=\"web\"} 300");
    assert_line("contrace_window_seconds{scrape_job=\"web\"} 2");
    assert_line("contrace_suspended 1");
    assert_line("contrace_suspended_since_timestamp_seconds{cause=\"signal\"} 0");
    assert_line("contrace_suspended_since_timestamp_seconds{cause=\"flag_file\"} 1795286789");
    assert_line("contrace_uploads_total{result=\"done\"} 0");
    assert_line("contrace_upload_enabled 0");
    assert_line("contrace_upload_breaker_state{state=\"closed\"} 0");
    assert_line("contrace_spool_deleted_total{cause=\"max_bytes\"} 0");
    assert_line("contrace_config_last_reload_successful 1");
    assert_line("contrace_config_last_reload_success_timestamp_seconds 1795286789");
    assert_line("contrace_targets_left_out 0");
}

static void test_what_happened(void **state)
{
    (void)state;
    meters_captured(m, "web",
                    &(struct meters_capture){.outcome = OUTCOME_OK,
                                             .bytes = 4096,
                                             .start = NOW + USEC_PER_SEC / 2,
                                             .due = 1,
                                             .sent = 2,
                                             .ended = 2 * USEC_PER_SEC});
    meters_captured(m, "web", &(struct meters_capture){.outcome = OUTCOME_REDIRECT});
    meters_labelled(m, "web", "something-new");
    meters_uploaded(m, USEC_PER_SEC);
    meters_inspected(m, INSPECTION_CRASHED, 1);
    totals.reloads_failed = 3;
    totals.alerts_refused = 5;
    f.spool = (struct spool_stats){
        .archive_files = 5,
        .archive_bytes = 50,
        .pending_files = 2,
        .pending_bytes = 20,
        .oldest_pending = NOW,
        .dropped_unsent = 4,
        .deleted = {[RETENTION_FREE_SPACE] = 9},
    };
    f.upload = (struct metrics_upload){
        .enabled = true,
        .breaker = BREAKER_PARKED,
        .ends = {[STORE_PARKED] = 6},
        .credentials_expiry = NOW,
    };
    render();
    assert_line("contrace_captures_total{scrape_job=\"web\",artifact=\"trace\",result=\"ok\"} 1");
    assert_line(
        "contrace_captures_total{scrape_job=\"web\",artifact=\"trace\",result=\"redirect\"} 1");
    assert_line("contrace_captured_bytes_total{scrape_job=\"web\",artifact=\"trace\"} 4096");
    assert_line("contrace_capture_last_success_timestamp_seconds{scrape_job=\"web\"} "
                "1795286789.5");
    assert_line(
        "contrace_capture_duration_seconds_bucket{scrape_job=\"web\",artifact=\"trace\",le=\"2\"} 1");
    assert_line(
        "contrace_capture_duration_seconds_bucket{scrape_job=\"web\",artifact=\"trace\",le=\"1\"} 0");
    assert_line("contrace_capture_start_delay_seconds_sum 1e-06");
    assert_line("contrace_traces_labelled_total{scrape_job=\"web\",label=\"other\"} 1");
    assert_line("contrace_upload_duration_seconds_count 1");
    assert_line("contrace_inspections_total{result=\"crashed\"} 1");
    assert_line("contrace_config_reloads_total{result=\"failed\"} 3");
    assert_line("contrace_alert_notifications_refused_total 5");
    assert_line("contrace_spool_files{state=\"archive\"} 5");
    assert_line("contrace_spool_bytes{state=\"pending\"} 20");
    assert_line("contrace_spool_oldest_timestamp_seconds{state=\"archive\"} 0");
    assert_line("contrace_spool_oldest_timestamp_seconds{state=\"pending\"} 1795286789");
    assert_line("contrace_spool_dropped_unsent_total 4");
    assert_line("contrace_spool_deleted_total{cause=\"min_free\"} 9");
    assert_line("contrace_uploads_total{result=\"parked\"} 6");
    assert_line("contrace_upload_breaker_state{state=\"parked\"} 1");
    assert_line("contrace_upload_breaker_state{state=\"closed\"} 0");
    assert_line("contrace_upload_credentials_expiry_timestamp_seconds 1795286789");
}

static void test_targets(void **state)
{
    const struct metrics_target targets[] = {
        {"web", "127.0.0.1:6060", 0, NOW, 0.00025, 0.5},
        {"web", "unix:/run/\"x\".sock", 3, 0, -1, -1},
    };

    (void)state;
    f.targets = targets;
    f.n_targets = 2;
    f.targets_left_out = 9;
    render();
    assert_line("contrace_target_consecutive_failures{scrape_job=\"web\","
                "target=\"127.0.0.1:6060\"} 0");
    assert_line("contrace_target_consecutive_failures{scrape_job=\"web\","
                "target=\"unix:/run/\\\"x\\\".sock\"} 3");
    assert_line("contrace_target_scheduler_latency_p99_seconds{scrape_job=\"web\","
                "target=\"127.0.0.1:6060\"} 0.00025");
    assert_int_equal(lines_of("contrace_target_scheduler_latency_p99_seconds{"), 1);
    assert_line("contrace_target_covered_ratio{scrape_job=\"web\",target=\"127.0.0.1:6060\"} 0.5");
    assert_int_equal(lines_of("contrace_target_covered_ratio{"), 1);
    assert_line("contrace_targets_left_out 9");
}

/* The others have series only where there are any. */
static void test_the_other_jobs(void **state)
{
    (void)state;
    render();
    assert_int_equal(lines_of("contrace_captures_total{"), 0);
    jobs[0].targets = 1;
    render();
    assert_line("contrace_targets{scrape_job=\"other\"} 1");
    jobs[0].targets = 0;
    meters_labelled(m, METERS_OTHER, "idle");
    render();
    assert_line("contrace_traces_labelled_total{scrape_job=\"other\",label=\"idle\"} 1");
}

static void test_no_labels_without_inspections(void **state)
{
    (void)state;
    meters_expect(m, "web", 0);
    f.inspecting = false;
    render();
    assert_line("contrace_inspection_enabled 0");
    assert_int_equal(lines_of("contrace_traces_labelled_total{"), 0);
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Each series once, each family once and with all of its samples behind it. */
static void test_nothing_is_there_twice(void **state)
{
    _cleanup_free_ char *text = NULL;
    _cleanup_free_ char **series = NULL;
    char family[256] = "", *at;
    size_t n = 0, n_families = 0;

    (void)state;
    meters_expect(m, "a", 0);
    meters_expect(m, "b", 0);
    render();
    text = strdup(buf_str(&out));
    series = calloc(20000, sizeof(char *));
    assert_non_null(text);
    assert_non_null(series);
    for (char *line = strtok_r(text, "\n", &at); line; line = strtok_r(NULL, "\n", &at)) {
        if (strncmp(line, "# HELP ", 7) == 0) {
            (void)snprintf(family, sizeof(family), "%.*s", (int)strcspn(line + 7, " "), line + 7);
            n_families++;
        } else if (strncmp(line, "# TYPE ", 7) != 0) {
            assert_int_equal(strncmp(line, family, strlen(family)), 0);
            assert_non_null(strrchr(line, ' '));
            *strrchr(line, ' ') = '\0';
        } else {
            continue; /* that of the family above, or the check of the samples would fail */
        }
        series[n++] = line;
    }
    qsort(series, n, sizeof(char *), compare);
    for (size_t i = 1; i < n; i++)
        assert_string_not_equal(series[i - 1], series[i]);
    assert_true(n_families > 50);
}

/* Jobs with the longest names, each of which captures every artifact. */
static void test_the_most(void **state)
{
    struct buf most;

    (void)state;
    for (unsigned i = 0; i < METERS_JOBS_MAX; i++) {
        char name[CONFIG_JOB_NAME_MAX + 1];

        (void)snprintf(name, sizeof(name), "%0*u", CONFIG_JOB_NAME_MAX, i);
        meters_expect(m, name, (1u << KINDS) - 1);
    }
    assert_int_equal(m->n_jobs, METERS_JOBS_MAX);
    buf_init(&most, OBSERVATION_MAX);
    assert_int_equal(metrics_render(&f, &most), 0);
    assert_true(most.len > 16u << 20);
    buf_done(&most);
}

static void test_too_much(void **state)
{
    struct buf small;

    (void)state;
    buf_init(&small, 1000);
    assert_int_equal(metrics_render(&f, &small), -E2BIG);
    buf_done(&small);
}

/* A scrape that lacks something is none. */
static void test_memory_is_short(void **state)
{
    bool again = true;

    (void)state;
    meters_expect(m, "web", 0);
    for (allocations_fail_at = 0; again; allocations_fail_at++) {
        int r;

        buf_done(&out);
        allocations_made = 0;
        allocations_failing = true;
        r = metrics_render(&f, &out);
        allocations_failing = false;
        again = allocations_made > allocations_fail_at;
        assert_int_equal(r, again ? -ENOMEM : 0);
    }
    assert_true(allocations_fail_at > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_new_daemon, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_happened, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_targets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_other_jobs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_labels_without_inspections, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_is_there_twice, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_most, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_too_much, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_memory_is_short, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
