/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/explain/steps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cli/read/summary.h"

#define WORD_MAX 16384 /* a path of which every byte is quoted */

/* The command that shows the call sites behind a label. */
static const struct {
    const char *label;
    const char *command; /* before the file's name */
    const char *behind;
    const char *text;
} shown[] = {
    {"lock-contention", "blockers", NULL, "who kept them waiting"},
    {"blocked-in-request", "blockers", NULL, "who kept them waiting"},
    {"thundering-herd", "pprof --sync -o sync.pb.gz", "go tool pprof -http=: sync.pb.gz",
     "all waits, by stack"},
    {"network-bound", "pprof --net -o net.pb.gz", "go tool pprof -http=: net.pb.gz",
     "all waits for the network, by stack"},
    {"retry-storm", "pprof --net -o net.pb.gz", "go tool pprof -http=: net.pb.gz",
     "all waits for the network, by stack"},
    {"slow-syscalls", "pprof --syscall -o syscall.pb.gz", "go tool pprof -http=: syscall.pb.gz",
     "all system calls, by stack"},
    {"syscall-storm", "pprof --syscall -o syscall.pb.gz", "go tool pprof -http=: syscall.pb.gz",
     "all system calls, by stack"},
    {"stuck-proc", "pprof --syscall -o syscall.pb.gz", "go tool pprof -http=: syscall.pb.gz",
     "all system calls, by stack"},
    {"goroutine-leak", "goroutines", NULL, "who began them, and what they wait for"},
    {"deadlock", "goroutines", NULL, "who waits, and for what"},
    {"gc-pressure", "goroutines", NULL, "who runs, and who assists the collector"},
    {"cpu-saturated", "goroutines", NULL, "who uses the Ps"},
    {"cpu-throttled", "goroutines", NULL, "who uses the Ps"},
    {"busy-polling", "goroutines", NULL, "who uses the Ps"},
    {"timer-load", "goroutines", NULL, "who uses the Ps"},
    {"scheduler-imbalance", "pprof --sched -o sched.pb.gz", "go tool pprof -http=: sched.pb.gz",
     "all waits for a P, by stack"},
};

/* Appends a word so that a shell takes it as it is, and not for an option. */
static void add_word(struct buf *out, const char *word)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "/._-+:@%,=";

    if (*word == '-' && word[1])
        (void)buf_adds(out, "./");
    if (*word && strspn(word, safe) == strlen(word)) {
        (void)buf_adds(out, word);
        return;
    }
    (void)buf_adds(out, "'");
    for (; *word; word++) {
        if (*word == '\'')
            (void)buf_adds(out, "'\\''");
        else
            (void)buf_add(out, word, 1);
    }
    (void)buf_adds(out, "'");
}

/* `command`, a file's name if there is one, and what stands behind it. 0 or -ENOMEM. */
static int add(struct steps *steps, const char *text, const char *command, const char *file,
               const char *behind)
{
    struct buf words;
    char *copy = NULL;

    if (steps->n == STEPS_MAX)
        return 0;
    if (command) {
        buf_init(&words, WORD_MAX);
        (void)buf_addf(&words, "contrace %s", command);
        if (file)
            (void)buf_adds(&words, " ");
        if (file)
            add_word(&words, file);
        if (behind)
            (void)buf_addf(&words, " && %s", behind);
        copy = buf_error(&words) == 0 ? strdup(buf_str(&words)) : NULL;
        buf_done(&words);
        if (!copy)
            return -ENOMEM;
    }
    steps->list[steps->n++] = (struct step){.command = copy, .text = text};
    return 0;
}

/* Why there is no label decides what helps. */
static int add_uninspected(const struct findings *f, struct steps *steps)
{
    if (strcmp(f->not_inspected, "too-short") != 0)
        return 0;
    return add(steps,
               "Take a longer trace: `contrace capture --seconds=5`, or `seconds` of the job.",
               NULL, NULL, NULL);
}

static int add_shown(const char *label, const char *file, struct steps *steps)
{
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
        if (strcmp(label, shown[i].label) == 0)
            return add(steps, shown[i].text, shown[i].command, file, shown[i].behind);
    return 0;
}

/* Those that need more than the file: who else, since when, what else was taken at that moment. */
static int add_kept(const struct subject *s, const struct findings *f, struct steps *steps)
{
    const char *incident = json_string_value(json_object_get(s->record, "incident"));
    char list[2 * NAME_PART_MAX + 160], pull[NAME_KEY_MAX + 32];
    int r = 0;

    if (!*s->name.service)
        return 0;
    if (incident && name_is_stem(incident)) {
        (void)snprintf(pull, sizeof(pull), "pull --incident=%s", incident);
        r = add(steps, "all that was kept of the incident", pull, NULL, NULL);
    }
    (void)snprintf(list, sizeof(list), "list --service=%s --label=%s --since=1d", s->name.service,
                   f->label);
    if (r == 0 && f->n > 0 && f->list[0].score > 0)
        r = add(steps, "where else, and since when", list, NULL, NULL);
    else if (r == 0)
        r = add(steps, "traces of worse moments", "list --label='*-*' --since=1d", NULL, NULL);
    return r;
}

int steps_find(const struct subject *s, const struct summary *summary, const struct findings *f,
               struct steps *ret)
{
    const char *file = strcmp(s->path, "-") == 0 ? "FILE" : s->path;
    struct steps steps = {.n = 0};
    int r = 0;

    if (f->not_inspected)
        r = add_uninspected(f, &steps);
    else if (f->n > 0 && f->list[0].score > 0)
        r = add(&steps, f->list[0].next, NULL, NULL, NULL);
    else if (summary_requests_wait(summary))
        r = add(&steps, "who keeps these requests waiting", "blockers", file, NULL);
    if (r == 0)
        r = add(&steps, "all numbers, and whole stacks", "summary --stacks", file, NULL);
    if (r == 0 && !summary->complete)
        r = add(&steps, "where the file is damaged", "verify", file, NULL);
    if (r == 0)
        r = add_shown(f->label, file, &steps);
    if (r == 0 && summary->slowest[SUMMARY_SLOW_TASKS].n > 0)
        r = add(&steps, "the slowest tasks, as trees", "tasks", file, NULL);
    if (r == 0)
        r = add_kept(s, f, &steps);
    if (r < 0)
        steps_done(&steps);
    else
        *ret = steps;
    return r;
}

void steps_done(struct steps *steps)
{
    for (size_t i = 0; i < steps->n; i++)
        free(steps->list[i].command);
    steps->n = 0;
}
