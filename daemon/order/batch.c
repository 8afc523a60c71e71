/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/order/batch.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* An order that was taken. */
struct batch_slot {
    struct batch *batch;
    struct pipeline_waiter *waiter; /* NULL: nobody waits for its end, or it has ended */
};

int batch_init(struct batch *b, struct desk *desk, struct targets *targets, size_t max,
               batch_ended_fn fn, void *userdata)
{
    *b = (struct batch){
        .desk = desk,
        .targets = targets,
        .fn = fn,
        .userdata = userdata,
        .max = max,
        .retry_after = USEC_NEVER,
    };
    b->seen = calloc(targets_count(targets) + 1, sizeof(*b->seen));
    b->slots = calloc(max + 1, sizeof(*b->slots));
    if (!b->seen || !b->slots) {
        batch_done(b);
        return -ENOMEM;
    }
    return 0;
}

void batch_done(struct batch *b)
{
    for (size_t i = 0; b->slots && i < b->taken; i++)
        pipeline_forget(b->slots[i].waiter);
    free(b->slots);
    free(b->seen);
    b->slots = NULL;
    b->seen = NULL;
    b->taken = 0;
}

static void on_ended(void *userdata, const struct pipeline_end *end)
{
    struct batch_slot *slot = userdata;
    struct batch *b = slot->batch;

    slot->waiter = NULL;
    b->published += outcome_published(end->outcome);
    b->left--;
    b->fn(b->userdata, (size_t)(slot - b->slots), end);
}

static void count(struct batch *b, const struct desk_reply *reply)
{
    switch (reply->answer) {
    case DESK_TAKEN:
        b->taken++;
        b->left += reply->waiter != NULL;
        break;
    case DESK_LIMITED:
        b->limited++;
        if (reply->retry_after < b->retry_after)
            b->retry_after = reply->retry_after;
        break;
    case DESK_STOPPING: b->stopping = true; break;
    case DESK_NO_MEMORY: b->no_memory = true; break;
    case DESK_PLACELESS: b->placeless++; break;
    case DESK_REPEATED: break;
    }
}

/* Orders the target's lane for the batch's artifact; makes the lane if it does not exist yet. */
static struct desk_reply order_lane(struct batch *b, struct target *t,
                                    const struct pipeline_order *order)
{
    struct lane *l = target_primary(t);
    int r = b->artifact ? target_add_lane(t, b->artifact, &l) : 0;

    if (r < 0)
        return (struct desk_reply){.answer = r == -ENOENT ? DESK_PLACELESS : DESK_NO_MEMORY};
    return desk_order(b->desk, l, order);
}

void batch_claim(struct batch *b, size_t target)
{
    b->seen[target] = true;
}

struct desk_reply batch_order(struct batch *b, size_t target, const struct pipeline_order *order)
{
    struct pipeline_order own = *order;
    struct batch_slot *slot = &b->slots[b->taken];
    struct desk_reply reply;

    if (b->seen[target])
        return (struct desk_reply){.answer = DESK_REPEATED};
    assert(b->taken < b->max);
    b->seen[target] = true;
    own.fn = b->fn ? on_ended : NULL;
    own.userdata = slot;
    reply = order_lane(b, targets_at(b->targets, target), &own);
    *slot = (struct batch_slot){b, reply.waiter};
    count(b, &reply);
    if (reply.answer == DESK_PLACELESS)
        b->placeless_job = targets_at(b->targets, target)->job->name;
    return reply;
}
