/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/spool_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/trigger/flagfile.h"
#include "daemon/trigger/pressure.h"
#include "daemon/trigger/psi.h"
#include "daemon/trigger/suspension.h"
#include "tests/support/scratch.h"
#include "tests/support/virtual_time.h"

/* The causes together. What the kernel says of the pressure is made up: --wrap=psi_read. */

#define SLACK USEC_PER_SEC /* real time goes by, too; less than an interval */

static struct suspension *s;
static struct suspend_config config;
static char flag[1024], other[1024];
static int changes;
static bool suspended;
static size_t descriptors;
static struct {
    double share;
    int r;
    int reads;
} psi;

int __wrap_psi_read(const struct psi *p, double *ret_share, const char **ret_path);

int __wrap_psi_read(const struct psi *p, double *ret_share, const char **ret_path)
{
    (void)p;
    psi.reads++;
    if (psi.r < 0)
        return psi.r;
    *ret_share = psi.share;
    *ret_path = "/proc/pressure/cpu";
    return 0;
}

static void on_changed(void *userdata, bool now)
{
    assert_ptr_equal(userdata, &changes);
    changes++;
    suspended = now;
}

static void run(void)
{
    while (sd_event_run(fx.event, 0) > 0)
        ;
}

static void pass(usec time)
{
    virtual_pass(time, run);
}

static void touch(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    (void)close(fd);
}

static void set(char *flag_file, double cpu_pressure)
{
    config = (struct suspend_config){flag_file, cpu_pressure};
    assert_int_equal(suspension_set(s, &config), 0);
    pass(0);
}

static int setup(void **state)
{
    int r;

    descriptors = scratch_descriptors();
    r = fixture_setup(state);
    changes = 0;
    suspended = false;
    memset(&psi, 0, sizeof(psi));
    (void)snprintf(flag, sizeof(flag), "%s/flag", fx.base);
    (void)snprintf(other, sizeof(other), "%s/other", fx.base);
    if (r == 0)
        r = suspension_new(fx.event, on_changed, &changes, &s);
    return r;
}

static int teardown(void **state)
{
    int r;

    suspension_free(s);
    run();
    r = fixture_teardown(state);
    assert_int_equal(scratch_descriptors(), descriptors);
    return r;
}

/* What holds, the changes that were told, and that each was one line of the log. */
static void assert_holds(const char *names, int after_changes)
{
    char text[SUSPENSION_NAMES_SIZE];

    assert_string_equal(suspension_names(s, text), names);
    assert_int_equal(suspension_active(s), *names != '\0');
    assert_int_equal(suspended, *names != '\0');
    assert_int_equal(changes, after_changes);
    assert_int_equal(n_log_lines, after_changes);
}

static void assert_last(const char *line)
{
    assert_true(n_log_lines > 0);
    assert_string_equal(log_lines[n_log_lines - 1], line);
}

static void test_signal(void **state)
{
    usec since = 0;
    const char *text = NULL;

    (void)state;
    assert_false(suspension_cause(s, SUSPENDED_SIGNAL, &since, &text));
    assert_null(text);
    suspension_toggle(s);
    assert_holds("signal", 1);
    assert_last("SIGUSR2: suspended, no scheduled captures");
    assert_true(suspension_cause(s, SUSPENDED_SIGNAL, &since, &text));
    assert_string_equal(text, "SIGUSR2");
    assert_true(since > 0 && since <= clock_real());
    assert_true(suspension_cause(s, SUSPENDED_SIGNAL, NULL, NULL));
    suspension_toggle(s);
    assert_holds("", 2);
    assert_last("SIGUSR2: resumed");
}

