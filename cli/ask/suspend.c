/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/jsonwriter.h"
#include "cli/ask/call.h"
#include "cli/ask/fields.h"
#include "cli/common/command.h"
#include "cli/common/screen.h"

static const char suspend_intro[] =
    "Usage: contrace suspend [OPTIONS]\n"
    "Stops captures by the schedule, until 'contrace resume', SIGUSR2 or a restart of contraced.\n"
    "Captures that somebody asks for still work.\n";

static const char resume_intro[] =
    "Usage: contrace resume [OPTIONS]\n"
    "Goes on with captures by the schedule, and says what else holds them: the flag file, CPU\n"
    "pressure.\n";

struct suspend_arguments {
    const char *reason;
    bool json;
};

#define FIELD(name) offsetof(struct suspend_arguments, name)

static const struct argument suspend_rows[] = {
    {"reason", 0, "TEXT", "shown by 'contrace status'", argument_text, FIELD(reason)},
    {"json", 0, NULL, "contraced's answer", argument_flag, FIELD(json)},
};

static const struct argument resume_rows[] = {
    {"json", 0, NULL, "contraced's answer", argument_flag, FIELD(json)},
};

/* No advice for a suspension that an operator ordered. */
static const char *advice(const char *cause)
{
    if (strcmp(cause, "flag_file") == 0)
        return "; remove the file";
    return strcmp(cause, "cpu_pressure") == 0 ? "; it ends by itself" : "";
}

/* Prints each cause in the answer of GET /api/v1/status, with its advice. */
static void print_causes(const json_t *status, bool resuming)
{
    const json_t *causes = json_object_get(json_object_get(status, "suspended"), "causes"), *one;
    size_t i;

    (void)puts(json_array_size(causes) == 0 ? "not suspended"
               : resuming                   ? "still suspended:"
                                            : "suspended:");
    json_array_foreach(causes, i, one) {
        char cause[FIELD_SIZE], text[FIELD_SIZE];

        (void)field_text(one, "cause", cause);
        (void)field_text(one, "text", text);
        (void)printf("  by %s%s%s%s\n", cause, *text ? ": " : "", text, advice(cause));
    }
}

static int request_of(const struct suspend_arguments *a, struct buf *out)
{
    struct jsonwriter w;
    int r;

    jsonwriter_init(&w, out, (struct jsonwriter_style){.digits = 17});
    jsonwriter_object(&w, NULL);
    if (a->reason)
        jsonwriter_text(&w, "reason", a->reason);
    jsonwriter_end(&w);
    r = jsonwriter_finish(&w);
    if (r < 0)
        complain("%s", r == -E2BIG ? "the reason is too long" : "not enough memory");
    return r;
}

static int ask(struct endpoint *e, bool resume, const struct suspend_arguments *a)
{
    json_t *answer = NULL, *status = NULL;
    struct buf body;
    int r;

    buf_init(&body, CALL_BODY_MAX);
    r = request_of(a, &body);
    if (r == 0)
        r = call_ask(e, "POST", resume ? "/api/v1/resume" : "/api/v1/suspend",
                     a->reason ? &body : NULL, &answer);
    buf_done(&body);
    if (r == 0 && a->json) {
        r = field_print(answer);
    } else if (r == 0 && !field_bool(answer, "suspended")) {
        (void)puts("resumed");
    } else if (r == 0) {
        r = call_ask(e, "GET", "/api/v1/status", NULL, &status);
        if (r == 0)
            print_causes(status, resume);
    }
    json_decref(answer);
    json_decref(status);
    return r < 0 ? r : screen_finish();
}

static int run(bool resume, int argc, char **argv)
{
    struct endpoint_arguments where = {0};
    struct suspend_arguments a = {0};
    const struct argument_group suspend_groups[] = {GROUP(suspend_rows, &a),
                                                    GROUP(endpoint_rows, &where)};
    const struct argument_group resume_groups[] = {GROUP(resume_rows, &a),
                                                   GROUP(endpoint_rows, &where)};
    struct endpoint e;
    int rest, r = arguments_parse(argc, argv, resume ? resume_groups : suspend_groups, 2,
                                  resume ? resume_intro : suspend_intro, &rest);

    if (r != 0)
        return r < 0 ? STATUS_USAGE : STATUS_OK;
    if (rest < argc) {
        complain("%s: '%s' is not an option; all targets are meant", argv[0], argv[rest]);
        return STATUS_USAGE;
    }
    r = endpoint_open(&e, &where);
    if (r == 0) {
        r = ask(&e, resume, &a);
        endpoint_close(&e);
    }
    return command_exit(r);
}

int command_suspend(int argc, char **argv)
{
    return run(false, argc, argv);
}

int command_resume(int argc, char **argv)
{
    return run(true, argc, argv);
}
