/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/net/access.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Every text of the struct. */
static const size_t texts[] = {
    offsetof(struct access, auth.basic_username), offsetof(struct access, auth.basic_password_file),
    offsetof(struct access, auth.type),           offsetof(struct access, auth.credentials_file),
    offsetof(struct access, tls.ca_file),         offsetof(struct access, tls.cert_file),
    offsetof(struct access, tls.key_file),        offsetof(struct access, tls.server_name),
    offsetof(struct access, proxy.url),           offsetof(struct access, proxy.no_proxy),
};

#define N_TEXTS (sizeof(texts) / sizeof(texts[0]))

_Static_assert(sizeof(struct access) == (N_TEXTS + 2) * sizeof(char *),
               "two flags; every text is in the table");

static char **text_at(struct access *a, size_t i)
{
    return (char **)(void *)((char *)a + texts[i]);
}

int access_copy(const struct access *from, struct access *ret)
{
    struct access copy = *from;
    bool failed = false;

    for (size_t i = 0; i < N_TEXTS; i++) {
        char **text = text_at(&copy, i);

        if (*text) {
            *text = strdup(*text);
            failed = failed || !*text;
        }
    }
    if (failed) {
        access_done(&copy);
        copy = (struct access){0};
    }
    *ret = copy;
    return failed ? -ENOMEM : 0;
}

void access_done(struct access *a)
{
    for (size_t i = 0; i < N_TEXTS; i++)
        free(*text_at(a, i));
    *a = (struct access){0};
}
