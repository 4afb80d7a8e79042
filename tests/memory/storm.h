/* Signals that a timer sends while the library works (storm.c). */
#ifndef NOMYO_TESTS_STORM_H
#define NOMYO_TESTS_STORM_H

#include <stdbool.h>

/* Addresses in the mappings of the kept frames and of the handlers' own stack. */
struct storm {
    const void *frames, *stack;
};

/* Sends two signals `hz` times a second each: one to the process, one to the calling thread. Their handlers run on a stack
 * of their own, or on the thread's. Both signals are blocked until storm_let(). */
struct storm storm_begin(long hz, bool own_stack);

/* Lets the signals in, and drops the frames that were kept before. */
void storm_let(void);

/* Blocks the signals. */
void storm_hold(void);

/* How many signals came since storm_begin(). */
unsigned long storm_ticks(void);

#endif
