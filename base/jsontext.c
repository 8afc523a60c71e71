/* SPDX-License-Identifier: Apache-2.0 */
#include "base/jsontext.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

/* jansson's allocation functions have no context argument, so the state of this thread is here. */
static _Thread_local bool was_short;
static pthread_once_t prepared = PTHREAD_ONCE_INIT;
static json_malloc_t allocate;

static void *noting_malloc(size_t n)
{
    void *p = allocate(n);

    was_short = was_short || !p;
    return p;
}

/* Puts noting_malloc in front of the functions that are set, which stay in use: they may wipe
 * memory when it is freed. */
static void prepare(void)
{
    json_free_t release;

    json_get_alloc_funcs(&allocate, &release);
    json_set_alloc_funcs(noting_malloc, release);
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

char *jsontext_print(const json_t *json, size_t flags)
{
    char *text;

    (void)pthread_once(&prepared, prepare);
    was_short = false;
    text = json_dumps(json, flags);
    if (text && was_short) {
        free(text);
        return NULL;
    }
    return text;
}
