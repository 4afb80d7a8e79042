/* A system that has no more threads for this process (threads.c). */
#ifndef NOMYO_TESTS_THREADS_H
#define NOMYO_TESTS_THREADS_H

#include <stdbool.h>

/* Makes every start of a thread or of a process fail with EAGAIN from now on. False if the system has no seccomp. */
bool refuse_threads(void);

#endif
