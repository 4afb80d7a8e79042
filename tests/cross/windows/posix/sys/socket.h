/*
 * Sockets of POSIX over Winsock, as far as the test programs use them. A socket is an int, as in POSIX: Windows gives out handles
 * that fit.
 */
#ifndef POSIX_SYS_SOCKET_H
#define POSIX_SYS_SOCKET_H

#include <io.h>
#include <winsock2.h>
#include <ws2tcpip.h>

#define MSG_NOSIGNAL 0
#define SHUT_RDWR SD_BOTH
/* Needed to compile what runs in a network namespace only. */
#define SOCK_NONBLOCK 0

/* Opens a socket. The first one starts Winsock, which needs no end. */
static inline int posix_socket(int family, int type, int protocol) {
    WSADATA about;
    SOCKET opened = WSAStartup(MAKEWORD(2, 2), &about) == 0 ? socket(family, type, protocol) : INVALID_SOCKET;
    return opened == INVALID_SOCKET ? -1 : (int)opened;
}

/* Closes a socket or a file. The numbers of sockets are multiples of 4 and far above the files that a test has open. */
static inline int posix_close(int fd) {
    return fd >= 32 && closesocket((SOCKET)fd) == 0 ? 0 : _close(fd);
}

#define socket posix_socket
#define close posix_close

#endif
