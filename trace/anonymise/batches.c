/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/anonymise/batches.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "trace/common/varint.h"
#include "trace/reader/specs.h"

/* Reads as much as there is, up to n bytes. */
static ssize_t read_at(int fd, void *to, size_t n, uint64_t offset)
{
    size_t done = 0;

    while (done < n) {
        ssize_t r = pread(fd, (uint8_t *)to + done, n - done, (off_t)(offset + done));

        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return -errno;
        if (r == 0)
            break;
        done += (size_t)r;
    }
    return (ssize_t)done;
}

static int parse(struct batches_item *item, const uint8_t *end)
{
    const uint8_t *p = item->raw + 1;
    uint64_t size = 0, *const numbers[] = {&item->generation, &item->thread, &item->time, &size};

    if (item->type == EV_EXPERIMENTAL_BATCH) {
        if (p == end)
            return -EBADMSG;
        item->experiment = *p++;
    }
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        p = varint_get(p, end, numbers[i]);
        if (!p)
            return -EBADMSG;
    }
    if (size > BATCHES_PAYLOAD || size > (size_t)(end - p) || item->generation == 0)
        return -EBADMSG;
    item->payload = p;
    item->n = (size_t)size;
    item->n_raw = (size_t)(p - item->raw) + item->n;
    return 0;
}

int batches_next(struct batches *b, struct batches_item *ret)
{
    ssize_t n = read_at(b->fd, b->data, FRAMING_HEADER_MAX + BATCHES_PAYLOAD, b->offset);
    int r = 0;

    if (n <= 0)
        return (int)n;
    memset(b->data + n, 0, BATCHES_PADDING);
    *ret =
        (struct batches_item){.offset = b->offset, .type = b->data[0], .raw = b->data, .n_raw = 1};
    if (ret->type == EV_EVENT_BATCH || ret->type == EV_EXPERIMENTAL_BATCH)
        r = parse(ret, b->data + n);
    else if (ret->type != EV_END_OF_GENERATION)
        r = -EBADMSG;
    if (r < 0)
        return r;
    b->offset += ret->n_raw;
    return 1;
}

uint8_t *batches_number(uint8_t *to, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *to++ = (uint8_t)(value | 0x80);
    *to++ = (uint8_t)value;
    return to;
}

size_t batches_header(const struct batches_item *like, size_t n, uint8_t ret[FRAMING_HEADER_MAX])
{
    uint8_t *p = ret;

    *p++ = like->type;
    if (like->type == EV_EXPERIMENTAL_BATCH)
        *p++ = like->experiment;
    p = batches_number(p, like->generation);
    p = batches_number(p, like->thread);
    p = batches_number(p, like->time);
    return (size_t)(batches_number(p, n) - ret);
}
