/*
 * The cheapest way through the new image.
 *
 * A node is a place where a frame may end. At a node, the cheapest ways that end there are known for
 * each mode: inside the extra string, or inside a diff string along one of the segments. From
 * there, one pass of a parser gives the exact price of the frames to all later nodes.
 */
#include "fota_kernel.h"
#include "parser.h"

#include <stdlib.h>
#include <string.h>

enum { EXTRA = -1, NO_NODE = -1, FURTHER = 32, PROMISE = 8 };

typedef struct {
    int32_t cost;
    int32_t from;     /* Node where the frame begins. */
    int32_t mode;     /* Mode of that node's label. */
    int32_t string;   /* Where the string that the frame belongs to begins. */
    int32_t position; /* In the old image, behind the last diff. */
} label_t;

typedef struct {
    const fota_segment_t *segment;
    matcher_t *matcher;
    label_t *labels;
    int32_t first; /* Node of the first label. */
    int32_t last;
} lane_t;

typedef struct {
    const fota_plan_t *plan;
    int32_t *best;    /* Cheapest label of each node. */
    label_t *extra;
    matcher_t *matcher; /* Of the extra strings. */
    lane_t *lanes;
    int32_t *active;  /* Lanes at the current node. */
    int32_t active_count;
    state_t *states; /* The parser, by plain bytes since the frame began. */
} search_t;

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

/* Prices all frames from a node in one mode; `label` is what they begin with. */
static void price_frames(search_t *search, int32_t node, int32_t mode, label_t label)
{
    const fota_plan_t *plan = search->plan;
    lane_t *lane = mode == EXTRA ? NULL : &search->lanes[mode];
    matcher_t *matcher = lane ? lane->matcher : search->matcher;
    label_t *labels = lane ? lane->labels - lane->first : search->extra;
    int32_t start = plan->nodes[node];
    int32_t last = lane ? lane->last : plan->node_count - 1;
    int32_t known = varint_size(start - label.string);
    int32_t at = 0;
    for (int32_t next = node + 1; next <= last; next++) {
        int32_t length = plan->nodes[next] - start;
        if (length > plan->window) {
            break;
        }
        matcher_run(matcher, start, start + length);
        while (at < length) {
            at++;
            parse_step(search->states, matcher_at(matcher, start + at), at);
        }
        int32_t size = block_size_at(search->states, length);
        int32_t cost = label.cost + size;
        if (size > plan->block_size || cost > search->best[next] + plan->slack) {
            break;
        }
        cost += varint_size(size) + varint_size(plan->nodes[next] - label.string) - known;
        if (cost < labels[next].cost) {
            labels[next] = label;
            labels[next].cost = cost;
            labels[next].from = node;
            labels[next].position = lane ? plan->nodes[next] + lane->segment->shift : label.position;
            if (cost < search->best[next]) {
                search->best[next] = cost;
            }
        }
    }
}

/* How many of the next bytes are the same along a segment. */
static int32_t promise(const fota_plan_t *plan, const fota_segment_t *segment, int32_t at,
                       int32_t count)
{
    int32_t equal = 0;
    int32_t end = at + count < segment->end ? at + count : segment->end;
    for (; at < end; at++) {
        equal += plan->new_image[at] == plan->old_image[at + segment->shift];
    }
    return equal;
}

static void leave_node(search_t *search, int32_t node)
{
    const fota_plan_t *plan = search->plan;
    int32_t at = plan->nodes[node];
    label_t cheapest = search->extra[node];
    int32_t cheapest_mode = EXTRA;
    for (int32_t i = 0; i < search->active_count; i++) {
        int32_t index = search->active[i];
        const label_t *label = &search->lanes[index].labels[node - search->lanes[index].first];
        if (label->cost < cheapest.cost) {
            cheapest = *label;
            cheapest_mode = index;
        }
    }
    if (cheapest.cost >= NEVER) {
        return;
    }
    /* While the cheapest way goes on through equal bytes, none other is begun. */
    int settled = plan->settled > 0 && cheapest_mode != EXTRA
                  && promise(plan, search->lanes[cheapest_mode].segment, at, plan->settled)
                         == plan->settled;
    label_t label = search->extra[node];
    label.mode = EXTRA;
    if (cheapest_mode != EXTRA) {
        label = cheapest;
        label.mode = cheapest_mode;
        label.string = at;
    }
    if (!settled) {
        price_frames(search, node, EXTRA, label);
    }
    int32_t ahead = node + 1;
    while (ahead < plan->node_count && plan->nodes[ahead] < at + FURTHER) {
        ahead++;
    }
    for (int32_t i = 0; i < search->active_count; i++) {
        int32_t index = search->active[i];
        lane_t *lane = &search->lanes[index];
        int32_t seek = at + lane->segment->shift - cheapest.position;
        int32_t entry = cheapest.cost + 2 + seek_size(seek);
        if (seek == 0 && (cheapest_mode != EXTRA || node == 0)) { /* The same diagonal, or no other. */
            entry = cheapest.cost;
        }
        label = lane->labels[node - lane->first];
        label.mode = index;
        if (entry < label.cost && !settled
            && promise(plan, lane->segment, at, PROMISE) >= plan->promise) {
            label = cheapest;
            label.cost = entry;
            label.mode = cheapest_mode;
            if (cheapest_mode == EXTRA || seek != 0) {
                label.string = at;
            }
        }
        if (label.cost < NEVER
            && (ahead > lane->last || lane->labels[ahead - lane->first].cost > label.cost)) {
            price_frames(search, node, index, label);
        }
    }
}

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

