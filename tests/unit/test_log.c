/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "tests/support/allocations.h"
#include "tests/support/scratch.h"

static const struct log_fields all_fields = {
    .service = "check\"out",
    .target = "http://127.0.0.1:6060/\\x",
    .key = "a/b/c.trace",
    .result = "timeout",
    .message_id = MESSAGE_ID_TARGET_DOWN,
};

static char *dir;
static int saved_stderr = -1, captured = -1;
static char written[65536];

static int setup(void **state)
{
    (void)state;
    dir = scratch_new(NULL);
    captured = open(scratch_path(dir, "stderr"), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
    assert_true(captured >= 0 && saved_stderr >= 0);
    assert_int_equal(dup2(captured, STDERR_FILENO), STDERR_FILENO);
    log_set_format(LOG_FORMAT_TEXT);
    log_set_level(LOG_LEVEL_INFO);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    (void)dup2(saved_stderr, STDERR_FILENO);
    (void)close(saved_stderr);
    (void)close(captured);
    (void)unsetenv("JOURNAL_STREAM");
    log_set_sink(NULL, NULL);
    scratch_free(dir);
    return 0;
}

/* What was written since the last call. */
static const char *take(void)
{
    ssize_t n = pread(captured, written, sizeof(written) - 1, 0);

    assert_true(n >= 0);
    written[n] = '\0';
    assert_int_equal(ftruncate(captured, 0), 0);
    return written;
}

static json_t *take_json(void)
{
    const char *line = take();
    json_error_t error;
    json_t *json = json_loads(line, JSON_REJECT_DUPLICATES, &error);

    assert_int_equal(strcspn(line, "\n"), strlen(line) - 1); /* one line */
    if (!json)
        fail_msg("%s: %s", error.text, line);
    return json;
}

static void assert_field(const json_t *json, const char *name, const char *expected)
{
    const char *value = json_string_value(json_object_get(json, name));

    assert_non_null(value);
    assert_string_equal(value, expected);
}

static void test_text(void **state)
{
    const char *line;

    (void)state;
    log_warn("kept %d of %s", 3, "four");
    line = take();
    assert_int_equal(strspn(line, "0123456789-T:."), 23);
    assert_string_equal(line + 23, "Z warn  kept 3 of four\n");
    log_write(LOG_LEVEL_ERROR, &all_fields, "fields are not in the text");
    assert_string_equal(take() + 24, " error fields are not in the text\n");
    log_info("%s", "");
    assert_string_equal(take() + 24, " info  \n");
}

static void test_levels(void **state)
{
    static const enum log_level levels[] = {LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO,
                                            LOG_LEVEL_DEBUG};

    (void)state;
    for (size_t set = 0; set < 4; set++) {
        log_set_level(levels[set]);
        for (size_t i = 0; i < 4; i++) {
            assert_int_equal(log_enabled(levels[i]), i <= set);
            log_write(levels[i], NULL, "x");
            assert_int_equal(take()[0] != '\0', i <= set);
        }
    }
}

static void test_names(void **state)
{
    enum log_format format = LOG_FORMAT_JSON;
    enum log_level level = LOG_LEVEL_WARN;

    (void)state;
    assert_int_equal(log_level_parse("verbose", &level), -EINVAL);
    assert_int_equal(log_level_parse("", &level), -EINVAL);
    assert_int_equal(log_level_parse("Error", &level), -EINVAL);
    assert_int_equal(level, LOG_LEVEL_WARN);
    assert_int_equal(log_level_parse("debug", &level), 0);
    assert_int_equal(level, LOG_LEVEL_DEBUG);
    assert_int_equal(log_level_parse("error", &level), 0);
    assert_int_equal(level, LOG_LEVEL_ERROR);
    assert_int_equal(log_format_parse("xml", &format), -EINVAL);
    assert_int_equal(format, LOG_FORMAT_JSON);
    assert_int_equal(log_format_parse("auto", &format), 0);
    assert_int_equal(format, LOG_FORMAT_AUTO);
    assert_int_equal(log_format_parse("journal", &format), 0);
    assert_int_equal(format, LOG_FORMAT_JOURNAL);
}

static void test_errno_survives(void **state)
{
    (void)state;
    errno = ENOTTY;
    log_info("one");
    assert_int_equal(errno, ENOTTY);
    log_debug("two");
    assert_int_equal(errno, ENOTTY);
}

static void test_control_characters(void **state)
{
    (void)state;
    log_info("a\nb\r\t\x1b[31m\x7f\x01");
    assert_string_equal(take() + 24, " info  a\\nb\\r\\t\\x1b[31m\\x7f\\x01\n");
    log_info("\"quoted\" \\ stays");
    assert_string_equal(take() + 24, " info  \"quoted\" \\ stays\n");
}

static void test_utf8(void **state)
{
    static const struct {
        const char *text, *shown;
    } rows[] = {
        {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"\xc2\xa0\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
         "\xc2\xa0\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
        {"\xc2\x9b"
         "31m",
         "\\xc2\\x9b31m"}, /* C1: a terminal's CSI */
        {"\xff\xfe", "\\xff\\xfe"},
        {"\x80"
         "a",
         "\\x80a"},
        {"\xc3", "\\xc3"},
        {"\xc3(", "\\xc3("},
        {"\xe2\x82", "\\xe2\\x82"},
        {"\xe2\x82x", "\\xe2\\x82x"},
        {"\xf0\x9f\x98", "\\xf0\\x9f\\x98"},
        {"\xc0\xaf", "\\xc0\\xaf"},          /* overlong */
        {"\xe0\x80\xaf", "\\xe0\\x80\\xaf"}, /* overlong */
        {"\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf"},
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},          /* a surrogate */
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}, /* past U+10FFFF */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_t *json;
        const char *line;

        log_set_format(LOG_FORMAT_TEXT);
        log_info("%s", rows[i].text);
        line = take() + strlen("2026-03-14T09:26:53.589Z info  ");
        assert_int_equal(strlen(line), strlen(rows[i].shown) + 1);
        assert_memory_equal(line, rows[i].shown, strlen(rows[i].shown));
        log_set_format(LOG_FORMAT_JSON);
        log_info("%s", rows[i].text);
        json = take_json();
        assert_field(json, "msg", rows[i].shown);
        json_decref(json);
    }
}