static void test_api(void **state)
{
    usec since = 0, again = 0;
    const char *text = NULL;

    (void)state;
    suspension_api(s, true, "load test");
    assert_holds("api", 1);
    assert_last("the API (load test): suspended, no scheduled captures");
    assert_true(suspension_cause(s, SUSPENDED_API, &since, &text));
    assert_string_equal(text, "load test");
    /* Asked again: the same suspension, perhaps for another reason. */
    pass(USEC_PER_MIN);
    suspension_api(s, true, NULL);
    assert_true(suspension_cause(s, SUSPENDED_API, &again, &text));
    assert_string_equal(text, "load test");
    suspension_api(s, true, "still");
    assert_true(suspension_cause(s, SUSPENDED_API, &again, &text));
    assert_string_equal(text, "still");
    assert_int_equal(since, again);
    assert_holds("api", 1);
    suspension_api(s, false, NULL);
    assert_holds("", 2);
    assert_last("the API: resumed");
    /* Nothing to resume is no news. */
    suspension_api(s, false, NULL);
    assert_holds("", 2);
    suspension_api(s, true, NULL);
    assert_true(suspension_cause(s, SUSPENDED_API, NULL, &text));
    assert_string_equal(text, "");
    assert_last("the API: suspended, no scheduled captures");
}

/* Who resumes ends what the operator asked for, whichever way. */
static void test_signal_and_api(void **state)
{
    (void)state;
    suspension_toggle(s);
    suspension_api(s, true, NULL);
    assert_holds("signal, api", 2);
    assert_last("the API: stays suspended (signal, api)");
    suspension_toggle(s);
    assert_holds("", 3);
    suspension_api(s, true, NULL);
    suspension_toggle(s);
    assert_holds("", 5);
    suspension_toggle(s);
    suspension_api(s, false, NULL);
    assert_holds("", 7);
}

static void test_long_reason(void **state)
{
    char reason[2 * SUSPENSION_TEXT_MAX];
    const char *text;

    (void)state;
    memset(reason, 'x', sizeof(reason) - 1);
    reason[sizeof(reason) - 1] = '\0';
    suspension_api(s, true, reason);
    assert_true(suspension_cause(s, SUSPENDED_API, NULL, &text));
    assert_int_equal(strlen(text), SUSPENSION_TEXT_MAX - 1);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(suspension_cause_name(SUSPENDED_SIGNAL), "signal");
    assert_string_equal(suspension_cause_name(SUSPENDED_API), "api");
    assert_string_equal(suspension_cause_name(SUSPENDED_FLAG_FILE), "flag_file");
    assert_string_equal(suspension_cause_name(SUSPENDED_CPU_PRESSURE), "cpu_pressure");
}

static void test_flag_file_at_the_start(void **state)
{
    const char *text;

    (void)state;
    touch(flag);
    set(flag, 0);
    assert_holds("flag_file", 1);
    assert_true(suspension_cause(s, SUSPENDED_FLAG_FILE, NULL, &text));
    assert_string_equal(text, flag);
    /* A reload without a change is none. */
    set(flag, 0);
    assert_holds("flag_file", 1);
    assert_int_equal(unlink(flag), 0);
    pass(USEC_PER_SEC);
    assert_holds("", 2);
}

static void test_flag_file_beside_the_operator(void **state)
{
    char line[2048];

    (void)state;
    set(flag, 0);
    assert_holds("", 0);
    suspension_toggle(s);
    touch(flag);
    pass(USEC_PER_SEC);
    assert_holds("signal, flag_file", 2);
    /* The operator's wish ends, the file's stays. */
    suspension_toggle(s);
    assert_holds("flag_file", 3);
    assert_last("SIGUSR2: stays suspended (flag_file)");
    suspension_toggle(s);
    assert_int_equal(unlink(flag), 0);
    pass(USEC_PER_SEC);
    assert_holds("signal", 5);
    (void)snprintf(line, sizeof(line), "the flag file %s is gone: stays suspended (signal)", flag);
    assert_last(line);
}

static void test_flag_file_changes(void **state)
{
    const char *text;

    (void)state;
    touch(flag);
    set(flag, 0);
    assert_holds("flag_file", 1);
    /* Another file, which is there as well: nothing changes but the text. */
    touch(other);
    set(other, 0);
    assert_holds("flag_file", 1);
    assert_true(suspension_cause(s, SUSPENDED_FLAG_FILE, NULL, &text));
    assert_string_equal(text, other);
    assert_int_equal(unlink(flag), 0);
    pass(USEC_PER_SEC);
    assert_holds("flag_file", 1);
    /* One that is not there. */
    set(flag, 0);
    assert_holds("", 2);
    touch(flag);
    pass(USEC_PER_SEC);
    assert_holds("flag_file", 3);
    /* None. */
    set(NULL, 0);
    assert_holds("", 4);
    assert_int_equal(unlink(flag), 0);
    pass(USEC_PER_MIN);
    touch(flag);
    pass(USEC_PER_MIN);
    assert_holds("", 4);
}

