/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Whatever a service serves as its metrics, whole and in pieces: the same is said of it, and rules
 * that read it twice, each page a quarter of a minute after the other, stay within what they may
 * take and tell no share above one.
 */

#include <string.h>

#include "daemon/trigger/rule/rulebook.h"
#include "daemon/trigger/rule/rulestate.h"
#include "tests/fuzz/fuzz.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define INTERVAL (15 * USEC_PER_SEC)

static char path[] = "/metrics";

#define RULE(...)                 \
    {.name = path,                \
     .metrics = {path, INTERVAL}, \
     .limit = 2,                  \
     .polls = 1,                  \
     .min_count = 1,              \
     .cooldown = INTERVAL,        \
     __VA_ARGS__}

static struct label match[] = {{(char[]){"code"}, (char[]){"200"}}};

static const struct trigger_config rules[] = {
    RULE(.measure = TRIGGER_HISTOGRAM, .of = {(char[]){"go_sched_latencies_seconds"}},
         .bound = 0.01),
    RULE(.measure = TRIGGER_HISTOGRAM, .of = {(char[]){"h"}}, .bound = 0.001),
    RULE(.measure = TRIGGER_HISTOGRAM, .of = {(char[]){"h"}}, .bound = 2, .match = match,
         .n_match = 1),
    RULE(.measure = TRIGGER_RATE, .of = {(char[]){"c_total"}}),
    RULE(.measure = TRIGGER_RATE, .of = {(char[]){"go_gc_duration_seconds_sum"}},
         .test = TRIGGER_TIMES_BASELINE),
    RULE(.measure = TRIGGER_GAUGE, .of = {(char[]){"go_goroutines"}}, .test = TRIGGER_GROWTH,
         .over = 30 * USEC_PER_MIN),
    RULE(.measure = TRIGGER_GAUGE, .of = {(char[]){"memstats.HeapAlloc"}}, .test = TRIGGER_BELOW),
    RULE(.measure = TRIGGER_RATIO, .of = {(char[]){"c_total"}, (char[]){"go_goroutines"}},
         .of_rate = {true, false}),
};

/* Reads the bytes in pieces. Both end alike, however long the pieces are. */
static int read_page(const struct rulebook *book, const uint8_t *data, size_t size, size_t step,
                     struct rulebook_page **ret, struct scrape_verdict *verdict)
{
    struct scrape *s;
    int r;

    CHECK(rulebook_page_new(book, ret) == 0);
    CHECK(scrape_new(rulebook_names(book), rulebook_sample, *ret, &s) == 0);
    for (size_t at = 0; at < size; at += step)
        (void)scrape_feed(s, data + at, size - at < step ? size - at : step);
    r = scrape_finish(s, verdict);
    scrape_free(s);
    CHECK(memchr(verdict->error, '\0', sizeof(verdict->error)));
    CHECK((r < 0) == (verdict->error[0] != '\0'));
    return r;
}

static void check_alike(const struct scrape_verdict *a, const struct scrape_verdict *b)
{
    CHECK(a->expvar == b->expvar && a->samples == b->samples && a->wanted == b->wanted);
    CHECK(a->lines == b->lines && a->bad_line == b->bad_line && a->overlong == b->overlong);
    CHECK(a->duplicates == b->duplicates && a->native == b->native);
    CHECK(strcmp(a->error, b->error) == 0);
}

static void poll(struct rulestate *s, const struct reading *r, usec now)
{
    char text[RULESTATE_TEXT_SIZE];
    struct rulestate_view view;

    (void)rulestate_poll(s, r, now);
    rulestate_look(s, &view);
    CHECK(rulestate_memory(s) <= RULESTATE_MEMORY_MAX);
    CHECK(strlen(rulestate_text(s, text)) < sizeof(text));
    if (r->rule->measure == TRIGGER_HISTOGRAM && view.has_value)
        CHECK(view.value >= 0 && view.value <= 1 && view.edge >= r->rule->bound);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct trigger_config *of[COUNT(rules)];
    struct scrape_verdict whole, pieces;
    struct rulebook_page *pages[2];
    struct rulebook *book;
    size_t half = size / 2;

    for (size_t i = 0; i < COUNT(rules); i++)
        of[i] = &rules[i];
    CHECK(rulebook_new(of, COUNT(rules), &book) == 0);
    (void)read_page(book, data, size, size + 1, &pages[0], &whole);
    (void)read_page(book, data, size, 7, &pages[1], &pieces);
    check_alike(&whole, &pieces);
    rulebook_page_free(pages[0]);
    rulebook_page_free(pages[1]);
    /* Two reads: the first half of the input, and the second. */
    (void)read_page(book, data, half, half + 1, &pages[0], &whole);
    (void)read_page(book, data + half, size - half, size + 1, &pages[1], &whole);
    for (size_t i = 0; i < COUNT(rules); i++) {
        struct rulestate *s;

        CHECK(rulestate_new(&rules[i], USEC_PER_SEC, &s) == 0);
        for (unsigned n = 1; n <= 4; n++)
            poll(s, rulebook_reading(pages[n / 2 % 2], i), n * INTERVAL);
        rulestate_free(s);
    }
    rulebook_page_free(pages[0]);
    rulebook_page_free(pages[1]);
    rulebook_free(book);
    return 0;
}
