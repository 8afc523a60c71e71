/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/settings/settings.h"

#include <errno.h>

#include "lib/store/kinds.h"

/* Put where the URL stands, if that is in the file. */
static int check_store(const struct upload_config *u, const char *file, struct diags *d)
{
    char why[STORE_TEXT_MAX] = "";
    int r = u->url ? store_check(u, why) : 0;

    if (r < 0 && r != -ENOMEM)
        diags_add(d, u->url_line > 0 ? file : NULL, u->url_line, u->url_column, NULL, "upload: %s",
                  why);
    return r;
}

int settings_load(const struct options *o, struct config **ret, const char **ret_file,
                  struct diags *d)
{
    struct config *c = NULL;
    const char *file = NULL;
    int r = options_load(o, &c, &file, d);

    if (r < 0)
        return r;
    r = check_store(&c->upload, file, d);
    if (r < 0) {
        config_free(c);
        return r;
    }
    *ret = c;
    *ret_file = file;
    return 0;
}

struct retention_limits settings_limits(const struct config *c)
{
    return (struct retention_limits){
        .max_bytes = c->storage.max_bytes,
        .max_age = c->storage.max_age,
        .max_files = c->storage.max_files,
        .min_free = c->storage.min_free,
    };
}
