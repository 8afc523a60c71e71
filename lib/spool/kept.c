/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/spool/kept.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "lib/record/name.h"
#include "lib/record/record.h"
#include "lib/spool/kept_state.h"

#define BATCH 64 /* records that one disk job reads; a publication waits behind no more than that */

/* A trace and its incident. */
struct found_id {
    struct found_id *next;
    char key[NAME_KEY_MAX];
    char incident[NAME_KEY_MAX];
};

struct spool_list {
    struct disk_job job;
    struct kept *kept;
    struct spool_list *next;
    sd_event_source *wake;
    spool_listed_fn fn; /* NULL: forgotten, nobody is called */
    void *userdata;
    bool running; /* on a disk thread */

    char *service, *host, *label; /* NULL: any */
    bool of_incident;             /* only what belongs to one */
    char incident[NAME_KEY_MAX];  /* "": any */
    usec incident_begin;          /* real time */
    bool one_kind;
    enum kind kind;
    usec since, until;
    char before[NAME_KEY_MAX]; /* "": from the newest */
    usec before_time;
    size_t limit;

    /* How far records were read, from the newest on: `reached` is the key of the last one. */
    char reached[NAME_KEY_MAX]; /* "": nothing yet */
    usec reached_time;
    size_t left; /* entries that are still to be looked at for unread records */
    struct kept_reading readings[BATCH];
    size_t n_readings;

    struct found_id *ids, **last_id; /* the newest trace first */
    size_t n_ids;
    int error; /* a record could not be read now: the answer would not be whole */
};

static void list_free(struct spool_list *l)
{
    struct found_id *next;

    (void)sd_event_source_disable_unref(l->wake);
    for (struct found_id *id = l->ids; id; id = next) {
        next = id->next;
        free(id);
    }
    free(l->service);
    free(l->host);
    free(l->label);
    free(l);
}

static void take_out(struct spool_list *l)
{
    struct spool_list **link = &l->kept->lists;

    while (*link != l)
        link = &(*link)->next;
    *link = l->next;
}

/* Whether `text` is the part of a key that begins at `part`. */
static bool part_is(const char *part, const char *text)
{
    size_t n = strlen(text);

    return strncmp(part, text, n) == 0 && part[n] == '/';
}

/* Whether it is of the incident that is asked for, as far as the index knows. */
static bool may_belong(const struct spool_list *l, const struct retention_item *item)
{
    if (item->incident == 0)
        return false;
    return !l->incident[0] ||
           item->time - (usec)(item->incident - 1) * USEC_PER_SEC == l->incident_begin;
}

static bool fits(const struct spool_list *l, size_t i)
{
    const char *key = index_key(&l->kept->items->index, i);
    const struct retention_item *item = &index_items(&l->kept->items->index)[i];

    if (l->of_incident && item->annotated && !may_belong(l, item))
        return false;
    if (l->one_kind && name_kind(key) != l->kind)
        return false;
    if (l->service && !part_is(key, l->service))
        return false;
    return !l->host || part_is(strchr(key, '/') + 1, l->host);
}

static bool label_fits(const struct spool_list *l, size_t i)
{
    const struct index *ix = &l->kept->items->index;
    const struct retention_item *item = &index_items(ix)[i];

    if (!l->label)
        return true;
    if (!item->annotated)
        return false;
    return l->label[0] == '\0'
             ? item->label == LABELS_NONE
             : item->label != LABELS_NONE && item->label == labels_find(&ix->labels, l->label);
}

struct range {
    size_t low, high; /* the places that the query asks for */
    size_t page;      /* the page begins below this place */
};

static struct range range_of(const struct spool_list *l)
{
    const struct index *ix = &l->kept->items->index;
    struct range r = {
        .low = l->since > 0 ? index_at_time(ix, l->since) : 0,
        .high = l->until != USEC_NEVER ? index_at_time(ix, l->until) : ix->n,
    };
    size_t before = l->before[0] ? index_at_key(ix, l->before, l->before_time) : ix->n;

