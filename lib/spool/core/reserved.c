/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/spool/core/reserved.h"

#include <stddef.h>
#include <sys/stat.h>

void reserved_init(struct reserved *s)
{
    *s = (struct reserved){0};
    s->waiting_end = &s->waiting;
}

void reserved_add(struct reserved *s, struct reservation *r)
{
    r->fd = -1;
    r->next = s->all;
    if (r->next)
        r->next->prev = r;
    s->all = r;
}

void reserved_remove(struct reserved *s, struct reservation *r)
{
    if (r->prev)
        r->prev->next = r->next;
    else
        s->all = r->next;
    if (r->next)
        r->next->prev = r->prev;
}

uint64_t reserved_missing_bytes(const struct reservation *r)
{
    return r->wanted - r->held;
}

uint64_t reserved_missing_files(const struct reservation *r)
{
    return r->held == 0;
}

void reserved_grant(struct reserved *s, struct reservation *r)
{
    s->bytes += reserved_missing_bytes(r);
    s->files += reserved_missing_files(r);
    r->held = r->wanted;
}

void reserved_release(struct reserved *s, struct reservation *r)
{
    if (r->held == 0)
        return;
    s->bytes -= r->held;
    s->files--;
    r->held = 0;
}

void reserved_wait(struct reserved *s, struct reservation *r)
{
    r->next_waiting = NULL;
    *s->waiting_end = r;
    s->waiting_end = &r->next_waiting;
}

bool reserved_leave(struct reserved *s, struct reservation *r)
{
    struct reservation **link = &s->waiting;

    while (*link && *link != r)
        link = &(*link)->next_waiting;
    if (!*link)
        return false;
    *link = r->next_waiting;
    if (!*link)
        s->waiting_end = link;
    r->next_waiting = NULL;
    return true;
}

uint64_t reserved_unwritten(const struct reservation *r)
{
    uint64_t written = r->written;
    struct stat st;

    /* st_blocks also counts blocks that are only promised to dirty pages; so does statvfs. */
    if (r->fd >= 0)
        written = fstat(r->fd, &st) == 0 ? (uint64_t)st.st_blocks * 512 : 0;
    return r->held > written ? r->held - written : 0;
}
