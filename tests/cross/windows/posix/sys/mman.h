/*
 * Mappings of POSIX over VirtualAlloc, as far as the test programs use them.
 */
#ifndef POSIX_SYS_MMAN_H
#define POSIX_SYS_MMAN_H

#include <windows.h>

#define PROT_READ 1
#define PROT_WRITE 2
#define MAP_PRIVATE 0
#define MAP_ANONYMOUS 0

/* Always a new mapping that can be read and written. */
static inline void *mmap(void *address, size_t len, int protection, int flags, int fd, long offset) {
    (void)address, (void)protection, (void)flags, (void)fd, (void)offset;
    return VirtualAlloc(NULL, len, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
}

static inline int munmap(void *address, size_t len) {
    (void)len;
    return VirtualFree(address, 0, MEM_RELEASE) ? 0 : -1;
}

static inline int mlock(void *address, size_t len) {
    return VirtualLock(address, len) ? 0 : -1;
}

#endif
