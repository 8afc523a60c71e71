/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "trace/summary/ranking.h"
#include "trace/summary/sites.h"

#define MAX 40000

static char strings[16][64];
static struct gotrace_frame frames[MAX];
static uint32_t rows[MAX][3]; /* by handle */
static size_t row_lengths[MAX];

const char *__wrap_gotrace_string(const struct gotrace *trace, uint64_t handle, size_t *ret_len);
const uint32_t *__wrap_gotrace_stack(const struct gotrace *trace, uint32_t handle, size_t *ret_n);
const struct gotrace_frame *__wrap_gotrace_frame(const struct gotrace *trace, uint32_t n);

const char *__wrap_gotrace_string(const struct gotrace *trace, uint64_t handle, size_t *ret_len)
{
    (void)trace;
    *ret_len = strlen(strings[handle]);
    return strings[handle];
}

const uint32_t *__wrap_gotrace_stack(const struct gotrace *trace, uint32_t handle, size_t *ret_n)
{
    (void)trace;
    *ret_n = row_lengths[handle];
    return rows[handle];
}

const struct gotrace_frame *__wrap_gotrace_frame(const struct gotrace *trace, uint32_t n)
{
    (void)trace;
    return n < MAX ? &frames[n] : NULL;
}

static struct memory mem = {.max = SIZE_MAX};
static struct texts texts;
static struct sites sites;

static int begin(void **state)
{
    (void)state;
    assert_int_equal(texts_init(&texts, &mem, 12345), 0);
    assert_int_equal(sites_init(&sites, &texts, &mem, 12345), 0);
    return 0;
}

static int end(void **state)
{
    (void)state;
    sites_done(&sites);
    texts_done(&texts);
    arena_free(texts.arena);
    assert_int_equal(mem.used, 0);
    return 0;
}

static void generation(uint32_t n_strings, uint32_t n_stacks)
{
    texts_generation(&texts, n_strings);
    assert_int_equal(sites_generation(&sites, n_stacks, MAX), 0);
}

static void set_stack(uint32_t handle, uint32_t a, uint32_t b, uint32_t c, size_t n)
{
    rows[handle][0] = a;
    rows[handle][1] = b;
    rows[handle][2] = c;
    row_lengths[handle] = n;
}

static uint32_t of(uint32_t handle)
{
    uint32_t n;

    assert_int_equal(sites_of(&sites, NULL, handle, &n), 0);
    return n;
}

/* Handles of one order in one generation and of another in the next. */
static void fill(const char *const *names, uint32_t first)
{
    for (uint32_t i = 0; i < 6; i++) {
        uint32_t string = 1 + (i + first) % 8;

        (void)snprintf(strings[string], sizeof(strings[string]), "%s", names[i]);
        frames[i] = (struct gotrace_frame){.pc = 100 + i, .func = string, .file = 9, .line = i + 1};
    }
    (void)snprintf(strings[9], sizeof(strings[9]), "file.go");
}

static const char *const names[] = {"runtime.chanrecv1", "sync.(*Mutex).Lock", "main.f",
                                    "net.(*conn).Read",  "net/http.serve",     "runtime.goexit"};

static void test_across_generations(void **state)
{
    uint32_t f, serve;

    (void)state;
    fill(names, 0);
    set_stack(1, 1, 2, 5, 3);
    set_stack(2, 3, 4, 5, 3);
    generation(9, 2);
    f = of(1);
    serve = of(2);
    assert_int_not_equal(f, serve);
    assert_int_equal(of(1), f);
    assert_int_equal(of(0), SITES_NO_STACK);

    fill(names, 3);
    set_stack(1, 3, 4, 5, 3);
    set_stack(2, 1, 2, 5, 3);
    set_stack(3, 2, 5, 0, 2);
    generation(9, 3);
    assert_int_equal(of(1), serve);
    assert_int_equal(of(2), f);
    assert_true(of(3) != f && of(3) != serve);
    assert_int_equal(sites.n_stacks, SITES_FIRST + 3);
    assert_int_equal(sites.n_frames, 5);
}

