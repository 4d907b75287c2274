/*
 * The cheapest way through the new image, or through a part of it.
 *
 * A node is a place where a frame may end. At a node, the cheapest ways that end there are known for
 * each mode: inside the extra string, or inside a diff string along one of the segments. From
 * there, one pass of a parser gives the exact price of the frames to all later nodes.
 */
#include "plan.h"

#include "compare.h"

#include <stdlib.h>
#include <string.h>

enum { FURTHER = 16, PROMISE = 8, NODES_AT_ONCE = 64 };

static int32_t varint_size(int32_t value)
{
    int32_t size = 1;
    for (uint32_t rest = (uint32_t)value >> 7; rest > 0; rest >>= 7) {
        size++;
    }
    return size;
}

static int32_t seek_size(int32_t seek)
{
    return varint_size(2 * (seek < 0 ? -seek : seek));
}

static lane_t *lane_of(search_t *search, int32_t mode)
{
    return mode == EXTRA ? &search->extra : &search->lanes[mode];
}

/*
 * Prices all frames from a node in one mode. `label` is what they begin with, and `from` the mode
 * that it belongs to.
 */
static int price_frames(search_t *search, int32_t node, int32_t mode, label_t label, int32_t from)
{
    const fota_plan_t *plan = search->plan;
    const lane_t *lane = lane_of(search, mode);
    int32_t shift = lane->segment ? lane->segment->shift : 0;
    int32_t start = plan->nodes[node];
    int32_t known = varint_size(start - label.string);
    int32_t before = label.step;
    int32_t done = 0;
    int32_t last_match;
    label.step = NO_STEP;
    for (int32_t next = node + 1; next <= lane->last; next++) {
        int32_t end = plan->nodes[next];
        int32_t length = end - start;
        if (length > plan->window) {
            break;
        }
        matcher_run(lane->matcher, start, end);
        parse(&search->states, lane->matcher, start, done, length);
        done = length;
        int32_t size = block_end(&search->states, length, &last_match);
        int32_t cost = label.cost + size;
        int32_t *best = &search->best[next & search->mask];
        if (size > plan->block_size || cost > *best + plan->slack) {
            break;
        }
        cost += varint_size(size) + varint_size(end - label.string) - known;
        label_t *there = &lane->labels[next & search->mask];
        if (cost < there->cost) {
            if (label.step == NO_STEP) {
                label.step = add_step(search, (step_t){node, from, before});
                if (label.step == NO_STEP) {
                    return -1;
                }
            }
            *there = label;
            there->cost = cost;
            there->position = lane->segment ? end + shift : label.position;
            if (cost < *best) {
                *best = cost;
            }
        }
    }
    return 0;
}

/* How many of the next bytes are the same along a segment. */
static int32_t promise(const fota_plan_t *plan, const fota_segment_t *segment, int32_t at,
                       int32_t count)
{
    int32_t size = segment->end - at < count ? segment->end - at : count;
    return equal_count(plan->new_image + at, plan->old_image + (at + segment->shift), size);
}

static int leave_node(search_t *search, int32_t node)
{
    const fota_plan_t *plan = search->plan;
    int32_t at = plan->nodes[node];
    int32_t slot = node & search->mask;
    label_t cheapest = search->extra.labels[slot];
    int32_t cheapest_mode = EXTRA;
    for (int32_t i = 0; i < search->active_count; i++) {
        const label_t *label = &search->lanes[search->active[i]].labels[slot];
        if (label->cost < cheapest.cost) {
            cheapest = *label;
            cheapest_mode = search->active[i];
        }
    }
    if (cheapest.cost >= NEVER) {
        return 0;
    }
    /* While the cheapest way goes on through equal bytes, none other is begun. */
    int settled = plan->settled > 0 && cheapest_mode != EXTRA
                  && search->lanes[cheapest_mode].last > node
                  && promise(plan, search->lanes[cheapest_mode].segment, at, plan->settled)
                         == plan->settled;
    if (!settled) {
        label_t label = cheapest_mode == EXTRA ? search->extra.labels[slot] : cheapest;
        if (cheapest_mode != EXTRA) {
            label.string = at;
        }
        if (price_frames(search, node, EXTRA, label, cheapest_mode) != 0) {
            return -1;
        }
    }
    int32_t ahead = node + 1;
    while (ahead < plan->node_count && plan->nodes[ahead] < at + FURTHER) {
        ahead++;
    }
    for (int32_t i = 0; i < search->active_count; i++) {
        int32_t mode = search->active[i];
        const lane_t *lane = &search->lanes[mode];
        label_t label = lane->labels[slot];
        int32_t from = mode;
        int32_t seek = at + lane->segment->shift - cheapest.position;
        int32_t entry = cheapest.cost + 2 + seek_size(seek);
        if (seek == 0 && (cheapest_mode != EXTRA || node == 0)) { /* The same diagonal, or no other. */
            entry = cheapest.cost;
        }
        if (entry < label.cost && !settled
            && promise(plan, lane->segment, at, PROMISE) >= plan->promise) {
            label = cheapest;
            label.cost = entry;
            from = cheapest_mode;
            if (cheapest_mode == EXTRA || seek != 0) {
                label.string = at;
            }
        }
        if (label.cost < NEVER
            && (ahead > lane->last || lane->labels[ahead & search->mask].cost > label.cost + plan->gain)
            && price_frames(search, node, mode, label, from) != 0) {
            return -1;
        }
    }
    return 0;
}

/* Writes the frames from the last to the first, then turns them round; FOTA_NO_WAY without. */
static int32_t walk_back(const search_t *search, fota_frame_t *frames, int32_t *cost)
{
    const fota_plan_t *plan = search->plan;
    int32_t node = plan->node_count - 1;
    int32_t mode = EXTRA;
    int32_t count = 0;
    label_t label = search->extra.labels[node & search->mask];
    for (int32_t i = 0; i < search->active_count; i++) {
        const lane_t *lane = &search->lanes[search->active[i]];
        if (lane->last == node && lane->labels[node & search->mask].cost < label.cost) {
            label = lane->labels[node & search->mask];
            mode = search->active[i];
        }
    }
    if (label.cost >= NEVER) {
        return FOTA_NO_WAY;
    }
    *cost = label.cost;
    for (int32_t index = label.step; index != NO_STEP; index = search->steps[index].before) {
        const step_t *step = &search->steps[index];
        int32_t begin = plan->nodes[step->node];
        int32_t from = mode == EXTRA ? -1 : begin + search->lanes[mode].segment->shift;
        frames[count++] = (fota_frame_t){begin, plan->nodes[node], from};
        node = step->node;
        mode = step->mode;
    }
    for (int32_t i = 0; i < count / 2; i++) {
        fota_frame_t frame = frames[i];
        frames[i] = frames[count - 1 - i];
        frames[count - 1 - i] = frame;
    }
    return count;
}

int32_t fota_plan(const fota_plan_t *plan, fota_frame_t *frames, int32_t *cost)
{
    search_t search;
    int32_t count = search_open(&search, plan);
    for (int32_t node = 0; node < plan->node_count - 1 && count == 0; node++) {
        if (plan->stop != NULL && node % NODES_AT_ONCE == 0 && plan->stop() != 0) {
            count = FOTA_STOPPED;
            break;
        }
        count = search_enter(&search, node);
        count = count == 0 ? drop_steps(&search) : count;
        count = count == 0 ? leave_node(&search, node) : count;
        if (count == 0) {
            search_forget(&search, node);
        }
    }
    if (count == 0) {
        count = walk_back(&search, frames, cost);
    }
    search_close(&search);
    return count;
}
