/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "daemon/capture/agenda.h"
#include "daemon/capture/schedule.h"
#include "daemon/capture/turns.h"

static void take(struct turns *t, unsigned max, enum turn expected)
{
    enum turn turn;

    assert_true(turns_next(t, max, &turn));
    assert_int_equal(turn, expected);
    turns_take(t, turn);
}

static void test_order(void **state)
{
    struct turns t = {.waiting = {2, 2, 3}};
    enum turn turn;

    (void)state;
    take(&t, 8, TURN_WELL);
    take(&t, 8, TURN_WELL);
    take(&t, 8, TURN_NEW);
    take(&t, 8, TURN_NEW);
    take(&t, 8, TURN_ILL);
    take(&t, 8, TURN_ILL);
    assert_false(turns_next(&t, 8, &turn)); /* two of eight places are theirs */
    t.waiting[TURN_WELL] = 5;
    take(&t, 8, TURN_WELL);
    take(&t, 8, TURN_WELL);
    assert_false(turns_next(&t, 8, &turn));
    t.flying[TURN_WELL]--;
    take(&t, 8, TURN_WELL);
}

/* Whoever has a single place shares it, too. */
static void test_one_place(void **state)
{
    struct turns t = {.waiting = {100, 100, 100}};
    unsigned had[TURNS] = {0};

    (void)state;
    for (int i = 0; i < 64; i++) {
        enum turn turn;

        assert_true(turns_next(&t, 1, &turn));
        turns_take(&t, turn);
        t.flying[turn]--;
        had[turn]++;
    }
    assert_true(had[TURN_WELL] >= 32);
    assert_true(had[TURN_NEW] >= 8);
    assert_true(had[TURN_ILL] >= 3);
}

static void test_nobody(void **state)
{
    struct turns t = {0};
    enum turn turn;

    (void)state;
    assert_false(turns_next(&t, 64, &turn));
    t.waiting[TURN_NEW] = 1;
    assert_false(turns_next(&t, 0, &turn));
    take(&t, 1, TURN_NEW);
}

/*
 * Hours of a fleet in numbers: the schedule, the turns and the back-off as the daemon uses them,
 * with captures that take the time they take.
 */
#define LIVE 100
#define ALL 3100
#define PLACES 64
#define INTERVAL (300 * USEC_PER_SEC)

struct patient {
    struct lane lane; /* first: the agenda's */
    bool dead, waits;
    usec ends;  /* 0: not under way */
    usec asked; /* when it was due */
    enum turn turn;
};

struct fleet {
    struct patient *all;
    size_t order[ALL]; /* those that wait, as they came */
    size_t n_waiting;
    struct agenda agenda;
    struct turns turns;
    usec latest; /* that a live one waited, after it was captured once */
    usec first;  /* that a live one waited for its first */
    usec revived;
    unsigned captures, tries_of_dead;
};

static void plan(struct fleet *f, struct patient *p, usec now)
{
    struct lane *l = &p->lane;
    usec wait = schedule_backoff(l->failures, INTERVAL), from = l->last_start + wait - INTERVAL / 2;

    if (wait > INTERVAL)
        agenda_set(&f->agenda, l, schedule_next(&l->schedule, 0, from > now ? from : now));
}

static void on_due(struct fleet *f, struct patient *p, usec now)
{
    agenda_set(&f->agenda, &p->lane, schedule_next(&p->lane.schedule, p->lane.last_start, now));
    if (p->waits || p->ends)
        return;
    p->turn = p->lane.last_start == 0 ? TURN_NEW : p->lane.failures ? TURN_ILL : TURN_WELL;
    p->waits = true;
    p->asked = now;
    f->turns.waiting[p->turn]++;
    f->order[f->n_waiting++] = (size_t)(p - f->all);
}

/* With the default settings: five seconds for a connection, seventeen for an answer. */
static usec time_of(const struct patient *p, ptrdiff_t i)
{
    return (!p->dead ? 2 : i % 2 ? 5 : 17) * USEC_PER_SEC;
}