static void test_frames(void **state)
{
    (void)state;
    fill(names, 0);
    set_stack(1, 0, 1, 2, 3); /* channel, lock, main.f */
    set_stack(2, 3, 4, 5, 3); /* net, net/http */
    set_stack(3, 0, 5, 0, 2); /* nothing but the runtime */
    set_stack(4, 1, 0, 0, 2); /* sync and the runtime */
    set_stack(5, 0, 0, 0, 0);
    generation(9, 5);
    assert_string_equal(sites_frame(&sites, of(1), SUMMARY_SYNC).func, "main.f");
    assert_int_equal(sites_frame(&sites, of(1), SUMMARY_SYNC).line, 3);
    assert_string_equal(sites_frame(&sites, of(1), SUMMARY_CPU).func, "runtime.chanrecv1");
    assert_string_equal(sites_frame(&sites, of(2), SUMMARY_NET).func, "net/http.serve");
    assert_string_equal(sites_frame(&sites, of(2), SUMMARY_SYNC).func, "net.(*conn).Read");
    assert_string_equal(sites_frame(&sites, of(3), SUMMARY_SYNC).func, "runtime.chanrecv1");
    assert_string_equal(sites_frame(&sites, of(4), SUMMARY_SYNC).func, "sync.(*Mutex).Lock");
    assert_string_equal(sites_frame(&sites, of(5), SUMMARY_SYNC).func, "");
}

static void test_top(void **state)
{
    struct summary_sites top;

    (void)state;
    fill(names, 0);
    set_stack(1, 5, 2, 5, 3); /* two stacks that lead to main.f, */
    set_stack(2, 0, 2, 5, 3);
    set_stack(3, 3, 4, 5, 3);
    set_stack(4, 1, 2, 5, 3); /* and one to a lock there: another site */
    generation(9, 4);
    sites_add(&sites, of(4), SUMMARY_SYNC, 20);
    sites_add(&sites, of(1), SUMMARY_SYNC, 100);
    sites_add(&sites, of(2), SUMMARY_SYNC, 300);
    sites_add(&sites, of(2), SUMMARY_SYNC, 50);
    sites_add(&sites, of(3), SUMMARY_SYNC, 440);
    sites_add(&sites, of(0), SUMMARY_SYNC, 7);
    sites_add(&sites, of(3), SUMMARY_NET, 9999);
    assert_int_equal(sites_close(&sites), 0);
    assert_int_equal(ranking_of(&sites, SUMMARY_SYNC, &top), 0);
    assert_int_equal(top.n, 4);
    assert_int_equal(top.count, 6);
    assert_int_equal(top.total, 917);
    assert_string_equal(top.list[0].at.func, "main.f");
    assert_int_equal(top.list[0].total, 450);
    assert_int_equal(top.list[0].count, 3);
    assert_int_equal(top.list[0].max, 300);
    assert_int_equal(top.list[0].n_stacks, 2);
    assert_int_equal(top.list[0].top_total, 350);
    assert_int_equal(top.list[0].n_top, 3);
    assert_string_equal(top.list[0].top[0].func, "runtime.chanrecv1");
    assert_string_equal(top.list[1].at.func, "net.(*conn).Read");
    assert_string_equal(top.list[2].at.func, "main.f");
    assert_int_equal(top.list[2].class, STACK_LOCK);
    assert_int_equal(top.list[0].class, STACK_OTHER);
    assert_string_equal(top.list[3].at.func, "");

    assert_int_equal(sites_close(&sites), 0);
    assert_int_equal(ranking_of_profile(&sites, SUMMARY_SYNC, STACK_SET(STACK_LOCK), &top), 0);
    assert_int_equal(top.n, 1);
    assert_int_equal(top.total, 20);
    assert_string_equal(top.list[0].at.func, "main.f");
}

