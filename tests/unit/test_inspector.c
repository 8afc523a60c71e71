/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The inspector with children of every kind: tests/support/inspectee, which does what its name says.
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "daemon/label/inspector.h"
#include "tests/support/scratch.h"

/* Under AddressSanitizer a limit of address space would be the end before the beginning. */
#if defined(__SANITIZE_ADDRESS__)
#define SHADOWED 1
#elif defined(__has_feature)
#define SHADOWED __has_feature(address_sanitizer)
#else
#define SHADOWED 0
#endif

/* A child runs when nobody else wants the processor: only one that never ends is not waited for. */
#define PATIENT (120 * USEC_PER_SEC)
#define BRIEF USEC_PER_SEC

#define TOLD_MAX (INSPECTOR_QUEUE_MAX + 10)

static struct world {
    sd_event *event;
    struct inspector *inspector;
    char *dir;
    char program[4096];
    size_t descriptors;
    bool gone;
    unsigned opened, told;
    char keys[TOLD_MAX][64];
    enum inspection_end ends[TOLD_MAX];
    char label[DIGEST_LABEL_SIZE], why[INSPECTOR_WHY_SIZE], text[INSPECTOR_TEXT_SIZE];
    char evidence[DIGEST_TEXT_SIZE];
    usec took;
} w;

static int on_open(void *userdata, const char *key)
{
    assert_ptr_equal(userdata, &w);
    assert_true(key[0] != '\0');
    w.opened++;
    return w.gone ? -ENOENT : open(scratch_text(w.dir, "trace", "go 1.26 trace"), O_RDONLY);
}

static void on_finished(void *userdata, const char *key, struct inspection *in)
{
    assert_ptr_equal(userdata, &w);
    assert_true(w.told < TOLD_MAX);
    (void)snprintf(w.keys[w.told], sizeof(w.keys[0]), "%s", key);
    w.ends[w.told++] = in->end;
    (void)snprintf(w.label, sizeof(w.label), "%s", in->digest.label);
    (void)snprintf(w.evidence, sizeof(w.evidence), "%s", in->digest.evidence);
    (void)snprintf(w.why, sizeof(w.why), "%s", in->why);
    (void)snprintf(w.text, sizeof(w.text), "%s", in->text);
    w.took = in->took;
}

static const struct inspector_handlers handlers = {on_open, on_finished};

static usec patience_with(const char *name)
{
    return strcmp(name, "hang") == 0 || strcmp(name, "spin") == 0 ? BRIEF : PATIENT;
}

/* A child that does what `name` says, from now on. */
static void use(const char *name, uint64_t memory)
{
    char path[4096];

    (void)snprintf(path, sizeof(path), "%s", scratch_path(w.dir, name));
    assert_true(symlink(w.program, path) == 0 || errno == EEXIST);
    assert_int_equal(inspector_set(w.inspector,
                                   &(struct inspector_settings){
                                       .command = path,
                                       .timeout = patience_with(name),
                                       .memory = memory,
                                   }),
                     0);
}

static int set_up(void **state)
{
    sigset_t set;

    (void)state;
    memset(&w, 0, sizeof(w));
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    (void)snprintf(w.program, sizeof(w.program), "%s", scratch_built("tests/support/inspectee"));
    w.dir = scratch_new(NULL);
    w.descriptors = scratch_descriptors();
    assert_true(sd_event_new(&w.event) >= 0);
    assert_int_equal(inspector_new(w.event, &handlers, &w, &w.inspector), 0);
    assert_true(inspector_idle(w.inspector));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    inspector_free(w.inspector);
    w.event = sd_event_unref(w.event);
    assert_int_equal(scratch_descriptors(), w.descriptors);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
    assert_int_equal(errno, ECHILD);
    scratch_free(w.dir);
    return 0;
}

static void run(void)
{
    while (!inspector_idle(w.inspector))
        assert_true(sd_event_run(w.event, UINT64_MAX) > 0);
}

static enum inspection_end inspect(const char *name)
{
    use(name, UINT64_C(1) << 60);
    w.told = 0;
    assert_int_equal(inspector_add(w.inspector, "a/b/c.trace", NULL), 0);
    assert_int_equal(w.told, 0);
    run();
    assert_int_equal(w.told, 1);
    assert_string_equal(w.keys[0], "a/b/c.trace");
    return w.ends[0];
}