static void test_pressure(void **state)
{
    const char *text;

    (void)state;
    psi.share = 0.6;
    set(NULL, 0.6);
    assert_int_equal(psi.reads, 1);
    assert_holds("", 0);
    pass(PRESSURE_INTERVAL + SLACK);
    assert_holds("cpu_pressure", 1);
    assert_true(suspension_cause(s, SUSPENDED_CPU_PRESSURE, NULL, &text));
    assert_string_equal(text, "CPU pressure is 60%, the limit is 60% (/proc/pressure/cpu)");
    psi.share = 0.5; /* more than three quarters */
    pass(USEC_PER_HOUR);
    assert_holds("cpu_pressure", 1);
    psi.share = 0.1;
    pass(PRESSURE_CALM - SLACK);
    assert_holds("cpu_pressure", 1);
    pass(2 * PRESSURE_INTERVAL);
    assert_holds("", 2);
    assert_last("CPU pressure is down to 10%: resumed");
}

static void test_pressure_is_off(void **state)
{
    (void)state;
    psi.share = 1;
    set(NULL, 0);
    pass(USEC_PER_HOUR);
    assert_int_equal(psi.reads, 0);
    set(NULL, 0.5);
    pass(USEC_PER_MIN);
    assert_holds("cpu_pressure", 1);
    psi.reads = 0;
    set(NULL, 0);
    assert_holds("", 2);
    pass(USEC_PER_HOUR);
    assert_int_equal(psi.reads, 0);
}

/* Another limit begins anew; the same keeps what it knows. */
static void test_pressure_on_reload(void **state)
{
    (void)state;
    psi.share = 0.5;
    set(NULL, 0.5);
    pass(PRESSURE_INTERVAL + SLACK);
    assert_holds("cpu_pressure", 1);
    set(NULL, 0.5);
    assert_holds("cpu_pressure", 1);
    set(NULL, 0.9);
    assert_holds("", 2);
    pass(USEC_PER_MIN);
    assert_holds("", 2);
}

/* One line, no suspension, and one when it can be read. */
static void test_no_psi(void **state)
{
    (void)state;
    psi.r = -ENOENT;
    set(NULL, 0.5);
    pass(USEC_PER_HOUR);
    assert_int_equal(n_log_lines, 1);
    assert_int_equal(changes, 0);
    assert_true(logged("suspend.cpu_pressure has no effect"));
    psi.r = 0;
    psi.share = 1;
    pass(USEC_PER_MIN);
    assert_int_equal(n_log_lines, 3);
    assert_int_equal(changes, 1);
    /* A cause that nothing upholds any more ends. */
    psi.r = -EMFILE;
    pass(USEC_PER_MIN);
    assert_int_equal(changes, 2);
    assert_false(suspension_active(s));
}

static void test_wakes_seldom(void **state)
{
    (void)state;
    (void)virtual_wakes();
    set(NULL, 0);
    pass(USEC_PER_HOUR);
    assert_int_equal(virtual_wakes(), 0);
    set(flag, 0.5);
    pass(USEC_PER_HOUR);
    assert_true(virtual_wakes() <= 3600 / 5 + 3600 / 10 + 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_signal),
        TEST(test_api),
        TEST(test_signal_and_api),
        TEST(test_long_reason),
        TEST(test_names),
        TEST(test_flag_file_at_the_start),
        TEST(test_flag_file_beside_the_operator),
        TEST(test_flag_file_changes),
        TEST(test_pressure),
        TEST(test_pressure_is_off),
        TEST(test_pressure_on_reload),
        TEST(test_no_psi),
        TEST(test_wakes_seldom),
    };

    return cmocka_run_group_tests_name("suspension", tests, NULL, NULL);
}
