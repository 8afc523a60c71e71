/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/kinds.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "lib/store/dialect/dialect.h"
#include "lib/store/file/file.h"
#include "lib/store/http/remote.h"

/*
 * The kinds of stores by URL scheme. A kind that is asked over HTTP has a dialect; any other has
 * its own two functions, which do the work of store_check and store_new.
 */
static const struct row {
    const char *scheme;
    int (*dialect)(const struct upload_config *u, struct dialect **ret, char *why);
    int (*check)(const struct upload_config *u, char *why);
    int (*make)(const struct store_context *context, const struct upload_config *u,
                struct store **ret);
} kinds[] = {
    {"s3://", s3_dialect, NULL, NULL},      {"gs://", gs_dialect, NULL, NULL},
    {"az://", az_dialect, NULL, NULL},      {"https://", plain_dialect, NULL, NULL},
    {"http://", plain_dialect, NULL, NULL}, {"file://", NULL, file_check, file_new},
};

static int find_kind(const struct upload_config *u, const struct row **ret, char *why)
{
    for (size_t i = 0; u->url && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strncmp(u->url, kinds[i].scheme, strlen(kinds[i].scheme)) != 0)
            continue;
        *ret = &kinds[i];
        return 0;
    }
    (void)snprintf(why, STORE_TEXT_MAX, "url: must begin with");
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t n = strlen(why);

        (void)snprintf(why + n, STORE_TEXT_MAX - n, "%s %s", i > 0 ? "," : "", kinds[i].scheme);
    }
    return -EINVAL;
}

int store_check(const struct upload_config *u, char why[static STORE_TEXT_MAX])
{
    const struct row *k;
    struct dialect *d;
    int r;

    why[0] = '\0';
    r = find_kind(u, &k, why);
    if (r < 0 || !k->dialect)
        return r < 0 ? r : k->check(u, why);
    r = k->dialect(u, &d, why);
    if (r == 0)
        d->ops->free(d);
    return r;
}

static int make(const struct store_context *context, const struct upload_config *u,
                struct store **ret, char *why)
{
    const struct row *k;
    struct dialect *d;
    int r = find_kind(u, &k, why);

    if (r < 0)
        return r;
    if (!k->dialect)
        return k->make(context, u, ret);
    r = k->dialect(u, &d, why);
    return r < 0 ? r : remote_new(context, u, d, ret);
}

int store_new(const struct store_context *context, const struct upload_config *u,
              struct store **ret)
{
    char why[STORE_TEXT_MAX] = "";
    int r = make(context, u, ret, why);

    if (r < 0)
        log_error("upload: the store cannot be set up: %s", why[0] ? why : strerror(-r));
    return r;
}