static void test_label(void **state)
{
    (void)state;
    assert_int_equal(inspect("ill"), INSPECTION_OK);
    assert_string_equal(w.label, "lock-contention");
    assert_string_equal(w.evidence, "read_bytes 13");
    assert_int_equal(inspect("healthy"), INSPECTION_OK);
    assert_string_equal(w.label, "healthy");
    assert_string_equal(w.why, "");
}

/* A signal to our process group comes while the child still is in it. */
static int to_the_group;

int __real_setpgid(pid_t pid, pid_t group);
int __wrap_setpgid(pid_t pid, pid_t group);
int __wrap_setpgid(pid_t pid, pid_t group)
{
    if (to_the_group > 0)
        (void)kill(getpid(), to_the_group);
    return __real_setpgid(pid, group);
}

static void test_signal_to_the_group(void **state)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGQUIT};

    (void)state;
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        to_the_group = signals[i];
        assert_int_equal(inspect("healthy"), INSPECTION_OK);
    }
    to_the_group = 0;
}

/* What the host knew is an argument; what is too long to be it is left out. */
static void test_context(void **state)
{
    static const char context[] = "{\"host\":{\"cpus\":2}}";
    char *huge = malloc(1 << 16);

    (void)state;
    use("arguments", UINT64_C(1) << 60);
    assert_int_equal(inspector_add(w.inspector, "k", context), 0);
    run();
    assert_int_equal(w.ends[0], INSPECTION_OK);
    assert_string_equal(w.evidence, "words 6, context 19, names 0");
    memset(huge, 'x', 1 << 16);
    huge[(1 << 16) - 1] = '\0';
    assert_int_equal(inspector_add(w.inspector, "k", huge), 0);
    run();
    assert_string_equal(w.evidence, "words 5, context 0, names 0");
    free(huge);
}

/* What may be said of a part is said, without a label. */
static void test_part(void **state)
{
    (void)state;
    assert_int_equal(inspect("partial"), INSPECTION_PARTIAL);
    assert_string_equal(w.why, "partial");
    assert_string_equal(w.label, "not-inspected");
    assert_int_equal(inspect("too-short"), INSPECTION_TOO_SHORT);
    assert_string_equal(w.why, "too-short");
}

static void test_ends(void **state)
{
    static const struct {
        const char *name, *why;
        enum inspection_end end;
    } rows[] = {
        {"hang", "timeout", INSPECTION_TIMEOUT},
        {"spin", "timeout", INSPECTION_TIMEOUT},
        {"crash", "signal SIGSEGV", INSPECTION_CRASHED},
        {"killed", "memory", INSPECTION_MEMORY},
        {"garbage", "output", INSPECTION_OUTPUT},
        {"half", "output", INSPECTION_OUTPUT},
        {"evil", "output", INSPECTION_OUTPUT},
        {"endless", "output", INSPECTION_OUTPUT},
        {"refuse", "unreadable", INSPECTION_UNREADABLE},
        {"format", "format", INSPECTION_FORMAT},
        {"usage", "unavailable, exit status 2", INSPECTION_UNAVAILABLE},
        {"try-abort", "signal SIGABRT", INSPECTION_CRASHED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum inspection_end end = inspect(rows[i].name);

        if (end != rows[i].end || strcmp(w.why, rows[i].why) != 0)
            fail_msg("%s: %s, %s", rows[i].name, inspection_end_name(end), w.why);
        assert_string_equal(w.label, "");
        assert_true(end != INSPECTION_TIMEOUT || w.took >= BRIEF);
    }
    assert_int_equal(inspect("refuse"), INSPECTION_UNREADABLE);
    assert_string_equal(w.text, "-: not a Go execution trace, offset 0");
}

static void test_unavailable(void **state)
{
    (void)state;
    assert_int_equal(inspector_set(w.inspector,
                                   &(struct inspector_settings){
                                       .command = "/nonexistent/contrace",
                                       .timeout = PATIENT,
                                       .memory = 1 << 30,
                                   }),
                     0);
    assert_int_equal(inspector_add(w.inspector, "k", NULL), 0);
    run();
    assert_int_equal(w.ends[0], INSPECTION_UNAVAILABLE);
    assert_string_equal(w.text, "/nonexistent/contrace: No such file or directory");
    assert_string_equal(w.why, "unavailable");
}

static void test_gone(void **state)
{
    (void)state;
    w.gone = true;
    assert_int_equal(inspect("healthy"), INSPECTION_GONE);
}

/* Whoever inherited its output, and stays as long as we read it, does not keep us waiting. */
static void test_leaves_another(void **state)
{
    (void)state;
    assert_int_equal(inspect("leave-behind"), INSPECTION_OK);
}

#if !SHADOWED
static void test_memory(void **state)
{
    (void)state;
    use("memory", UINT64_C(128) << 20);
    assert_int_equal(inspector_add(w.inspector, "k", NULL), 0);
    run();
    assert_int_equal(w.ends[0], INSPECTION_MEMORY);
    assert_non_null(strstr(w.text, "MiB were too little"));
}
#endif

/* Nothing of ours is open, no environment, the processor time is bounded, SCHED_IDLE. */
static void test_circumstances(void **state)
{
    char expected[128];

    (void)state;
    assert_int_equal(setenv("SECRET", "x", 1), 0);
    assert_int_equal(inspect("look"), INSPECTION_OK);
    (void)snprintf(expected, sizeof(expected), "fds 3, data %llu, cpu %llu, policy 5", 1ULL << 60,
                   (unsigned long long)(PATIENT / USEC_PER_SEC));
    assert_string_equal(w.evidence, expected);
}

static void test_sandbox_refuses(void **state)
{
    static const char *const refused[] = {
        "try-open", "try-create", "try-unlink", "try-code", "try-unlimit",
    };
    static const char *const fatal[] = {
        "try-socket", "try-unix", "try-execve", "try-fork", "try-kill",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        assert_int_equal(inspect(refused[i]), INSPECTION_OK);
        if (strcmp(w.evidence, "result -1, errno 1") != 0)
            fail_msg("%s: %s", refused[i], w.evidence);
    }
    for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++) {
        if (inspect(fatal[i]) != INSPECTION_CRASHED || strcmp(w.why, "signal SIGSYS") != 0)
            fail_msg("%s: %s", fatal[i], w.why);
    }
    assert_int_equal(inspect("try-read"), INSPECTION_OK);
    assert_string_equal(w.evidence, "result 0, errno 0");
}

