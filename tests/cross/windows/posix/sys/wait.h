/* Windows has no fork. fork() fails, and nothing is waited for. */
#ifndef POSIX_SYS_WAIT_H
#define POSIX_SYS_WAIT_H

#include <unistd.h>

#define SIGKILL 9

static inline pid_t fork(void) {
    return -1;
}

static inline int kill(pid_t process, int signal) {
    (void)process, (void)signal;
    return -1;
}

static inline pid_t waitpid(pid_t process, int *status, int options) {
    (void)process, (void)status, (void)options;
    return -1;
}

static inline int pause(void) {
    Sleep(INFINITE);
    return -1;
}

#endif
