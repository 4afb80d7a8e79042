/*
 * What the kernel says of this process, and children to do what must not be done in it.
 */
#ifndef PROC_H
#define PROC_H

#include <dirent.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

/* Bytes of a page: 4096, or up to 65536 on arm64. */
#define PAGE sysconf(_SC_PAGESIZE)

/* The number behind `name` in /proc/self/status: kB for the Vm ones. -1 when it is not there. */
static inline long proc_status(const char *name) {
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    long number = -1;
    while (file != NULL && number < 0 && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':') {
            number = strtol(line + strlen(name) + 1, NULL, 10);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return number;
}

/* Bytes of this process that the kernel has locked. */
static inline long long proc_locked(void) {
    return 1024LL * proc_status("VmLck");
}

static inline long proc_mappings(void) {
    FILE *file = fopen("/proc/self/maps", "r");
    long lines = 0;
    for (int c; file != NULL && (c = fgetc(file)) != EOF;) {
        lines += c == '\n';
    }
    if (file != NULL) {
        fclose(file);
    }
    return lines;
}

/* Open file descriptors. */
static inline long proc_files(void) {
    DIR *directory = opendir("/proc/self/fd");
    long entries = 0;
    while (directory != NULL && readdir(directory) != NULL) {
        entries++;
    }
    if (directory != NULL) {
        closedir(directory);
    }
    return entries - 3; /* `.`, `..`, the directory itself */
}

/* Whether the mapping that holds `address` has this two-letter flag (proc(5), VmFlags). */
static inline int proc_flag(const void *address, const char *flag) {
    FILE *file = fopen("/proc/self/smaps", "r");
    char line[1024], wanted[8];
    int here = 0, has = 0;
    snprintf(wanted, sizeof wanted, " %s ", flag);
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        unsigned long from, to;
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2) {
            here = from <= (uintptr_t)address && (uintptr_t)address < to;
        } else if (here && strncmp(line, "VmFlags:", 8) == 0) {
            has = strstr(line, wanted) != NULL;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return has;
}

/* What "Threads" says of a process that has one thread. An emulator adds its own, to a forked child too. */
static inline long one_thread(void) {
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        _exit((int)proc_status("Threads"));
    }
    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline nomyo_memory_info memory_info(void) {
    nomyo_memory_info info = {0};
    CHECK_INT(nomyo_memory_info_get(&info, sizeof info), NOMYO_OK);
    return info;
}

/* What the caller has locked, as the kernel counts it: all but the library's own memory. */
static inline long long locked_by_caller(void) {
    nomyo_memory_info info = memory_info(); /* first: in a forked child it locks what the library has */
    return proc_locked() - (long long)info.locked;
}

/* Gives up every capability, and with it the right to lock more than `memlock` bytes. False when that cannot be had. */
static inline int limited_to(rlim_t memlock) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2];
    struct rlimit limit = {memlock, memlock};
    memset(none, 0, sizeof none);
    return setrlimit(RLIMIT_MEMLOCK, &limit) == 0 && syscall(SYS_capset, &header, none) == 0;
}

/* The wait status of a child that runs `body`; what it checks is counted there. */
static inline int child_status(void (*body)(void *), void *argument) {
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        check_passed = check_failed = 0;
        alarm(900); /* an emulator takes minutes */
        body(argument);
        fflush(NULL);
        _exit(check_failed == 0 && check_passed > 0 ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    int status = -1;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    return status;
}

/* In the child that is to die: no sanitizer's handler, no core. */
static inline void expect_to_die(void) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    signal(SIGSEGV, SIG_DFL);
    signal(SIGBUS, SIG_DFL);
}

#define IN_A_CHILD(body, argument) CHECK_INT(child_status(body, argument), 0)

#endif