static void test_newest_first(void **state)
{
    (void)state;
    use("healthy", UINT64_C(1) << 60);
    assert_int_equal(inspector_add(w.inspector, "1", NULL), 0);
    assert_int_equal(inspector_add(w.inspector, "2", NULL), 0);
    assert_int_equal(inspector_add(w.inspector, "3", NULL), 0);
    assert_false(inspector_idle(w.inspector));
    run();
    assert_int_equal(w.told, 3);
    assert_string_equal(w.keys[0], "3");
    assert_string_equal(w.keys[1], "2");
    assert_string_equal(w.keys[2], "1");
}

static void test_too_many(void **state)
{
    char key[32];

    (void)state;
    use("hang", UINT64_C(1) << 60);
    for (unsigned i = 0; i < INSPECTOR_QUEUE_MAX + 3; i++) {
        (void)snprintf(key, sizeof(key), "%u", i);
        assert_int_equal(inspector_add(w.inspector, key, NULL), 0);
    }
    assert_int_equal(w.told, 3);
    for (unsigned i = 0; i < 3; i++) {
        (void)snprintf(key, sizeof(key), "%u", i);
        assert_string_equal(w.keys[i], key);
        assert_int_equal(w.ends[i], INSPECTION_QUEUE);
    }
    assert_true(sd_event_run(w.event, 0) > 0); /* one begins */
    inspector_cut(w.inspector);
    assert_true(inspector_idle(w.inspector));
    assert_int_equal(w.told, INSPECTOR_QUEUE_MAX + 3);
    assert_int_equal(w.ends[3], INSPECTION_CUT);
    assert_string_equal(w.keys[3], "1002"); /* the one that ran */
    assert_int_equal(w.opened, 1);
    assert_int_equal(inspector_add(w.inspector, "late", NULL), 0);
    assert_int_equal(w.told, INSPECTOR_QUEUE_MAX + 4);
}

static void test_free_meanwhile(void **state)
{
    (void)state;
    use("hang", UINT64_C(1) << 60);
    assert_int_equal(inspector_add(w.inspector, "1", NULL), 0);
    assert_int_equal(inspector_add(w.inspector, "2", NULL), 0);
    assert_true(sd_event_run(w.event, 0) > 0);
    assert_int_equal(w.opened, 1);
    inspector_free(w.inspector);
    w.inspector = NULL;
    assert_int_equal(w.told, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_context, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_label, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_signal_to_the_group, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_part, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unavailable, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_leaves_another, set_up, tear_down),
#if !SHADOWED
        cmocka_unit_test_setup_teardown(test_memory, set_up, tear_down),
#endif
        cmocka_unit_test_setup_teardown(test_circumstances, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sandbox_refuses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_newest_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_too_many, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_free_meanwhile, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