static void start(struct fleet *f, enum turn turn, usec now)
{
    for (size_t i = 0; i < f->n_waiting; i++) {
        struct patient *p = &f->all[f->order[i]];

        if (p->turn != turn)
            continue;
        memmove(f->order + i, f->order + i + 1, (--f->n_waiting - i) * sizeof(f->order[0]));
        turns_take(&f->turns, turn);
        p->waits = false;
        if (!p->dead && turn == TURN_WELL && now - p->asked > f->latest)
            f->latest = now - p->asked;
        if (!p->dead && turn == TURN_NEW && now - p->asked > f->first)
            f->first = now - p->asked;
        p->lane.last_start = now;
        p->ends = now + time_of(p, p - f->all);
        return;
    }
    fail();
}

static void finish(struct fleet *f, struct patient *p, usec now)
{
    f->turns.flying[p->turn]--;
    p->ends = 0;
    f->captures += !p->dead;
    f->tries_of_dead += p->dead;
    p->lane.failures = p->dead ? p->lane.failures + 1 : 0;
    if (p->dead)
        plan(f, p, now);
    else if (f->revived == 0 && p == f->all + LIVE)
        f->revived = now;
}

static void set_up(struct fleet *f)
{
    f->all = calloc(ALL, sizeof(*f->all));
    assert_non_null(f->all);
    agenda_init(&f->agenda);
    assert_int_equal(agenda_reserve(&f->agenda, ALL), 0);
    for (size_t i = 0; i < ALL; i++) {
        struct patient *p = &f->all[i];

        p->dead = i >= LIVE;
        schedule_init(&p->lane.schedule, (i + 1) * 0x9e3779b97f4a7c15ULL, INTERVAL,
                      7300 * USEC_PER_DAY, 10 * USEC_PER_DAY);
        /* Dead and live ones are mixed, as names are. */
        agenda_set(&f->agenda, &p->lane,
                   schedule_first(i * 1009 % ALL, ALL, INTERVAL, 10 * USEC_PER_DAY));
    }
}

static void run(struct fleet *f, usec from, usec until)
{
    for (usec now = from; now < until; now += 100 * USEC_PER_MSEC) {
        struct lane *l;
        enum turn turn;

        for (size_t i = 0; i < ALL; i++)
            if (f->all[i].ends && f->all[i].ends <= now)
                finish(f, &f->all[i], now);
        while ((l = agenda_first(&f->agenda)) && l->due <= now)
            on_due(f, (struct patient *)(void *)l, now);
        while (turns_next(&f->turns, PLACES, &turn))
            start(f, turn, now);
    }
}

/* 3,000 targets that hang, at the connection or after it, are more than 64 places can take. */
static void test_dead_ones_starve_nobody(void **state)
{
    struct fleet f = {0};
    usec begin = 10 * USEC_PER_DAY, part = 3 * USEC_PER_HOUR;

    (void)state;
    set_up(&f);
    run(&f, begin, begin + part);
    /* Until each was tried once nobody knows who is dead. */
    assert_true(f.first < INTERVAL);
    assert_true(f.latest <= USEC_PER_SEC);
    assert_true(f.captures >= LIVE * (part / INTERVAL - 2));
    assert_true(f.tries_of_dead > 3000);
    f.all[LIVE].dead = false;
    run(&f, begin + part, begin + 2 * part);
    print_message("first: at most %llu s late, then %llu ms; revived after %llu s\n",
                  (unsigned long long)(f.first / USEC_PER_SEC),
                  (unsigned long long)(f.latest / USEC_PER_MSEC),
                  (unsigned long long)((f.revived - begin - part) / USEC_PER_SEC));
    assert_true(f.revived > 0 && f.revived - begin - part < 45 * USEC_PER_MIN);
    agenda_done(&f.agenda);
    free(f.all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_one_place),
        cmocka_unit_test(test_nobody),
        cmocka_unit_test(test_dead_ones_starve_nobody),
    };

    return cmocka_run_group_tests_name("turns", tests, NULL, NULL);
}
