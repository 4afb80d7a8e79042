/* Part of Winsock. */
#include <sys/socket.h>