    r.page = before < r.high ? before : r.high;
    return r;
}

static struct spool_entry entry_at(const struct index *ix, size_t i)
{
    const struct retention_item *item = &index_items(ix)[i];

    return (struct spool_entry){
        .key = index_key(ix, i),
        .bytes = item->size < UINT32_MAX ? item->size : item->bytes,
        .pending = item->pending,
        .label = labels_text(&ix->labels, item->label),
        .latency = (double)item->latency,
        .severity = item->annotated ? (double)item->severity : -1,
        .covered = item->covered == RETENTION_NOT_COVERED ? -1 : item->covered / 250.0,
    };
}

/* NULL: none, or it was not read. *at moves on over those of newer traces. */
static const char *incident_of(const struct found_id **at, const struct retention_item *item,
                               const char *key)
{
    for (const struct found_id *id = item->incident > 0 ? *at : NULL; id; id = id->next) {
        if (strcmp(id->key, key) == 0) {
            *at = id->next;
            return id->incident;
        }
    }
    return NULL;
}

static void fill_page(const struct spool_list *l, struct spool_entry *entries,
                      struct spool_page *page)
{
    const struct range range = range_of(l);
    const struct index *ix = &l->kept->items->index;
    bool all = !l->service && !l->host && !l->label && !l->one_kind && !l->of_incident;
    size_t i = all ? range.page : range.high;
    const struct found_id *ids = l->ids;

    *page = (struct spool_page){.entries = entries};
    if (all)
        page->total = range.low < range.high ? range.high - range.low : 0;
    while (i-- > range.low && !(all && page->more)) {
        const char *incident;

        if (!fits(l, i) || !label_fits(l, i) ||
            (l->of_incident && index_items(ix)[i].incident == 0))
            continue;
        incident = incident_of(&ids, &index_items(ix)[i], index_key(ix, i));
        if (l->incident[0] && (!incident || strcmp(incident, l->incident) != 0))
            continue;
        page->total += !all;
        if (i >= range.page)
            continue;
        if (page->n == l->limit) {
            page->more = true;
            continue;
        }
        entries[page->n] = entry_at(ix, i);
        entries[page->n++].incident = incident;
    }
}

static void answer(struct spool_list *l)
{
    struct spool_entry *entries =
        l->fn && l->error == 0 ? calloc(l->limit, sizeof(*entries)) : NULL;
    struct spool_page page = {0};

    take_out(l);
    if (entries)
        fill_page(l, entries, &page);
    if (l->fn)
        l->fn(l->userdata, l->error < 0 ? l->error : entries ? 0 : -ENOMEM, &page);
    free(entries);
    list_free(l);
}

/*
 * Opens a file of a trace's day. A trace that is being archived moves before the index says so, so
 * if the file is not where the index has it, the other directory is tried.
 */
static int open_either(const struct tree *t, const char *key, const char *name, bool pending,
                       int *ret_fd)
{
    struct stat st;
    int r = -ENOENT;

    for (unsigned i = 0; i < 2 && r == -ENOENT; i++) {
        _cleanup_close_ int day = -1;

        r = tree_open_day(pending == (i == 0) ? t->pending : t->archive, key, &day);
        if (r >= 0)
            r = tree_open_file(day, name, ret_fd, &st);
    }
    return r;
}

static int open_record(const struct tree *t, const char *key, bool pending, int *ret_fd)
{
    char name[NAME_KEY_MAX];

    return open_either(t, key, name_record_key(tree_leaf(key), name), pending, ret_fd);
}

int kept_open(const struct kept *k, const char *key, int *ret_fd)
{
    size_t at;

    if (!items_find(k->items, key, &at))
        return -ENOENT;
    return open_either(&k->core->tree, key, tree_leaf(key), items_at(k->items, at)->pending,
                       ret_fd);
}

int kept_open_record(const struct kept *k, const char *key, int *ret_fd)
{
    size_t at;

    if (!items_find(k->items, key, &at))
        return -ENOENT;
    return open_record(&k->core->tree, key, items_at(k->items, at)->pending, ret_fd);
}

