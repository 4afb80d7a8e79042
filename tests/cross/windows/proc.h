/*
 * What Windows says of this process, in place of tests/c/proc.h. A program that needs more of that file does not compile, and is
 * named as not run.
 */
#ifndef PROC_H
#define PROC_H

#include <winsock2.h>
#include <windows.h>
#include <tlhelp32.h>

#include "check.h"

/* Only "Threads" is known. */
static inline long proc_status(const char *name) {
    HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
    THREADENTRY32 thread = {.dwSize = sizeof thread};
    long number = 0;
    if (strcmp(name, "Threads") != 0 || all == INVALID_HANDLE_VALUE) {
        return -1;
    }
    for (BOOL more = Thread32First(all, &thread); more; more = Thread32Next(all, &thread)) {
        number += thread.th32OwnerProcessID == GetCurrentProcessId();
    }
    CloseHandle(all);
    return number;
}

/* Open handles: files and sockets, but also threads and events. */
static inline long proc_files(void) {
    DWORD number = 0;
    return GetProcessHandleCount(GetCurrentProcess(), &number) ? (long)number : -1;
}

/* What "Threads" says of a process that has one thread. */
static inline long one_thread(void) {
    return 1;
}

static inline nomyo_memory_info memory_info(void) {
    nomyo_memory_info info = {0};
    CHECK_INT(nomyo_memory_info_get(&info, sizeof info), NOMYO_OK);
    return info;
}

#endif
