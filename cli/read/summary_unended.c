/* SPDX-License-Identifier: Apache-2.0 */

/* What is told beside a label without findings, which would read as if all were well. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/read/place.h"
#include "cli/read/summary_page.h"

/* So many calls or waits that do not end are told. */
#define MANY_UNENDED 10

/* So many that wait at one place at any time, too; of requests fewer, if this share of all that wait
 * inside of the process wait there. */
#define CROWD 20
#define CROWD_OF_MOST 10
#define MOST 0.75

/* How many of a profile lasted for most of the window and to its end, without those that are meant
 * to wait. */
static uint64_t unended_of(const struct page *p, enum summary_profile profile)
{
    const struct summary_sites *sites = &p->s->sites[profile];
    uint64_t n = 0;

    for (size_t i = 0; i < sites->n; i++) {
        const struct summary_tally *open = &sites->list[i].open;

        if (!page_is_standing(&sites->list[i]) && open->count > 0 &&
            open->total / (int64_t)open->count >= p->s->window / 2)
            n += open->count;
    }
    return n;
}

/* What the stack tells that most of the site's time is of. */
static uint32_t traits_of(const struct summary_site *site)
{
    struct stack_reading r = {0};

    for (size_t i = 0; i < site->n_top; i++)
        stack_read(&r, stack_function(site->top[i].func, strlen(site->top[i].func)));
    return stack_told(&r).traits;
}

/* Where most wait inside of the process who have this trait, in the program's own code. */
struct crowd {
    const struct summary_site *site; /* NULL: nowhere */
    double mean;                     /* that wait there at any time, */
    double all;                      /* and at all such places */
};

static struct crowd crowd_of(const struct page *p, enum stack_trait trait)
{
    const struct summary_sites *sites = &p->s->sites[SUMMARY_SYNC];
    struct crowd ret = {NULL, 0, 0};

    for (size_t i = 0; i < sites->n && p->s->window > 0; i++) {
        const struct summary_site *site = &sites->list[i];
        double mean = (double)summary_site_all(site).total / (double)p->s->window;

        if (page_is_standing(site) || (traits_of(site) & trait) == 0)
            continue;
        ret.all += mean;
        if (site->own.at.func[0] != '\0' && mean > ret.mean) {
            ret.site = site;
            ret.mean = mean;
        }
    }
    return ret;
}

static void tell_crowd(const struct page *p, const struct crowd *crowd, const char *word,
                       const char *who)
{
    (void)fprintf(p->out, "  %s ", word);
    page_mean(p, crowd->mean, 0);
    (void)fprintf(p->out, " %s at any time: ", who);
    place_print(p->out, &crowd->site->own, &crowd->site->at, p->view->utf8);
    (void)fputc('\n', p->out);
}

static bool are_many(const struct crowd *requests)
{
    return requests->mean >= CROWD ||
           (requests->mean >= CROWD_OF_MOST && requests->mean >= MOST * requests->all);
}

static bool requests_wait(const struct page *p, const char *word)
{
    struct crowd crowd = crowd_of(p, STACK_SERVES);

    if (are_many(&crowd))
        tell_crowd(p, &crowd, word, "requests wait");
    return are_many(&crowd);
}

static bool calls_sit(const struct page *p)
{
    uint64_t calls = unended_of(p, SUMMARY_SYSCALL);

    if (calls < MANY_UNENDED)
        return false;
    (void)fputs("  but ", p->out);
    page_count(p, calls, 0);
    (void)fputs(" goroutines sit in system calls that did not end: see \"In system calls\"\n",
                p->out);
    return true;
}

static bool waits_last(const struct page *p, const char *word)
{
    uint64_t waits = unended_of(p, SUMMARY_SYNC) + unended_of(p, SUMMARY_NET);

    if (waits < MANY_UNENDED)
        return false;
    (void)fprintf(p->out, "  %s ", word);
    page_count(p, waits, 0);
    (void)fputs(" goroutines waited for most of the window and to its end: see \"still waiting\"\n",
                p->out);
    return true;
}

/* Who waits to receive may have nothing to do; who waits to send has something that nobody takes. */
static void senders_wait(const struct page *p, const char *word)
{
    struct crowd crowd = crowd_of(p, STACK_SENDS);

    if (crowd.mean >= CROWD)
        tell_crowd(p, &crowd, word, "goroutines wait to send");
}

void page_unended(const struct page *p)
{
    const char *word = calls_sit(p) ? "and" : "but";

    if (!requests_wait(p, word) && !waits_last(p, word))
        senders_wait(p, word);
}

bool summary_requests_wait(const struct summary *s)
{
    const struct page p = {.s = s};
    struct crowd crowd = crowd_of(&p, STACK_SERVES);

    return are_many(&crowd);
}

int summary_unended_text(const struct summary *s, bool utf8, char **ret)
{
    const struct summary_view view = {.utf8 = utf8};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    bool failed;

    if (!out)
        return -ENOMEM;
    page_unended(&(struct page){.out = out, .s = s, .view = &view});
    failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed || !text) {
        free(text);
        return -ENOMEM;
    }
    *ret = text;
    return 0;
}
