/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/parts.h"

/* Three parts that write down what they are asked for, of which one may fail. */

struct daemon {
    char story[512];
    const char *failing; /* the word at which it fails; or NULL */
    bool busy;
};

struct config {
    const char *name;
};

static int tell(struct daemon *d, const char *what, const struct config *c)
{
    size_t n = strlen(d->story);

    (void)snprintf(d->story + n, sizeof(d->story) - n, "%s%s%s ", what, c ? "=" : "",
                   c ? c->name : "");
    return d->failing && strcmp(d->failing, what) == 0 ? -EIO : 0;
}

#define PART(p)                                                   \
    static int p##_new(struct daemon *d)                          \
    {                                                             \
        return tell(d, "new-" #p, NULL);                          \
    }                                                             \
    static int p##_set(struct daemon *d, const struct config *c)  \
    {                                                             \
        return tell(d, "set-" #p, c);                             \
    }                                                             \
    static void p##_use(struct daemon *d, const struct config *c) \
    {                                                             \
        (void)tell(d, "use-" #p, c);                              \
    }                                                             \
    static void p##_drain(struct daemon *d)                       \
    {                                                             \
        (void)tell(d, "drain-" #p, NULL);                         \
    }                                                             \
    static void p##_cut(struct daemon *d)                         \
    {                                                             \
        (void)tell(d, "cut-" #p, NULL);                           \
    }                                                             \
    static void p##_free(struct daemon *d)                        \
    {                                                             \
        (void)tell(d, "free-" #p, NULL);                          \
    }

PART(a)
PART(b)
PART(c)

static bool is_idle(const struct daemon *d)
{
    return !d->busy;
}

static const struct part rows[] = {
    {"a", a_new, a_set, a_use, a_drain, a_cut, is_idle, a_free, false},
    {"b", b_new, b_set, b_use, b_drain, b_cut, NULL, b_free, false},
    {.name = "nothing"},
    {"c", c_new, c_set, c_use, c_drain, c_cut, is_idle, c_free, true},
};
static const struct part_table table = {rows, 4};

static const struct config one = {"1"}, two = {"2"};

static void expect(struct daemon *d, const char *story)
{
    assert_string_equal(d->story, story);
    d->story[0] = '\0';
}

static void test_order(void **state)
{
    struct daemon d = {0};

    (void)state;
    assert_int_equal(part_table_new(&table, &d), 0);
    expect(&d, "new-a new-b new-c ");
    assert_int_equal(part_table_set(&table, &d, &one, NULL), 0);
    part_table_use(&table, &d, &one);
    expect(&d, "set-a=1 set-b=1 set-c=1 use-a=1 use-b=1 use-c=1 ");
    part_table_cut(&table, &d);
    part_table_free(&table, &d);
    expect(&d, "cut-c cut-b cut-a free-c free-b free-a ");
}

/* Whoever failed left nothing; those before it go, in reverse. */
static void test_new_fails(void **state)
{
    struct daemon d = {.failing = "new-c"};

    (void)state;
    assert_int_equal(part_table_new(&table, &d), -EIO);
    expect(&d, "new-a new-b new-c free-b free-a ");
    d.failing = "new-a";
    assert_int_equal(part_table_new(&table, &d), -EIO);
    expect(&d, "new-a ");
}

static void test_set_fails(void **state)
{
    struct daemon d = {.failing = "set-c"};

    (void)state;
    assert_int_equal(part_table_set(&table, &d, &two, &one), -EIO);
    expect(&d, "set-a=2 set-b=2 set-c=2 set-a=1 set-b=1 set-c=1 ");
    assert_int_equal(part_table_set(&table, &d, &one, NULL), -EIO); /* at the start */
    expect(&d, "set-a=1 set-b=1 set-c=1 ");
}

/* The last ones serve while others have something in flight. */
static void test_end(void **state)
{
    struct daemon d = {.busy = true};

    (void)state;
    part_table_drain(&table, &d);
    expect(&d, "drain-b drain-a ");
    assert_false(part_table_ended(&table, &d));
    expect(&d, "");
    d.busy = false;
    assert_true(part_table_ended(&table, &d));
    expect(&d, "drain-c ");
}

/* Of contraced's own table. */
static size_t place(const char *name)
{
    for (size_t i = 0; i < parts.n; i++) {
        if (strcmp(parts.rows[i].name, name) == 0)
            return i;
    }
    fail_msg("there is no part %s", name);
    return 0;
}

/* What the comment above the table says. */
static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < parts.n; i++)
        assert_int_equal(place(parts.rows[i].name), i); /* no name twice */
    assert_true(place("signals") < place("disk"));
    assert_true(place("confinement") < place("disk"));
    assert_true(place("spool") < place("uploader"));
    assert_true(place("uploader") < place("labelling"));
    assert_true(place("labelling") < place("pipeline"));
    assert_true(place("pipeline") < place("timetable"));
    assert_true(place("discovery") < place("targets"));
    assert_true(place("targets") < place("timetable"));
    for (size_t i = 0; i < parts.n; i++)
        assert_int_equal(parts.rows[i].last, i == place("rows") || i == place("admin"));
}

/* What can be in flight can be waited for, and cut. */
static void test_ends(void **state)
{
    (void)state;
    for (size_t i = 0; i < parts.n; i++) {
        const struct part *p = &parts.rows[i];

        assert_true(!p->cut || (p->drain && p->idle));
        assert_true(!p->idle || p->free);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),     cmocka_unit_test(test_new_fails),
        cmocka_unit_test(test_set_fails), cmocka_unit_test(test_end),
        cmocka_unit_test(test_table),     cmocka_unit_test(test_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