/* More stacks than are kept: of the rest there is the site. */
static void test_too_many(void **state)
{
    struct summary_sites top;

    (void)state;
    fill(names, 0);
    for (uint32_t i = 1; i < MAX; i++) {
        frames[i] = (struct gotrace_frame){.pc = i, .func = 3, .file = 9, .line = 7};
        set_stack(i, i, 0, 0, 1);
    }
    generation(9, MAX);
    for (uint32_t i = 1; i < MAX; i++)
        sites_add(&sites, of(i), SUMMARY_SCHED, 1);
    assert_int_equal(sites.n_stacks, SITES_MAX_STACKS + 1);
    assert_int_equal(sites.lost, MAX - 1 - (SITES_MAX_STACKS - SITES_FIRST));
    assert_int_equal(sites_close(&sites), 0);
    assert_int_equal(ranking_of(&sites, SUMMARY_SCHED, &top), 0);
    assert_int_equal(top.count, MAX - 1);
    assert_int_equal(top.n, 1);
    assert_string_equal(top.list[0].at.func, "main.f");
    assert_int_equal(top.list[0].count, MAX - 1);
    assert_int_equal(top.left_out_count, 0);
}

/* A stack that comes when there is no room has the sites and the class that it has with room. */
static void test_reduced(void **state)
{
    static const uint32_t stacks[][3] = {
        {0, 1, 2}, {3, 4, 5}, {0, 5, 5}, {1, 0, 0}, {0, 3, 4}, {5, 2, 3},
    };
    enum { N = sizeof(stacks) / sizeof(stacks[0]) };
    static const unsigned columns[] = {SUMMARY_SYNC, SUMMARY_NET, SUMMARY_CPU};
    struct summary_frame right[N][3];
    uint8_t class[N];
    uint64_t own[N];
    unsigned kind[N];

    (void)state;
    fill(names, 0);
    for (uint32_t i = 0; i < N; i++)
        set_stack(i + 1, stacks[i][0], stacks[i][1], stacks[i][2], 3);
    generation(9, N);
    for (uint32_t i = 0; i < N; i++) {
        for (unsigned k = 0; k < 3; k++)
            right[i][k] = sites_frame(&sites, of(i + 1), columns[k]);
        class[i] = sites.stacks[of(i + 1)].class;
        own[i] = sites_own(&sites, of(i + 1), SUMMARY_SYNC).at.line;
        kind[i] = sites_unknown(&sites, of(i + 1));
    }
    /* The same lines at other places in the code. */
    for (uint32_t i = 0; i < 6; i++)
        frames[i].pc += 1000;
    sites.n_stacks = SITES_MAX_STACKS;
    assert_int_equal(memory_grow(&mem, &sites.stacks, &sites.stacks_cap, SITES_MAX_STACKS,
                                 sizeof(*sites.stacks)),
                     0);
    memset(sites.stacks + SITES_FIRST + N, 0,
           (SITES_MAX_STACKS - SITES_FIRST - N) * sizeof(*sites.stacks));
    generation(9, N);
    for (uint32_t i = 0; i < N; i++) {
        uint32_t stack = of(i + 1);

        assert_true(stack >= SITES_MAX_STACKS);
        assert_int_equal(sites.stacks[stack].class, class[i]);
        assert_int_equal(sites_unknown(&sites, stack), kind[i]);
        for (unsigned k = 0; k < 3; k++) {
            struct summary_frame f = sites_frame(&sites, stack, columns[k]);

            assert_string_equal(f.func, right[i][k].func);
            assert_int_equal(f.line, right[i][k].line);
            assert_int_equal(sites_own(&sites, stack, columns[k]).at.line, own[i]);
        }
    }
    assert_int_equal(sites.lost, N);
}

