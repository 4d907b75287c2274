/* Opening and closing what the search needs. */
#include "plan.h"

#include <stdlib.h>
#include <string.h>

static int32_t find_node(const fota_plan_t *plan, int32_t position)
{
    int32_t low = 0;
    int32_t high = plan->node_count;
    while (low < high) {
        int32_t middle = (low + high) / 2;
        if (plan->nodes[middle] < position) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Nodes that one frame can reach, and the one behind them. */
static int32_t reach(const fota_plan_t *plan)
{
    int32_t most = 0;
    for (int32_t node = 0, end = 0; node < plan->node_count; node++) {
        while (end < plan->node_count && plan->nodes[end] - plan->nodes[node] <= plan->window) {
            end++;
        }
        most = end - node > most ? end - node : most;
    }
    return most + 1;
}

/* `base` is what the byte at `begin` is a difference to. */
static int open_lane(search_t *search, lane_t *lane, const uint8_t *base, int32_t begin, int32_t end)
{
    const fota_plan_t *plan = search->plan;
    size_t room = (size_t)search->mask + 1;
    lane->labels = malloc(room * sizeof *lane->labels);
    lane->matcher = matcher_new(plan->new_image, base, begin, end, plan->window, plan->depth);
    if (lane->labels == NULL || lane->matcher == NULL) {
        return -1;
    }
    for (size_t i = 0; i < room; i++) {
        lane->labels[i] = (label_t){NEVER, NO_STEP, 0, 0};
    }
    return 0;
}

static void close_lane(lane_t *lane)
{
    matcher_free(lane->matcher);
    free(lane->labels);
    lane->matcher = NULL;
    lane->labels = NULL;
}

int search_open(search_t *search, const fota_plan_t *plan)
{
    int32_t reached = reach(plan);
    int32_t room = 2;
    int32_t begin = plan->nodes[0];
    int32_t last = plan->node_count - 1;
    while (room < reached) {
        room *= 2;
    }
    *search = (search_t){.plan = plan, .mask = room - 1};
    search->best = malloc((size_t)room * sizeof *search->best);
    search->lanes = calloc((size_t)plan->segment_count + 1, sizeof *search->lanes);
    search->active = malloc(((size_t)plan->segment_count + 1) * sizeof *search->active);
    if (!search->best || !search->lanes || !search->active
        || states_open(&search->states, plan->window) != 0
        || open_lane(search, &search->extra, NULL, begin, plan->nodes[last]) != 0) {
        return -1;
    }
    search->extra.last = last;
    for (int32_t i = 0; i < room; i++) {
        search->best[i] = NEVER;
    }
    /* Opening a record takes two bytes, its seek is paid when the next one opens. */
    search->extra.labels[0] = (label_t){2, NO_STEP, begin, plan->position};
    search->best[0] = 2;
    return 0;
}

void search_close(search_t *search)
{
    for (int32_t i = 0; i < search->active_count; i++) {
        close_lane(&search->lanes[search->active[i]]);
    }
    close_lane(&search->extra);
    free(search->best);
    free(search->lanes);
    free(search->active);
    states_close(&search->states);
    free(search->steps);
}

int search_enter(search_t *search, int32_t node)
{
    const fota_plan_t *plan = search->plan;
    int32_t at = plan->nodes[node];
    int32_t kept = 0;
    for (int32_t i = 0; i < search->active_count; i++) {
        lane_t *lane = &search->lanes[search->active[i]];
        if (lane->last >= node) {
            search->active[kept++] = search->active[i];
        } else {
            close_lane(lane);
        }
    }
    search->active_count = kept;
    for (; search->waiting < plan->segment_count && plan->segments[search->waiting].begin <= at;
         search->waiting++) {
        const fota_segment_t *segment = &plan->segments[search->waiting];
        lane_t *lane = &search->lanes[search->waiting];
        lane->segment = segment;
        lane->last = find_node(plan, segment->end + 1) - 1;
        if (lane->last > node) {
            search->active[search->active_count++] = search->waiting;
            if (open_lane(search, lane, plan->old_image + (at + segment->shift), at, segment->end) != 0) {
                return -1;
            }
        }
    }
    return 0;
}

void search_forget(search_t *search, int32_t node)
{
    int32_t slot = node & search->mask;
    search->best[slot] = NEVER;
    search->extra.labels[slot].cost = NEVER;
    for (int32_t i = 0; i < search->active_count; i++) {
        search->lanes[search->active[i]].labels[slot].cost = NEVER;
    }
}
