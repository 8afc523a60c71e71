/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/loop.h"
#include "base/random.h"
#include "daemon/rows/rowbook_state.h"
#include "lib/rows/rows.h"

void rowbook_taken_free(struct rowbook_taken *t)
{
    struct rowbook_taken *next;

    for (; t; t = next) {
        next = t->next;
        t->fd = close_fd(t->fd);
        free(t);
    }
}

static void job_free(struct rowbook_job *j)
{
    rowbook_taken_free(j->taken);
    (void)close_fd(j->fd);
    (void)close_fd(j->root);
    free(j);
}

/* A record that is no record has no rows, which is no error. */
static int append_one(struct rowbook_job *j, const struct rowbook_taken *t, struct buf *record,
                      struct buf *rows)
{
    struct journal_place place = {j->host, j->now, (uint32_t)random_next(&j->random)};
    char day[ROWFILE_DAY_SIZE];
    struct name name;
    uint64_t size;
    int r = name_parse(t->key, &name);

    buf_clear(record);
    buf_clear(rows);
    if (r >= 0)
        r = buf_read_fd(record, t->fd);
    if (r >= 0)
        r = rows_of_record(t->key, buf_str(record), record->len, j->now, rows);
    if (r == -EINVAL || r == -E2BIG)
        return 0;
    if (r >= 0)
        r = journal_append(j->root, &place, rowfile_day(name.time, day), name.service,
                           buf_str(rows), rows->len, &size);
    if (r >= 0 && size > j->largest)
        j->largest = size;
    return r;
}

static int append(struct rowbook_job *j)
{
    struct buf record, rows;
    int r = 0;

    buf_init(&record, ROWS_RECORD_MAX);
    buf_init(&rows, ROWS_MAX);
    for (const struct rowbook_taken *t = j->taken; t && r >= 0; t = t->next)
        r = append_one(j, t, &record, &rows);
    buf_done(&record);
    buf_done(&rows);
    return r;
}

static int seal(struct rowbook_job *j)
{
    int r = journal_seal(j->root, &j->dropped);

    return r >= 0 && j->since > 0 ? journal_set_since(j->root, j->since) : r;
}

static int run(struct disk_job *job)
{
    struct rowbook_job *j = (struct rowbook_job *)job;

    switch (j->work) {
    case ROWBOOK_APPEND: return append(j);
    case ROWBOOK_SEAL: return seal(j);
    case ROWBOOK_NEXT: return journal_next(j->root, j->name, &j->size, &j->fd);
    case ROWBOOK_REMOVE: return journal_remove(j->root, j->name);
    }
    return -EINVAL;
}

static void on_done(struct disk_job *job, int r)
{
    struct rowbook_job *j = (struct rowbook_job *)job;
    struct rowbook *b = j->book;

    if (b) {
        b->job = NULL;
        b->up->ended(b, j, r);
    }
    job_free(j);
    if (b)
        b->up->step(b);
}

struct rowbook_job *rowbook_job_new(struct rowbook *b, enum rowbook_work work)
{
    struct rowbook_job *j = calloc(1, sizeof(*j));

    if (!j)
        return NULL;
    j->fd = -1;
    j->root = fcntl(b->root, F_DUPFD_CLOEXEC, 0);
    if (j->root < 0) {
        free(j);
        return NULL;
    }
    j->book = b;
    j->work = work;
    j->now = loop_now(b->event, CLOCK_REALTIME);
    j->random = random_next(&b->random);
    (void)snprintf(j->host, sizeof(j->host), "%s", b->host);
    j->job = (struct disk_job){.run = run, .done = on_done};
    return j;
}

void rowbook_job_submit(struct rowbook *b, struct rowbook_job *j)
{
    b->job = j;
    disk_submit(b->disk, &j->job);
}
