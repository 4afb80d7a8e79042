/*
 * What Windows says of this process, in place of tests/c/proc.h. A program that needs more of that file does not compile, and is
 * named as not run.
 */
#ifndef PROC_H
#define PROC_H

#include <winsock2.h>
#include <windows.h>
#include <psapi.h>
#include <tlhelp32.h>

#include "check.h"

static inline nomyo_memory_info memory_info(void) {
    nomyo_memory_info info = {0};
    CHECK_INT(nomyo_memory_info_get(&info, sizeof info), NOMYO_OK);
    return info;
}

static inline long proc_threads(void) {
    HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
    THREADENTRY32 thread = {.dwSize = sizeof thread};
    long number = 0;
    if (all == INVALID_HANDLE_VALUE) {
        return -1;
    }
    for (BOOL more = Thread32First(all, &thread); more; more = Thread32Next(all, &thread)) {
        number += thread.th32OwnerProcessID == GetCurrentProcessId();
    }
    CloseHandle(all);
    return number;
}

static inline long proc_resident(void) {
    PROCESS_MEMORY_COUNTERS counters = {.cb = sizeof counters};
    return K32GetProcessMemoryInfo(GetCurrentProcess(), &counters, sizeof counters) ? (long)(counters.WorkingSetSize / 1024) : -1;
}

/* "Threads", "VmRSS" in kB, or "VmLck" in kB: Windows has no account of locked memory, so that this is the library's own. */
static inline long proc_status(const char *name) {
    return strcmp(name, "Threads") == 0 ? proc_threads()
           : strcmp(name, "VmRSS") == 0 ? proc_resident()
           : strcmp(name, "VmLck") == 0 ? (long)(memory_info().locked / 1024)
                                        : -1;
}

/* Regions of one state and protection, but for free ones. */
static inline long proc_mappings(void) {
    MEMORY_BASIC_INFORMATION about;
    long number = 0;
    for (char *at = NULL; VirtualQuery(at, &about, sizeof about) == sizeof about;
         at = (char *)about.BaseAddress + about.RegionSize) {
        number += about.State != MEM_FREE;
    }
    return number;
}

/* Open handles: files and sockets, but also threads and events. Wine 8 answers 0. */
static inline long proc_files(void) {
    DWORD number = 0;
    return GetProcessHandleCount(GetCurrentProcess(), &number) ? (long)number : -1;
}

/* What "Threads" says of a process that has one thread. */
static inline long one_thread(void) {
    return 1;
}

#endif
