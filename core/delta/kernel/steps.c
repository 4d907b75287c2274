/* The ways that lead to labels. Most of them lose and are dropped now and then. */
#include "plan.h"

#include <stdlib.h>

enum { FEW = 8192 };

int32_t add_step(search_t *search, step_t step)
{
    if (search->step_count == search->step_room) {
        int32_t room = search->step_room + search->step_room / 2 + FEW;
        step_t *steps = realloc(search->steps, (size_t)room * sizeof *steps);
        if (steps == NULL) {
            return NO_STEP;
        }
        search->steps = steps;
        search->step_room = room;
    }
    search->steps[search->step_count] = step;
    return search->step_count++;
}

/* Calls for each way that a label of a lane was reached: marks its step, or renumbers it. */
static void visit(const search_t *search, const lane_t *lane, int32_t *numbers, int renumber)
{
    for (int32_t slot = 0; slot <= search->mask; slot++) {
        label_t *label = &lane->labels[slot];
        if (label->cost < NEVER && label->step != NO_STEP) {
            if (renumber) {
                label->step = numbers[label->step];
            } else {
                numbers[label->step] = 1;
            }
        }
    }
}

static void visit_all(const search_t *search, int32_t *numbers, int renumber)
{
    visit(search, &search->extra, numbers, renumber);
    for (int32_t i = 0; i < search->active_count; i++) {
        visit(search, &search->lanes[search->active[i]], numbers, renumber);
    }
}

int drop_steps(search_t *search)
{
    if (search->step_count < search->step_limit) {
        return 0;
    }
    int32_t *numbers = calloc((size_t)search->step_count + 1, sizeof *numbers);
    int32_t kept = 0;
    if (numbers == NULL) {
        return -1;
    }
    visit_all(search, numbers, 0);
    for (int32_t i = search->step_count - 1; i >= 0; i--) { /* What is before comes earlier. */
        if (numbers[i] && search->steps[i].before != NO_STEP) {
            numbers[search->steps[i].before] = 1;
        }
    }
    for (int32_t i = 0; i < search->step_count; i++) {
        if (numbers[i]) {
            step_t step = search->steps[i];
            step.before = step.before == NO_STEP ? NO_STEP : numbers[step.before];
            search->steps[kept] = step;
            numbers[i] = kept++;
        }
    }
    visit_all(search, numbers, 1);
    free(numbers);
    search->step_count = kept;
    search->step_limit = 2 * kept + FEW;
    return 0;
}
