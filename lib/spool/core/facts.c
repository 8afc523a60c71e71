/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/spool/core/facts.h"

#include "lib/spool/core/space.h"

int facts_roughly(const struct facts *s, uint64_t bytes, uint64_t files,
                  struct retention_facts *ret)
{
    const struct index *ix = &s->items->index;
    struct space space;
    int r;

    r = space_read(s->core->tree.root, &space);
    if (r < 0)
        return r;
    *ret = (struct retention_facts){
        .items = index_items(ix),
        .n = ix->n,
        .now = core_age_now(s->core),
        .kept_bytes = items_bytes(s->items),
        .kept_files = ix->n,
        .wanted_bytes = s->reserved->bytes + bytes,
        .wanted_files = s->reserved->files + files,
        .free_bytes = space.free_bytes,
        .total_bytes = space.total_bytes,
        .free_inodes = space.free_inodes,
        .total_inodes = space.total_inodes,
        .unwritten_bytes = s->reserved->bytes + ix->held * ITEMS_AMEND_ROOM + bytes,
        .unwritten_inodes = (s->reserved->files + files) * RESERVED_INODES,
    };
    return 0;
}

int facts_exactly(const struct facts *s, uint64_t bytes, uint64_t files,
                  struct retention_facts *ret)
{
    struct retention_facts f;
    int r;

    r = index_rank(&s->items->index, s->limits.keep_worst);
    if (r >= 0)
        r = facts_roughly(s, bytes, files, &f);
    if (r < 0)
        return r;
    f.unwritten_bytes = s->items->index.held * ITEMS_AMEND_ROOM + bytes;
    f.unwritten_inodes = files * RESERVED_INODES;
    for (const struct reservation *one = s->reserved->all; one; one = one->next) {
        uint64_t unwritten = reserved_unwritten(one);

        f.unwritten_bytes += unwritten;
        if (unwritten > 0)
            f.unwritten_inodes += RESERVED_INODES - 1; /* the file itself is there */
    }
    *ret = f;
    return 0;
}

int64_t facts_headroom(const struct retention_facts *f)
{
    return (int64_t)f->free_bytes - (int64_t)f->unwritten_bytes;
}
