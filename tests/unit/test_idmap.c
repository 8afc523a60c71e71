/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/common/idmap.h"

#define N_IDS 512
#define SECRET 0xd6e8feb86659fd93U

static struct memory mem = {.max = SIZE_MAX};

/* What the golden factor makes 1 of, so that its small multiples come together at one end. */
static uint64_t against_golden(void)
{
    uint64_t inverse = 1;

    for (int i = 0; i < 6; i++)
        inverse *= 2 - inverse * IDMAP_GOLDEN;
    assert_true(inverse * IDMAP_GOLDEN == 1);
    return inverse;
}

static void test_add_find_remove(void **state)
{
    struct idmap map;

    (void)state;
    idmap_init(&map, &mem, SECRET);
    assert_int_equal(idmap_find(&map, 0), IDMAP_NONE);
    assert_int_equal(idmap_add(&map, 0, 7), 0);
    assert_int_equal(idmap_add(&map, UINT64_MAX, 0), 0);
    assert_int_equal(idmap_add(&map, 0, 8), -EEXIST);
    assert_int_equal(idmap_find(&map, 0), 7);
    assert_int_equal(idmap_find(&map, UINT64_MAX), 0);
    idmap_remove(&map, 0);
    idmap_remove(&map, 5);
    assert_int_equal(idmap_find(&map, 0), IDMAP_NONE);
    assert_int_equal(idmap_find(&map, UINT64_MAX), 0);
    idmap_clear(&map);
    assert_int_equal(idmap_find(&map, UINT64_MAX), IDMAP_NONE);
    idmap_done(&map);
    assert_int_equal(mem.used, 0);
}

/*
 * Against an array, with few different ids: additions, removals and look-ups in any order. The
 * second time all ids belong into one place until the map notices.
 */
static void test_against_array(void **state)
{
    unsigned seed = 20261121;
    const char *given = getenv("TEST_SEED");

    (void)state;
    if (given)
        seed = (unsigned)strtoul(given, NULL, 10);
    printf("TEST_SEED=%u\n", seed);
    for (unsigned crowded = 0; crowded < 2; crowded++) {
        uint32_t expected[N_IDS];
        struct idmap map;

        memset(expected, 0xff, sizeof(expected));
        idmap_init(&map, &mem, SECRET);
        for (unsigned i = 0; i < 200000; i++) {
            unsigned r = (unsigned)rand_r(&seed);
            unsigned n = (r >> 8) % N_IDS;
            uint64_t id = crowded ? n * against_golden() : n;

            if (r % 3 == 0) {
                idmap_remove(&map, id);
                expected[n] = IDMAP_NONE;
            } else if (r % 3 == 1) {
                int added = idmap_add(&map, id, i);

                assert_int_equal(added, expected[n] == IDMAP_NONE ? 0 : -EEXIST);
                if (added == 0)
                    expected[n] = i;
            } else {
                assert_int_equal(idmap_find(&map, id), expected[n]);
            }
        }
        for (unsigned n = 0; n < N_IDS; n++)
            assert_int_equal(idmap_find(&map, crowded ? n * against_golden() : n), expected[n]);
        assert_true(map.factor == (crowded ? SECRET : IDMAP_GOLDEN));
        idmap_done(&map);
    }
}

static void test_sealed(void **state)
{
    struct idmap map;

    (void)state;
    idmap_init(&map, &mem, SECRET);
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 1; i < 5000; i += 2)
            assert_int_equal(idmap_add(&map, i, i * 3), 0);
        assert_int_equal(idmap_seal(&map), 0);
        assert_int_equal(map.n_dense, 5000);
        for (uint32_t i = 0; i < 6000; i++)
            assert_int_equal(idmap_find(&map, i), i % 2 && i < 5000 ? i * 3 : IDMAP_NONE);
        idmap_clear(&map);
        assert_int_equal(idmap_find(&map, 1), IDMAP_NONE);
    }
    /* What is not dense stays as it is, and takes no memory by its greatest id. */
    assert_int_equal(idmap_add(&map, UINT64_MAX - 1, 4), 0);
    assert_int_equal(idmap_seal(&map), 0);
    assert_int_equal(map.n_dense, 0);
    assert_int_equal(idmap_find(&map, UINT64_MAX - 1), 4);
    idmap_done(&map);
    assert_int_equal(mem.used, 0);
}