static void clear_labels(label_t *labels, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        labels[i].cost = NEVER;
    }
}

static int prepare(search_t *search)
{
    const fota_plan_t *plan = search->plan;
    size_t room = (size_t)plan->window + 1;
    search->best = malloc((size_t)plan->node_count * sizeof *search->best);
    search->extra = malloc((size_t)plan->node_count * sizeof *search->extra);
    search->lanes = calloc((size_t)plan->segment_count + 1, sizeof *search->lanes);
    search->active = malloc(((size_t)plan->segment_count + 1) * sizeof *search->active);
    search->states = malloc(room * sizeof *search->states);
    search->matcher = matcher_new(plan->new_image, NULL, 0, plan->window, plan->depth);
    if (!search->best || !search->extra || !search->lanes || !search->active || !search->states
        || !search->matcher) {
        return -1;
    }
    search->states[0] = (state_t){0, 0, NEVER, 0};
    clear_labels(search->extra, plan->node_count);
    for (int32_t i = 0; i < plan->node_count; i++) {
        search->best[i] = NEVER;
    }
    /* Opening a record takes two bytes, its seek is paid when the next one opens. */
    search->extra[0] = (label_t){2, NO_NODE, EXTRA, 0, 0};
    search->best[0] = 2;
    return 0;
}

static int enter_lanes(search_t *search, int32_t node, int32_t *next)
{
    const fota_plan_t *plan = search->plan;
    int32_t at = plan->nodes[node];
    int32_t kept = 0;
    for (int32_t i = 0; i < search->active_count; i++) {
        lane_t *lane = &search->lanes[search->active[i]];
        if (lane->last >= node) {
            search->active[kept++] = search->active[i];
        } else {
            matcher_free(lane->matcher);
            lane->matcher = NULL;
        }
    }
    for (; *next < plan->segment_count && plan->segments[*next].begin <= at; (*next)++) {
        const fota_segment_t *segment = &plan->segments[*next];
        lane_t *lane = &search->lanes[*next];
        lane->segment = segment;
        lane->first = node;
        lane->last = find_node(plan, segment->end + 1) - 1;
        if (lane->last <= node) {
            continue;
        }
        int32_t count = lane->last - node + 1;
        lane->labels = malloc((size_t)count * sizeof *lane->labels);
        lane->matcher = matcher_new(plan->new_image, plan->old_image + segment->shift, at,
                                    plan->window, plan->depth);
        if (lane->labels == NULL || lane->matcher == NULL) {
            return -1;
        }
        clear_labels(lane->labels, count);
        search->active[kept++] = *next;
    }
    search->active_count = kept;
    return 0;
}

/* Writes the frames from the last to the first, then turns them round. */
static int32_t walk_back(const search_t *search, fota_frame_t *frames, int32_t *cost)
{
    const fota_plan_t *plan = search->plan;
    int32_t node = plan->node_count - 1;
    int32_t mode = EXTRA;
    int32_t count = 0;
    *cost = search->extra[node].cost;
    for (int32_t i = 0; i < plan->segment_count; i++) {
        const lane_t *lane = &search->lanes[i];
        if (lane->labels != NULL && lane->last == node
            && lane->labels[node - lane->first].cost < *cost) {
            mode = i;
            *cost = lane->labels[node - lane->first].cost;
        }
    }
    while (node > 0) {
        const label_t *label = mode == EXTRA ? &search->extra[node]
                                             : &search->lanes[mode].labels[node - search->lanes[mode].first];
        frames[count++] = (fota_frame_t){plan->nodes[label->from], plan->nodes[node], mode};
        node = label->from;
        mode = label->mode;
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
    search_t search = {.plan = plan};
    int32_t count = -1;
    int32_t next = 0;
    if (prepare(&search) == 0) {
        count = 0;
        for (int32_t node = 0; node < plan->node_count - 1 && count == 0; node++) {
            count = enter_lanes(&search, node, &next);
            if (count == 0) {
                leave_node(&search, node);
            }
        }
        if (count == 0) {
            count = walk_back(&search, frames, cost);
        }
    }
    for (int32_t i = 0; search.lanes != NULL && i < plan->segment_count; i++) {
        matcher_free(search.lanes[i].matcher);
        free(search.lanes[i].labels);
    }
    matcher_free(search.matcher);
    free(search.best);
    free(search.extra);
    free(search.lanes);
    free(search.active);
    free(search.states);
    return count;
}
