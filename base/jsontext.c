/* SPDX-License-Identifier: Apache-2.0 */
#include "base/jsontext.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

/* jansson's functions for memory have no context, so what this thread is told is kept here. */
static _Thread_local bool was_short;
static pthread_once_t prepared = PTHREAD_ONCE_INIT;

static void *noting_malloc(size_t n)
{
    void *p = malloc(n);

    was_short = was_short || !p;
    return p;
}

static void prepare(void)
{
    json_set_alloc_funcs(noting_malloc, free);
}

int jsontext_parse(const char *text, size_t n, size_t flags, json_error_t *error, json_t **ret)
{
    json_t *json;

    (void)pthread_once(&prepared, prepare);
    was_short = false;
    json = json_loadb(text, n, flags, error);
    if (was_short) {
        json_decref(json);
        return -ENOMEM;
    }
    if (!json)
        return -EINVAL;
    *ret = json;
    return 0;
}