static int read_one(const struct tree *t, struct kept_reading *reading)
{
    _cleanup_close_ int fd = -1;
    struct buf text;
    int r = open_record(t, reading->key, reading->pending, &fd);

    if (r < 0)
        return r;
    buf_init(&text, RECORD_MAX);
    r = buf_read_fd(&text, fd);
    if (r >= 0)
        r = record_annotation(buf_str(&text), text.len, &reading->found);
    buf_done(&text);
    return r;
}

void kept_read(const struct tree *t, struct kept_reading *reading)
{
    reading->result = read_one(t, reading);
}

static int run(struct disk_job *job)
{
    struct spool_list *l = (struct spool_list *)job;

    for (size_t i = 0; i < l->n_readings; i++)
        kept_read(&l->kept->core->tree, &l->readings[i]);
    return 0;
}

/* An error that says nothing about the record itself. */
static bool transient(int r)
{
    return r == -EMFILE || r == -ENFILE || r == -ENOMEM;
}

bool kept_take_over(struct items *items, const struct kept_reading *reading)
{
    struct index *ix = &items->index;
    struct name name;
    size_t at;

    if (transient(reading->result))
        return false;
    if (name_parse(reading->key, &name) < 0 ||
        (!index_find(ix, reading->key, name.time, reading->pending, &at) &&
         !index_find(ix, reading->key, name.time, !reading->pending, &at)) ||
        index_items(ix)[at].annotated)
        return true;
    index_annotate(ix, at, reading->result < 0 ? &RECORD_TELLS_NOTHING : &reading->found);
    return true;
}

/* Whether the answer needs the id: to select by it, or as the trace is one of the page. */
static bool id_is_wanted(const struct spool_list *l, const struct kept_reading *reading)
{
    const struct index *ix = &l->kept->items->index;
    size_t at;

    if (reading->result < 0 || !reading->found.incident_id[0])
        return false;
    if (l->incident[0])
        return true;
    return items_find(l->kept->items, reading->key, &at) && at < range_of(l).page &&
           label_fits(l, at) && index_items(ix)[at].incident > 0;
}

static void keep_id(struct spool_list *l, const struct kept_reading *reading)
{
    struct found_id *id;

    if (!id_is_wanted(l, reading))
        return;
    id = calloc(1, sizeof(*id));
    if (!id) {
        l->error = -ENOMEM;
        return;
    }
    memcpy(id->key, reading->key, sizeof(id->key));
    memcpy(id->incident, reading->found.incident_id, sizeof(id->incident));
    *l->last_id = id;
    l->last_id = &id->next;
    l->n_ids++;
}

static void step(struct spool_list *l);

static void on_read(struct disk_job *job, int r)
{
    struct spool_list *l = (struct spool_list *)job;
    struct kept *k = l->kept;
    struct core *core = k->core;

    (void)r;
    l->running = false;
    for (size_t i = 0; i < l->n_readings; i++) {
        if (!kept_take_over(k->items, &l->readings[i]))
            l->error = l->readings[i].result;
        keep_id(l, &l->readings[i]);
    }
    if (core->closing) {
        take_out(l);
        list_free(l);
    } else {
        step(l);
    }
    core_job_ended(core);
}

/* Whether its record is to be read: for the index, or for the id of its incident. */
static bool is_unread(const struct spool_list *l, size_t i, size_t page)
{
    const struct retention_item *item = &index_items(&l->kept->items->index)[i];

    if (!item->annotated)
        return true;
    if (item->incident == 0 || !label_fits(l, i))
        return false;
    return l->incident[0] || (i < page && l->n_ids < l->limit);
}

