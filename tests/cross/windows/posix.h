/*
 * Functions of POSIX that the C library of Windows lacks, as far as the test programs use them. It is included before each of them.
 */
#ifndef TESTS_POSIX_H
#define TESTS_POSIX_H

#include <direct.h>
#include <fcntl.h>
#include <io.h>
#include <limits.h>
#include <process.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "proc.h"

#define O_CLOEXEC _O_NOINHERIT
#undef O_CREAT
#define O_CREAT (_O_CREAT | _O_BINARY)

/* Makes a directory. The mode says that it is for its owner: here it inherits the rights of the directory that it is in. */
static inline int posix_mkdir(const char *path, int mode) {
    (void)mode;
    return _mkdir(path);
}
#define mkdir posix_mkdir

/* A new directory. Its name replaces the six characters X at the end of `template`. */
static inline char *mkdtemp(char *template) {
    static unsigned made;
    char *end = template + strlen(template) - 6;
    for (int attempt = 0; attempt < 256; attempt++) {
        snprintf(end, 7, "%02x%04x", made++ & 0xff, (unsigned)_getpid() & 0xffff);
        if (_mkdir(template) == 0) {
            return template;
        }
    }
    return NULL;
}

static inline char *strndup(const char *text, size_t most) {
    size_t len = strnlen(text, most);
    char *copy = calloc(1, len + 1);
    return copy != NULL ? memcpy(copy, text, len) : NULL;
}

static inline char *posix_stpcpy(char *to, const char *from) {
    return strcpy(to, from) + strlen(from);
}
#define stpcpy posix_stpcpy

static inline struct tm *posix_gmtime_r(const time_t *time, struct tm *out) {
    return gmtime_s(out, time) == 0 ? out : NULL;
}
#define gmtime_r posix_gmtime_r

static inline int setenv(const char *name, const char *value, int overwrite) {
    return overwrite || getenv(name) == NULL ? _putenv_s(name, value) : 0;
}

static inline int unsetenv(const char *name) {
    return _putenv_s(name, "");
}

/* A number from 0 to RAND_MAX. The generator is that of ISO C's example. */
static inline int rand_r(unsigned *seed) {
    *seed = *seed * 1103515245u + 12345u;
    return (int)(*seed / 65536u % ((unsigned)RAND_MAX + 1));
}

static inline void posix_alarm_thread(void *seconds) {
    Sleep((DWORD)(uintptr_t)seconds * 1000);
    fprintf(stderr, "the alarm after %u s\n", (unsigned)(uintptr_t)seconds);
    TerminateProcess(GetCurrentProcess(), 142); /* as a shell reports SIGALRM */
}

/* Ends the process after so many seconds. A second alarm does not replace the first. */
static inline unsigned alarm(unsigned seconds) {
    _beginthread(posix_alarm_thread, 0, (void *)(uintptr_t)seconds);
    return 0;
}

#endif
