/*
 * Stands for tests/memory/storm.c and threads.c in a flow program for Windows, which has neither signals nor seccomp. Its standard
 * streams carry bytes, so that no line end is translated.
 */
#include <fcntl.h>
#include <io.h>
#include <stdio.h>

#include "../../memory/storm.h"
#include "../../memory/threads.h"

__attribute__((constructor)) static void streams_carry_bytes(void) {
    _setmode(_fileno(stdin), _O_BINARY);
    _setmode(_fileno(stdout), _O_BINARY);
}

struct storm storm_begin(long hz, bool own_stack) {
    (void)hz, (void)own_stack;
    return (struct storm){NULL, NULL};
}

void storm_let(void) {
}

void storm_hold(void) {
}

unsigned long storm_ticks(void) {
    return 0;
}

bool refuse_threads(void) {
    return false;
}
