/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The part "uploader": the uploader, and the store that a configuration names.
 */

#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "daemon/daemon_state.h"
#include "lib/config/equal.h"
#include "lib/store/kinds.h"

int daemon_uploads_new(struct daemon *d)
{
    int r = uploader_new(d->event, d->disk, d->spool, daemon_host(d), daemon_random_seed(),
                         &d->uploader);

    if (r >= 0)
        uploader_set_meters(d->uploader, d->meters);
    return r;
}

/* Makes the store of a configuration; NULL without upload.url. The first store also makes the HTTP
 * client, which all later ones use, too. */
static int make_store(struct daemon *d, const struct upload_config *u, struct store **ret)
{
    _cleanup_free_ char *memory = NULL;
    int r = 0;

    *ret = NULL;
    if (!u->url)
        return 0;
    if (!d->store_http)
        r = http_new(d->event, DAEMON_USER_AGENT, &d->store_http);
    if (r < 0)
        return r;
    if (asprintf(&memory, "%s/destination", d->config->storage.path) < 0) {
        memory = NULL;
        return -ENOMEM;
    }
    return store_new(
        &(struct store_context){
            .event = d->event, .http = d->store_http, .disk = d->disk, .memory = memory},
        u, ret);
}

/* If the upload section has not changed, the present store stays in use. */
int daemon_uploads_set(struct daemon *d, const struct config *c)
{
    bool same = d->uploader_is_set && upload_equal(&c->upload, &d->config->upload);
    struct store *store = NULL;
    int r = same ? 0 : make_store(d, &c->upload, &store);

    if (r < 0)
        return r;
    store_free(d->next_store);
    d->next_store = store;
    d->uploader_is_changed = !same;
    return 0;
}

void daemon_uploads_use(struct daemon *d, const struct config *c)
{
    if (!d->uploader_is_changed) {
        uploader_try_again(d->uploader);
        return;
    }
    spool_set_upload(d->spool, d->next_store);
    uploader_set(d->uploader, steal(&d->next_store), c->upload.concurrency, c->upload.keep_local);
    d->uploader_is_set = true;
    d->uploader_is_changed = false;
}

void daemon_uploads_drain(struct daemon *d)
{
    uploader_drain(d->uploader);
}

void daemon_uploads_cut(struct daemon *d)
{
    uploader_cut(d->uploader);
}

bool daemon_uploads_idle(const struct daemon *d)
{
    return uploader_idle(d->uploader);
}

void daemon_uploads_free(struct daemon *d)
{
    uploader_free(d->uploader);
    store_free(d->next_store);
    http_free(d->store_http);
}