static void collect(struct spool_list *l)
{
    const struct index *ix = &l->kept->items->index;
    const struct range range = range_of(l);
    size_t i = l->label || l->of_incident ? range.high : range.page;

    l->n_readings = 0;
    if (l->reached[0])
        i = index_at_key(ix, l->reached, l->reached_time);
    while (i-- > range.low && l->left > 0 && l->n_readings < BATCH) {
        const struct retention_item *item = &index_items(ix)[i];
        struct kept_reading *reading = &l->readings[l->n_readings];

        if (!fits(l, i))
            continue;
        l->left--;
        if (!is_unread(l, i, range.page))
            continue;
        *reading = (struct kept_reading){.pending = item->pending};
        (void)snprintf(reading->key, sizeof(reading->key), "%s", index_key(ix, i));
        l->n_readings++;
        (void)snprintf(l->reached, sizeof(l->reached), "%s", reading->key);
        l->reached_time = item->time;
    }
}

static void step(struct spool_list *l)
{
    if (l->fn && l->error == 0)
        collect(l);
    if (!l->fn || l->error < 0 || l->n_readings == 0) {
        answer(l);
        return;
    }
    l->running = true;
    l->job = (struct disk_job){.run = run, .done = on_read};
    core_submit(l->kept->core, &l->job);
}

static int on_wake(sd_event_source *source, void *userdata)
{
    (void)source;
    step(userdata);
    return 0;
}

void kept_stop(struct kept *k)
{
    struct spool_list *next;

    for (struct spool_list *l = k->lists; l; l = next) {
        next = l->next;
        if (l->running)
            continue;
        take_out(l);
        list_free(l);
    }
}

static int copy_text(const char *text, char **ret)
{
    if (!text)
        return 0;
    *ret = strdup(text);
    return *ret ? 0 : -ENOMEM;
}

/* The key of an incident's first trace says when it began. */
static int copy_incident(const char *id, struct spool_list *l)
{
    char key[NAME_KEY_MAX];
    struct name name;

    l->of_incident = id != NULL;
    if (!id || strcmp(id, "*") == 0)
        return 0;
    if (snprintf(key, sizeof(key), "%s%s", id, kind_suffix(KIND_TRACE)) >= NAME_KEY_MAX ||
        name_parse(key, &name) < 0)
        return -EINVAL;
    (void)snprintf(l->incident, sizeof(l->incident), "%s", id);
    l->incident_begin = name.time;
    return 0;
}

static int copy_query(struct spool_list *l, const struct spool_query *q)
{
    struct name name = {0};
    int r = q->before ? name_parse(q->before, &name) : 0;

    if (r >= 0)
        r = copy_text(q->service, &l->service);
    if (r >= 0)
        r = copy_text(q->host, &l->host);
    if (r >= 0)
        r = copy_text(q->label, &l->label);
    if (r >= 0)
        r = copy_incident(q->incident, l);
    if (r < 0)
        return r;
    l->one_kind = q->one_kind;
    l->kind = q->kind;
    l->since = q->since > l->incident_begin ? q->since : l->incident_begin;
    l->until = q->until;
    l->limit = q->limit < 1 ? 1 : q->limit < SPOOL_LIST_MAX ? q->limit : SPOOL_LIST_MAX;
    l->left = q->label || q->incident ? SIZE_MAX : l->limit;
    (void)snprintf(l->before, sizeof(l->before), "%s", q->before ? q->before : "");
    l->before_time = name.time;
    return 0;
}

int kept_list(struct kept *k, const struct spool_query *query, spool_listed_fn fn, void *userdata,
              struct spool_list **ret)
{
    struct spool_list *l = calloc(1, sizeof(*l));
    int r = l ? copy_query(l, query) : -ENOMEM;

    if (r >= 0)
        r = sd_event_add_defer(k->core->event, &l->wake, on_wake, l);
    if (r < 0) {
        if (l)
            list_free(l);
        return r;
    }
    l->kept = k;
    l->last_id = &l->ids;
    l->fn = fn;
    l->userdata = userdata;
    l->next = k->lists;
    k->lists = l;
    *ret = l;
    return 0;
}

void spool_list_forget(struct spool_list *l)
{
    l->fn = NULL;
}
