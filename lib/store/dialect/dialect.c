/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/dialect/dialect.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *dialect_method(enum dialect_verb verb)
{
    static const char *const methods[] = {
        [DIALECT_PUT] = "PUT",
        [DIALECT_HEAD] = "HEAD",
        [DIALECT_GET] = "GET",
        [DIALECT_LIST] = "GET",
    };

    return methods[verb];
}

int dialect_copy(char **to, const char *from)
{
    if (!from)
        return 0;
    *to = strdup(from);
    return *to ? 0 : -ENOMEM;
}

int dialect_composed(int r, struct message *m, struct message *ret, char *why)
{
    if (r == 0) {
        *ret = *m;
        return 0;
    }
    message_done(m);
    if (!why[0])
        (void)snprintf(why, STORE_TEXT_MAX, "the request cannot be made: %s", strerror(-r));
    return r;
}

int dialect_made(int r, struct dialect *d, const char *wrong, struct dialect **ret, char *why)
{
    if (r == 0) {
        *ret = d;
        return 0;
    }
    if (wrong)
        (void)snprintf(why, STORE_TEXT_MAX, "%s", wrong);
    d->ops->free(d);
    return r;
}
