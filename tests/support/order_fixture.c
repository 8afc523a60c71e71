/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/order_fixture.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <setjmp.h>
#include <cmocka.h>

#include "lib/config/address.h"

#define TEXT(s) \
    ((char      \
          *)(uintptr_t)(s)) /* the configuration's members are not const; nothing here changes them */

struct fake_pipeline fake_pipeline;

int __wrap_pipeline_capture(struct pipeline *p, struct lane *l, const struct pipeline_order *order,
                            struct pipeline_waiter **ret);
usec __wrap_pipeline_adds(const struct lane *l, usec window);
void __wrap_pipeline_forget(struct pipeline_waiter *w);
int __wrap_sd_event_now(sd_event *event, clockid_t clock, uint64_t *ret);

int __wrap_pipeline_capture(struct pipeline *p, struct lane *l, const struct pipeline_order *order,
                            struct pipeline_waiter **ret)
{
    struct fake_pipeline *f = &fake_pipeline;
    size_t i = f->orders++;

    (void)p;
    assert_true(i < FAKE_MAX);
    f->targets[i] = l->target;
    f->order[i] = *order;
    f->waiters[i] = (struct pipeline_waiter){order->fn, order->userdata, false};
    if (ret)
        *ret = f->result == 0 && order->fn ? &f->waiters[i] : NULL;
    return f->result;
}

usec __wrap_pipeline_adds(const struct lane *l, usec window)
{
    if (window == 0)
        window = l->target->job->window;
    return window > fake_pipeline.anyway ? window - fake_pipeline.anyway : 0;
}

void __wrap_pipeline_forget(struct pipeline_waiter *w)
{
    if (w)
        w->forgotten = true;
}

int __wrap_sd_event_now(sd_event *event, clockid_t clock, uint64_t *ret)
{
    (void)event;
    (void)clock;
    *ret = fake_pipeline.now;
    return 0;
}

void fake_pipeline_reset(void)
{
    fake_pipeline = (struct fake_pipeline){.now = USEC_PER_DAY};
}

void fake_pipeline_end(size_t i, enum outcome outcome)
{
    const struct pipeline_waiter *w = &fake_pipeline.waiters[i];
    const struct pipeline_end end = {.outcome = outcome, .text = ""};

    if (w->fn && !w->forgotten)
        w->fn(w->userdata, &end);
}

static void parse(struct target_config *item)
{
    const char *why;

    assert_int_equal(address_parse(item->address, &item->parsed, &why), 0);
}

struct targets *order_targets(void)
{
    struct label service = {TEXT("service"), TEXT("cart")};
    struct target_config checkout[] = {{.address = TEXT("10.0.0.1:80")},
                                       {.address = TEXT("10.0.0.2:80")}};
    struct target_config basket = {
        .address = TEXT("10.0.0.1:90"), .labels = &service, .n_labels = 1};
    struct target_config local = {.address = TEXT("127.0.0.1:70")};
    const struct target_list lists[] = {
        {.items = checkout, .n = 2}, {.items = &basket, .n = 1}, {.items = &local, .n = 1}};
    const struct target_list *views[] = {&lists[0], &lists[1], &lists[2]};
    struct job_config jobs[] = {
        {.name = TEXT("checkout")}, {.name = TEXT("basket")}, {.name = TEXT("local")}};
    const struct config config = {.jobs = jobs, .n_jobs = 3};
    struct targets *ts = targets_new("here");
    struct targets_change change;

    assert_non_null(ts);
    parse(&checkout[0]);
    parse(&checkout[1]);
    parse(&basket);
    parse(&local);
    for (size_t i = 0; i < 3; i++) {
        jobs[i].path = TEXT("/debug/pprof/trace");
        jobs[i].window = 2 * USEC_PER_SEC;
        jobs[i].interval = 5 * USEC_PER_MIN;
    }
    assert_int_equal(targets_update(ts, &config, views, USEC_PER_DAY, USEC_PER_DAY, &change), 0);
    assert_int_equal(targets_count(ts), 4);
    address_done(&checkout[0].parsed);
    address_done(&checkout[1].parsed);
    address_done(&basket.parsed);
    address_done(&local.parsed);
    return ts;
}
