/* Resident memory of this process, in kB. */
#ifndef RESIDENT_H
#define RESIDENT_H

#include <stdio.h>
#include <string.h>

/* A figure of /proc/self/status, such as `VmRSS`; 0 if the system has none. */
static inline long status_kb(const char *name) {
    char line[128];
    long kb = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status != NULL && fgets(line, sizeof line, status) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0) sscanf(line + strlen(name), ": %ld", &kb);
    }
    if (status != NULL) fclose(status);
    return kb;
}

/* Not ru_maxrss, which begins with the peak of the program that started this one. */
static inline long peak_kb(void) { return status_kb("VmHWM"); }

/* Sets the peak to the memory that is resident now, and returns it (proc(5), clear_refs). */
static inline long peak_from_here(void) {
    FILE *file = fopen("/proc/self/clear_refs", "w");
    if (file != NULL) {
        fputs("5", file);
        fclose(file);
    }
    return status_kb("VmRSS");
}

#endif
