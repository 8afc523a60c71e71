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

#include "base/log.h"
#include "daemon/watch/triggers.h"
#include "tests/support/text.h"
#include "trace/findings/code.h"

#define MANY 1000

struct world {
    sd_event *event;
    struct config *config;
    struct target_config items[MANY];
    char addresses[MANY][24];
    struct target_list list;
    struct targets *targets;
    struct triggers *triggers;
    size_t room, all;
    enum triggers_answer answer;
    size_t ordered;
    size_t refused_said;
};

static void on_order(void *userdata, const struct triggers_fire *fire, struct triggers_reply *ret)
{
    struct world *w = userdata;

    assert_non_null(fire->target);
    assert_string_equal(fire->rule->name, "went-bad");
    if (w->room == 0) {
        *ret = (struct triggers_reply){TRIGGERS_REFUSED, "max_traced", USEC_PER_HOUR, "no room"};
        return;
    }
    w->room--;
    w->ordered++;
    ret->answer = w->answer;
}

static size_t on_room(void *userdata, size_t *ret_all)
{
    const struct world *w = userdata;

    *ret_all = w->all;
    return w->room;
}

static bool on_under_way(void *userdata, const struct target *target)
{
    (void)userdata;
    (void)target;
    return false;
}

static const struct triggers_calls calls = {on_order, on_room, on_under_way};

static void sink(void *userdata, enum log_level level, const struct log_fields *fields,
                 const char *message)
{
    struct world *w = userdata;

    (void)level;
    (void)fields;
    w->refused_said += strstr(message, "it makes no incident") != NULL;
}

static struct config *parse(const char *text)
{
    struct diags diags = {0};
    char path[] = "/tmp/contrace-triggers-XXXXXX";
    struct config *c = NULL;
    int fd = mkstemp(path);
    FILE *f = fdopen(fd, "w");

    assert_non_null(f);
    (void)fputs("scrape_configs: [{job_name: web, static_configs: [{targets: [\"h:1\"]}]}]\n", f);
    (void)fputs(text, f);
    (void)fclose(f);
    if (config_load(path, &c, &diags) < 0) {
        diags_print(&diags, stderr);
        fail();
    }
    diags_done(&diags);
    (void)unlink(path);
    return c;
}

/* `n` targets of the only job. */
static void update(struct world *w, size_t n)
{
    const struct target_list *lists[] = {&w->list};
    struct targets_change change;

    w->list.n = n;
    assert_int_equal(
        targets_update(w->targets, w->config, lists, clock_real(), clock_boot(), &change), 0);
}

static const char went_bad[] =
    "trigger_configs: [{name: went-bad, label: [deadlock], cooldown: 1h}]\n";

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    assert_true(sd_event_new(&w->event) >= 0);
    w->config = parse(went_bad);
    for (size_t i = 0; i < MANY; i++) {
        (void)snprintf(w->addresses[i], sizeof(w->addresses[i]), "127.0.%zu.%zu:1", i / 200,
                       i % 200 + 1);
        w->items[i].address = w->addresses[i];
        w->items[i].parsed = (struct address){.host = w->addresses[i], .port = 1};
    }
    w->list.items = w->items;
    w->targets = targets_new("host");
    assert_non_null(w->targets);
    w->answer = TRIGGERS_TAKEN;
    w->room = w->all = 6;
    assert_int_equal(triggers_new(w->event, "test", w->targets, &calls, w, &w->triggers), 0);
    log_set_sink(sink, w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    log_set_sink(NULL, NULL);
    triggers_free(w->triggers);
    targets_free(w->targets);
    config_free(w->config);
    sd_event_unref(w->event);
    free(w);
    return 0;
}

static void inspected(struct world *w, size_t i, const char *label)
{
    triggers_inspected(w->triggers, targets_at(w->targets, i), label, NULL);
}

/* The rule's numbers. */
static const struct tally_rule *numbers(struct world *w)
{
    struct triggers_stats stats;

    triggers_stats(w->triggers, &stats);
    assert_string_equal(stats.rules->rules[0].name, "went-bad");
    return &stats.rules->rules[0];
}

static void test_a_thousand_at_once(void **state)
{
    struct world *w = *state;

    update(w, MANY);
    assert_int_equal(triggers_set(w->triggers, w->config), 0);
    for (size_t i = 0; i < MANY; i++) {
        inspected(w, i, "healthy");
        inspected(w, i, "deadlock");
    }
    assert_int_equal(w->ordered, 3); /* the others are gathered: the worst have what is left */
    assert_int_equal(numbers(w)->fired, MANY);
    assert_int_equal(numbers(w)->targets, MANY);
    triggers_stop(w->triggers);
    inspected(w, 0, "deadlock");
    assert_int_equal(numbers(w)->fired, MANY);
}

static void test_a_refusal_is_said_once(void **state)
{
    struct world *w = *state;

    w->room = 0;
    update(w, 100);
    assert_int_equal(triggers_set(w->triggers, w->config), 0);
    for (size_t i = 0; i < 100; i++)
        inspected(w, i, "deadlock");
    assert_int_equal(w->refused_said, 1);
    assert_int_equal(numbers(w)->refused, 100);
    assert_int_equal(numbers(w)->taken, 0);
}

struct seen {
    size_t n;
    const char *state;
    uint64_t fires;
};

static bool on_row(void *userdata, const struct triggers_row *row)
{
    struct seen *seen = userdata;

    assert_null(row->page);
    if (seen->n++ == 0) {
        seen->state = row->state;
        seen->fires = row->view.fires;
    }
    return true;
}

static struct seen look(const struct world *w)
{
    struct seen seen = {0};

    triggers_each(w->triggers, on_row, &seen);
    return seen;
}

/* What a rule knows stays while neither it nor the target changes. */
static void test_reloads(void **state)
{
    struct world *w = *state;
    struct config *old;

    update(w, 2);
    assert_int_equal(triggers_set(w->triggers, w->config), 0);
    assert_string_equal(look(w).state, "waiting");
    inspected(w, 0, "deadlock");
    assert_int_equal(look(w).fires, 1);
    old = w->config;
    w->config = parse(went_bad);
    update(w, 3);
    assert_int_equal(triggers_set(w->triggers, w->config), 0);
    config_free(old);
    assert_int_equal(look(w).fires, 1);
    assert_int_equal(look(w).n, 3);
    update(w, 1); /* as by discovery */
    assert_int_equal(triggers_update(w->triggers), 0);
    assert_int_equal(look(w).n, 1);
    assert_int_equal(look(w).fires, 1);
    old = w->config;
    w->config = parse("trigger_configs: [{name: went-bad, label: [deadlock], cooldown: 2h}]\n");
    assert_int_equal(triggers_set(w->triggers, w->config), 0);
    config_free(old);
    assert_int_equal(look(w).fires, 0); /* another rule */
    old = w->config;
    w->config = parse("");
    assert_int_equal(triggers_set(w->triggers, w->config), 0);
    config_free(old);
    assert_int_equal(look(w).n, 0);
    inspected(w, 0, "deadlock");
    assert_int_equal(w->ordered, 1);
    assert_int_equal(numbers(w)->taken, 1); /* they never fall */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_thousand_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_refusal_is_said_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reloads, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