/* Ids of any distance, in any order: each once, and the array is not larger than they deserve. */
static void test_dense(void **state)
{
    static const uint64_t strides[] = {1, 3, 7, 1000003};
    struct idmap map;

    (void)state;
    idmap_init(&map, &mem, SECRET);
    for (unsigned s = 0; s < 4; s++) {
        uint64_t stride = strides[s];

        for (uint32_t i = 0; i < 6000; i++) {
            uint64_t id = i * UINT64_C(7919) % 6000 * stride;

            assert_int_equal(idmap_add_dense(&map, id, i), 0);
            assert_int_equal(idmap_add_dense(&map, id, i), -EEXIST);
        }
        assert_int_equal(idmap_seal(&map), 0);
        assert_true(map.n_dense <= 4 * (6000 + 1024) + 5);
        for (uint32_t i = 0; i < 6000; i++) {
            uint64_t id = i * UINT64_C(7919) % 6000 * stride;

            assert_int_equal(idmap_find(&map, id), i);
            assert_int_equal(idmap_find(&map, id + 1 + (stride == 1 ? 6000 : 0)), IDMAP_NONE);
        }
        idmap_clear(&map);
        assert_int_equal(idmap_find(&map, stride), IDMAP_NONE);
    }
    assert_int_equal(idmap_add_dense(&map, UINT64_MAX, 1), 0);
    assert_int_equal(idmap_seal(&map), 0);
    assert_int_equal(idmap_find(&map, UINT64_MAX), 1);
    idmap_done(&map);
    assert_int_equal(mem.used, 0);
}

static void test_bound(void **state)
{
    struct memory little = {.max = 4096};
    struct idmap map;
    uint32_t n = 0;
    int r;

    (void)state;
    idmap_init(&map, &little, SECRET);
    while ((r = idmap_add(&map, n, n)) == 0)
        n++;
    assert_int_equal(r, -E2BIG);
    assert_true(n > 32 && little.used <= 4096);
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(idmap_find(&map, i), i);
    idmap_done(&map);
    assert_int_equal(little.used, 0);
}

/* Ids crowd, and there is no memory to spread them: then the last one is not there. */
static void test_crowded_without_memory(void **state)
{
    struct memory little = {.max = SIZE_MAX};
    struct idmap map;
    uint32_t n = 0;

    (void)state;
    idmap_init(&map, &little, SECRET);
    for (; n < 50; n++)
        assert_int_equal(idmap_add(&map, n * against_golden(), n), 0);
    little.max = little.used;
    while (idmap_add(&map, n * against_golden(), n) == 0)
        n++;
    assert_in_range(n, IDMAP_CROWDED, IDMAP_CROWDED + 2);
    assert_int_equal(map.n, n);
    assert_int_equal(idmap_find(&map, n * against_golden()), IDMAP_NONE);
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(idmap_find(&map, i * against_golden()), i);
    little.max = SIZE_MAX;
    assert_int_equal(idmap_add(&map, n * against_golden(), n), 0);
    assert_true(map.factor == SECRET);
    idmap_set(&map, 3 * against_golden(), 77);
    idmap_set(&map, 1000, 78); /* is not there */
    assert_int_equal(idmap_find(&map, 3 * against_golden()), 77);
    assert_int_equal(idmap_find(&map, 1000), IDMAP_NONE);
    idmap_done(&map);
    assert_int_equal(little.used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add_find_remove), cmocka_unit_test(test_against_array),
        cmocka_unit_test(test_sealed),          cmocka_unit_test(test_dense),
        cmocka_unit_test(test_bound),           cmocka_unit_test(test_crowded_without_memory),
    };

    return cmocka_run_group_tests_name("idmap", tests, NULL, NULL);
}
