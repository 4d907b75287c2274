/* What the search for the cheapest way keeps while it goes through the new image. */
#ifndef FOTA_PLAN_H
#define FOTA_PLAN_H

#include "parser.h"

enum { EXTRA = -1, NO_STEP = -1 };

/* A frame that ends at a node, on the cheapest way there in one mode. */
typedef struct {
    int32_t cost;
    int32_t step;     /* Where the frame begins. */
    int32_t string;   /* Where the string that the frame belongs to begins. */
    int32_t position; /* In the old image, behind the last diff. */
} label_t;

/* A node that a frame begins at, and the way there. */
typedef struct {
    int32_t node;
    int32_t mode;   /* Of the frame that ends here. */
    int32_t before; /* The step where that one begins. */
} step_t;

/* A segment while nodes inside of it are looked at. */
typedef struct {
    const fota_segment_t *segment;
    matcher_t *matcher;
    label_t *labels; /* Ring, by node. */
    int32_t last;    /* Node. */
} lane_t;

typedef struct {
    const fota_plan_t *plan;
    int32_t mask;      /* Of the rings: they hold the nodes that one frame can reach. */
    int32_t *best;     /* Ring: cheapest label of each node. */
    lane_t extra;      /* The extra strings. */
    lane_t *lanes;     /* Of all segments. */
    int32_t *active;   /* Lanes at the current node. */
    int32_t active_count;
    int32_t waiting;   /* The first segment that was not looked at. */
    states_t states;   /* The parser, by plain bytes since the frame began. */
    step_t *steps;
    int32_t step_count;
    int32_t step_room;
    int32_t step_limit; /* So many of them, and those that lead nowhere are dropped. */
} search_t;

/* 0, or -1 without memory; to be closed in any case. */
int search_open(search_t *search, const fota_plan_t *plan);
void search_close(search_t *search);
/* Opens the lanes that begin at a node or before, closes those that end before. */
int search_enter(search_t *search, int32_t node);
/* Takes in a step and returns its number, NO_STEP without memory. */
int32_t add_step(search_t *search, step_t step);
/* Drops steps that lead to no label, from time to time; -1 without memory. */
int drop_steps(search_t *search);
/* Forgets the labels of a node. */
void search_forget(search_t *search, int32_t node);

#endif
