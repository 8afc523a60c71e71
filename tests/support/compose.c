/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/compose.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <strings.h>

static const struct store_meta meta[] = {
    {"service", "checkout"},
    {"sha256", "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"},
};

const struct store_object compose_object = {
    .key = "checkout/web-1/20260314/092653-4711.trace",
    .data = "hello",
    .fd = -1,
    .size = 5,
    .sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
    .content_type = "application/octet-stream",
    .meta = meta,
    .n_meta = 2,
};

struct dialect *compose_dialect(compose_new_fn *make, const struct upload_config *u)
{
    char why[STORE_TEXT_MAX] = "";
    struct dialect *d = NULL;

    if (make(u, &d, why) < 0)
        fail_msg("%s: %s", u->url, why);
    assert_non_null(d->ops->compose);
    assert_non_null(d->ops->free);
    assert_non_null(d->description);
    return d;
}

const char *compose_fault(compose_new_fn *make, const struct upload_config *u)
{
    static char why[STORE_TEXT_MAX];
    struct dialect *d = NULL;

    why[0] = '\0';
    assert_int_equal(make(u, &d, why), -EINVAL);
    assert_null(d);
    assert_true(why[0] != '\0' && memchr(why, '\0', sizeof(why)));
    return why;
}

struct message compose(const struct dialect *d, const struct dialect_request *q,
                       const struct secret_set *secrets)
{
    char why[STORE_TEXT_MAX] = "";
    struct message m;

    if (d->ops->compose(d, q, secrets, COMPOSE_NOW, &m, why) < 0)
        fail_msg("compose: %s", why);
    return m;
}

const char *compose_header(const struct message *m, const char *name)
{
    const char *value = NULL;

    for (size_t i = 0; i < m->n_headers; i++) {
        if (strcasecmp(m->headers[i].name, name) != 0)
            continue;
        assert_null(value); /* once at most */
        value = m->headers[i].value;
    }
    return value;
}
