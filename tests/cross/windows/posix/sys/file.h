/*
 * flock() over LockFileEx, as far as the test programs use it.
 */
#ifndef POSIX_SYS_FILE_H
#define POSIX_SYS_FILE_H

#include <io.h>
#include <winsock2.h>
#include <windows.h>

#define LOCK_EX LOCKFILE_EXCLUSIVE_LOCK
#define LOCK_NB LOCKFILE_FAIL_IMMEDIATELY

static inline int flock(int fd, int operation) {
    OVERLAPPED from_the_start = {0};
    return LockFileEx((HANDLE)_get_osfhandle(fd), (DWORD)operation, 0, MAXDWORD, MAXDWORD, &from_the_start) ? 0 : -1;
}

#endif
