/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/seed.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <time.h>

int seed_setup(void **state)
{
    const char *text = getenv("TEST_SEED");
    unsigned seed = text ? (unsigned)strtoul(text, NULL, 10) : (unsigned)time(NULL);

    (void)state;
    print_message("TEST_SEED=%u\n", seed);
    srandom(seed);
    return 0;
}