/* Cut, but a line, and valid JSON; wherever the cut falls. */
static void test_long_message(void **state)
{
    static char text[20000];

    (void)state;
    for (size_t start = 0; start < 4; start++) {
        json_t *json;

        memset(text, 'x', start);
        for (size_t i = start; i + 2 < sizeof(text); i += 2)
            memcpy(text + i, "\xc3\xa4", 3);
        log_set_format(LOG_FORMAT_JSON);
        log_info("%s", text);
        json = take_json();
        assert_in_range(json_string_length(json_object_get(json, "msg")), 4090, 4096);
        json_decref(json);
        memset(text + start, '"', sizeof(text) - 1 - start);
        log_info("%s", text);
        json_decref(take_json());
        memset(text + start, '\n', sizeof(text) - 1 - start);
        log_set_format(LOG_FORMAT_TEXT);
        log_info("%s", text);
        assert_in_range(strlen(take()), 4000, 4200);
    }
}

static void test_json(void **state)
{
    json_t *json;

    (void)state;
    log_set_format(LOG_FORMAT_JSON);
    log_write(LOG_LEVEL_WARN, &all_fields, "say \"%s\"\n", "\\");
    json = take_json();
    assert_int_equal(json_object_size(json), 8);
    assert_field(json, "level", "warn");
    assert_field(json, "msg", "say \"\\\"\\n");
    assert_field(json, "service", all_fields.service);
    assert_field(json, "target", all_fields.target);
    assert_field(json, "key", all_fields.key);
    assert_field(json, "result", "timeout");
    assert_field(json, "message_id", MESSAGE_ID_TARGET_DOWN);
    assert_int_equal(json_string_length(json_object_get(json, "time")), 24);
    json_decref(json);
    log_info("plain");
    json = take_json();
    assert_int_equal(json_object_size(json), 3);
    json_decref(json);
}

/* Whether the native protocol was chosen shows only in that nothing is on stderr; and only where
 * there is a journal. Elsewhere the line is text rather than lost. */
static bool has_journal(void)
{
    return access("/run/systemd/journal/socket", F_OK) == 0;
}

static void set_journal_stream(unsigned long long dev, unsigned long long ino)
{
    char text[64];

    (void)snprintf(text, sizeof(text), "%llu:%llu", dev, ino);
    assert_int_equal(setenv("JOURNAL_STREAM", text, 1), 0);
    log_set_format(LOG_FORMAT_AUTO);
    log_debug("never written");
}