/* Even sites are too many: what is left is told by class, and is no site. */
static void test_far_too_many(void **state)
{
    struct summary_sites top;
    const uint32_t places = SITES_MAX_STACKS - SITES_FIRST + SITES_MORE_STACKS;

    (void)state;
    fill(names, 0);
    for (uint32_t i = 6; i < MAX; i++) {
        frames[i] = (struct gotrace_frame){.pc = i, .func = 3, .file = 9, .line = i};
        set_stack(i, 1, i, 0, 2);
    }
    generation(9, MAX);
    for (uint32_t i = 6; i < MAX; i++)
        sites_add(&sites, of(i), SUMMARY_SYNC, 1);
    assert_int_equal(sites_close(&sites), 0);
    assert_int_equal(ranking_of_profile(&sites, SUMMARY_SYNC, STACK_SET(STACK_LOCK), &top), 0);
    assert_int_equal(top.count, MAX - 6);
    assert_int_equal(top.n, SUMMARY_SITES);
    for (size_t i = 0; i < top.n; i++)
        assert_string_equal(top.list[i].at.func, "main.f");
    assert_int_equal(top.left_out, places - SUMMARY_SITES);
    assert_int_equal(top.left_out_count, MAX - 6 - SUMMARY_SITES);
    assert_int_equal(top.left_out_total, MAX - 6 - SUMMARY_SITES);
}

static void check_own(uint32_t handle, enum summary_profile profile, const char *func,
                      uint64_t line, const char *call)
{
    struct summary_own own = sites_own(&sites, of(handle), profile);

    assert_string_equal(own.at.func, func);
    assert_int_equal(own.at.line, line);
    assert_string_equal(own.call, call);
}

/* The program's own code, and the function behind it: that of the site, or what it called itself. */
static void test_own(void **state)
{
    (void)state;
    fill(names, 0);
    set_stack(1, 0, 1, 2, 3); /* channel, lock, main.f */
    set_stack(2, 3, 4, 2, 3); /* net, net/http, main.f */
    set_stack(3, 3, 4, 5, 3);
    set_stack(4, 2, 5, 0, 2);
    generation(9, 4);
    check_own(1, SUMMARY_SYNC, "main.f", 3, "sync.(*Mutex).Lock");
    check_own(2, SUMMARY_SYNC, "main.f", 3, "net.(*conn).Read");
    check_own(2, SUMMARY_NET, "main.f", 3, "net/http.serve");
    check_own(3, SUMMARY_NET, "", 0, "");
    check_own(4, SUMMARY_CPU, "main.f", 3, "");
}

/* A file of the package main tells, later than other frames, that a module with a version is the
 * program itself. */
static void test_own_learnt(void **state)
{
    (void)state;
    fill(names, 0);
    (void)snprintf(strings[7], sizeof(strings[7]), "example.com/shop.Put");
    (void)snprintf(strings[8], sizeof(strings[8]), "example.com/shop@v1.2.3/shop.go");
    frames[6] = (struct gotrace_frame){.pc = 7, .func = 7, .file = 8, .line = 70};
    set_stack(1, 1, 6, 5, 3);
    set_stack(2, 1, 2, 5, 3);
    generation(9, 2);
    check_own(1, SUMMARY_SYNC, "", 0, "");
    frames[2].file = 8;
    (void)of(2);
    check_own(1, SUMMARY_SYNC, "example.com/shop.Put", 70, "sync.(*Mutex).Lock");
}

static void fill_open(void)
{
    const unsigned unknown = SITES_OPEN + SUMMARY_OPEN_UNKNOWN;

    fill(names, 0);
    (void)snprintf(strings[7], sizeof(strings[7]), "internal/poll.runtime_pollWait");
    (void)snprintf(strings[8], sizeof(strings[8]), "internal/poll.(*FD).Accept");
    frames[6] = (struct gotrace_frame){.pc = 7, .func = 7, .file = 9, .line = 7};
    frames[7] = (struct gotrace_frame){.pc = 8, .func = 8, .file = 9, .line = 8};
    set_stack(1, 0, 2, 5, 3); /* a channel */
    set_stack(2, 6, 2, 5, 3); /* the network */
    set_stack(3, 6, 7, 2, 3); /* accept */
    set_stack(4, 5, 2, 5, 3); /* asleep, or whatever */
    generation(9, 4);
    sites_add(&sites, of(1), SUMMARY_SYNC, 10);
    sites_add(&sites, of(1), SITES_OPEN + SUMMARY_OPEN_SYNC, 300);
    sites_add(&sites, of(1), unknown, 500);
    sites_add(&sites, of(1), SITES_UNKNOWN, 7);
    sites_add(&sites, of(2), unknown, 40);
    sites_add(&sites, of(3), unknown, 5000);
    sites_add(&sites, of(4), unknown, 9000);
}

/* What had not ended is in the table of its kind, and what had no reason where its stack tells;
 * Go's sums stay. */
static void test_open(void **state)
{
    struct summary_sites top;

    (void)state;
    fill_open();
    assert_int_equal(sites_close(&sites), 0);
    assert_int_equal(ranking_of_profile(&sites, SUMMARY_SYNC, STACK_ALL, &top), 0);
    assert_int_equal(top.n, 1);
    assert_int_equal(top.count, 1);
    assert_int_equal(top.total, 10);
    assert_int_equal(top.open.count, 2);
    assert_int_equal(top.open.total, 800);
    assert_int_equal(top.list[0].open.max, 500);
    assert_int_equal(top.list[0].older.total, 7);
    assert_int_equal(summary_site_all(&top.list[0]).count, 4);
    assert_int_equal(summary_site_all(&top.list[0]).total, 817);
    assert_int_equal(sites_close(&sites), 0);
    assert_int_equal(ranking_of(&sites, SITES_OPEN + SUMMARY_OPEN_UNKNOWN, &top), 0);
    assert_int_equal(top.total, 14540);
}

/* What is meant to wait stands behind the others, however long it does. */
static void test_standing(void **state)
{
    struct summary_sites top;

    (void)state;
    fill_open();
    assert_int_equal(sites_close(&sites), 0);
    assert_int_equal(ranking_of_profile(&sites, SUMMARY_NET, STACK_ALL, &top), 0);
    assert_int_equal(top.n, 2);
    assert_int_equal(top.count, 0);
    assert_string_equal(top.list[0].own.at.func, "main.f");
    assert_int_equal(top.list[0].open.total, 40);
    assert_int_equal(top.list[1].class, STACK_LISTENER);
    assert_int_equal(top.standing.total, 5000);
    assert_int_equal(top.standing.count, 1);
    assert_int_equal(top.standing_open, 1);
}

/* Calls of one library from two places of the program are two sites. */
static void test_two_owners(void **state)
{
    struct summary_sites top;

    (void)state;
    fill(names, 0);
    frames[6] = (struct gotrace_frame){.pc = 7, .func = 3, .file = 9, .line = 33};
    set_stack(1, 3, 4, 2, 3);
    set_stack(2, 3, 4, 6, 3);
    generation(9, 2);
    sites_add(&sites, of(1), SUMMARY_NET, 10);
    sites_add(&sites, of(2), SUMMARY_NET, 20);
    assert_int_equal(sites_close(&sites), 0);
    assert_int_equal(ranking_of(&sites, SUMMARY_NET, &top), 0);
    assert_int_equal(top.n, 2);
    assert_string_equal(top.list[0].at.func, "net/http.serve");
    assert_int_equal(top.list[0].own.at.line, 33);
    assert_string_equal(top.list[0].own.call, "net/http.serve");
    assert_int_equal(top.list[1].own.at.line, 3);
}