static void test_journal_stream(void **state)
{
    struct stat st;

    (void)state;
    assert_int_equal(fstat(STDERR_FILENO, &st), 0);
    log_set_format(LOG_FORMAT_AUTO);
    log_info("no variable");
    assert_non_null(strstr(take(), " info  no variable\n"));
    set_journal_stream(st.st_dev, st.st_ino + 1);
    log_info("another file");
    assert_non_null(strstr(take(), " info  another file\n"));
    set_journal_stream(st.st_dev + 1, st.st_ino);
    log_info("another device");
    assert_non_null(strstr(take(), " info  another device\n"));
    assert_int_equal(setenv("JOURNAL_STREAM", "rubbish", 1), 0);
    log_set_format(LOG_FORMAT_AUTO);
    log_info("rubbish");
    assert_non_null(strstr(take(), " info  rubbish\n"));
    set_journal_stream(st.st_dev, st.st_ino);
    log_info("contraced's test of its log");
    assert_int_equal(take()[0] == '\0', has_journal());
}

static void test_no_journal(void **state)
{
    (void)state;
    if (has_journal())
        skip();
    log_set_format(LOG_FORMAT_JOURNAL);
    log_write(LOG_LEVEL_WARN, &all_fields, "not lost");
    assert_non_null(strstr(take(), " warn  not lost\n"));
}

static char sunk[256];
static enum log_level sunk_level;

static void sink(void *userdata, enum log_level level, const struct log_fields *fields,
                 const char *message)
{
    assert_ptr_equal(userdata, &sunk_level);
    assert_non_null(fields);
    (void)snprintf(sunk, sizeof(sunk), "%s|%s", fields->service ? fields->service : "", message);
    sunk_level = level;
}

static void test_sink(void **state)
{
    (void)state;
    log_set_sink(sink, &sunk_level);
    log_error("one\n");
    assert_string_equal(sunk, "|one\\n");
    assert_int_equal(sunk_level, LOG_LEVEL_ERROR);
    log_write(LOG_LEVEL_INFO, &all_fields, "two");
    assert_string_equal(sunk, "check\"out|two");
    log_debug("below the level");
    assert_string_equal(sunk, "check\"out|two");
    assert_string_equal(take(), "");
    log_set_sink(NULL, NULL);
    log_info("three");
    assert_non_null(strstr(take(), "three"));
}

static void test_no_memory(void **state)
{
    json_t *json;

    (void)state;
    allocations_fail_at = allocations_made = 0;
    allocations_failing = true;
    log_write(LOG_LEVEL_WARN, &all_fields, "kept %d of %s", 3, "four\n");
    allocations_failing = false;
    assert_string_equal(take() + 24, " warn  kept 3 of four\\n\n");
    log_set_format(LOG_FORMAT_JSON);
    allocations_failing = true;
    log_write(LOG_LEVEL_WARN, &all_fields, "kept %d of %s", 3, "four");
    allocations_failing = false;
    json = take_json();
    assert_field(json, "msg", "kept 3 of four");
    assert_field(json, "key", all_fields.key);
    json_decref(json);
    assert_int_equal(allocations_made, 0);
}

/* What a full disk has cut is a line of its own. */
static void test_cut_line(void **state)
{
    struct rlimit limit, small;
    const char *line;

    (void)state;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small = limit;
    small.rlim_cur = 40;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    log_info("this one is cut");
    log_info("this one is lost");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    log_info("this one is whole");
    log_info("and this one");
    line = strchr(take(), '\n') + 1;
    assert_true(strncmp(written + 24, " info  this one", 15) == 0 && line - written == 41);
    assert_true(strncmp(line + 24, " info  this one is whole\n", 25) == 0);
    line = strchr(line, '\n') + 1;
    assert_string_equal(line + 24, " info  and this one\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_text, setup, teardown),
        cmocka_unit_test_setup_teardown(test_levels, setup, teardown),
        cmocka_unit_test_setup_teardown(test_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_errno_survives, setup, teardown),
        cmocka_unit_test_setup_teardown(test_control_characters, setup, teardown),
        cmocka_unit_test_setup_teardown(test_utf8, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_message, setup, teardown),
        cmocka_unit_test_setup_teardown(test_json, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cut_line, setup, teardown),
        cmocka_unit_test_setup_teardown(test_journal_stream, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_journal, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sink, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