/* CPU samples are by the innermost frame, and by own code whatever it called. */
static void test_samples(void **state)
{
    struct summary_sites top;

    (void)state;
    fill(names, 0);
    set_stack(1, 0, 2, 5, 3);
    set_stack(2, 3, 4, 2, 3);
    set_stack(3, 3, 4, 5, 3);
    generation(9, 3);
    sites_add(&sites, of(1), SUMMARY_CPU, 0);
    sites_add(&sites, of(2), SUMMARY_CPU, 0);
    sites_add(&sites, of(3), SUMMARY_CPU, 0);
    sites_add(&sites, of(3), SUMMARY_CPU, 0);
    assert_int_equal(sites_close(&sites), 0);
    assert_int_equal(ranking_of_profile(&sites, SUMMARY_CPU, STACK_ALL, &top), 0);
    assert_int_equal(top.n, 2);
    assert_string_equal(top.list[0].at.func, "net.(*conn).Read");
    assert_int_equal(top.list[0].count, 3);
    assert_string_equal(top.list[1].at.func, "runtime.chanrecv1");
    assert_int_equal(sites_close(&sites), 0);
    assert_int_equal(ranking_of_own(&sites, SUMMARY_CPU, &top), 0);
    assert_int_equal(top.n, 2);
    assert_string_equal(top.list[0].at.func, "main.f");
    assert_int_equal(top.list[0].count, 2);
    assert_string_equal(top.list[0].own.call, "");
    assert_string_equal(top.list[1].at.func, "net.(*conn).Read");
}

static void test_texts(void **state)
{
    uint32_t a, b, n;

    (void)state;
    strcpy(strings[1], "one");
    strcpy(strings[2], "one");
    generation(2, 0);
    assert_int_equal(texts_of(&texts, NULL, 1, &a), 0);
    assert_int_equal(texts_of(&texts, NULL, 2, &b), 0);
    assert_int_equal(a, b);
    assert_string_equal(texts_get(&texts, a), "one");
    strcpy(strings[9], "late"); /* beyond what the generation began with */
    assert_int_equal(texts_of(&texts, NULL, 9, &b), 0);
    assert_string_equal(texts_get(&texts, b), "late");
    assert_int_equal(texts_of(&texts, NULL, 0, &n), 0);
    assert_int_equal(n, TEXTS_EMPTY);
    for (unsigned i = 0; i < TEXTS_MAX + 10; i++) {
        char text[16];

        assert_int_equal(texts_add(&texts, text, (size_t)snprintf(text, 16, "%u", i), &n), 0);
    }
    assert_int_equal(n, TEXTS_OTHER);
    assert_int_equal(texts_add(&texts, "one", 3, &n), 0);
    assert_int_equal(n, a);
}

/* The bound of memory comes before that of stacks: they are counted by their class. */
static void test_memory_is_used_up(void **state)
{
    static const char *const few[] = {
        "sync.(*Mutex).Lock", "main.f", "main.g", "main.h", "main.i", "main.j"};
    uint32_t n = 0, lock;

    (void)state;
    fill(few, 0);
    generation(9, 2000);
    mem.max = mem.used;
    for (uint32_t i = 1; i < 2000 && n != SITES_OTHER + STACK_LOCK; i++) {
        frames[100 + i] = (struct gotrace_frame){.pc = 1000 + i, .func = 1, .file = 9, .line = i};
        set_stack(i, 100 + i, 1, 0, 2);
        n = of(i);
        lock = i;
    }
    assert_int_equal(n, SITES_OTHER + STACK_LOCK);
    assert_true(sites.lost > 0);
    assert_int_equal(of(lock), n);
    mem.max = SIZE_MAX;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_memory_is_used_up, begin, end),
        cmocka_unit_test_setup_teardown(test_across_generations, begin, end),
        cmocka_unit_test_setup_teardown(test_frames, begin, end),
        cmocka_unit_test_setup_teardown(test_top, begin, end),
        cmocka_unit_test_setup_teardown(test_too_many, begin, end),
        cmocka_unit_test_setup_teardown(test_reduced, begin, end),
        cmocka_unit_test_setup_teardown(test_far_too_many, begin, end),
        cmocka_unit_test_setup_teardown(test_own, begin, end),
        cmocka_unit_test_setup_teardown(test_own_learnt, begin, end),
        cmocka_unit_test_setup_teardown(test_open, begin, end),
        cmocka_unit_test_setup_teardown(test_standing, begin, end),
        cmocka_unit_test_setup_teardown(test_two_owners, begin, end),
        cmocka_unit_test_setup_teardown(test_samples, begin, end),
        cmocka_unit_test_setup_teardown(test_texts, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
