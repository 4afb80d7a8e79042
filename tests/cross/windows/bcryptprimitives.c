/*
 * ProcessPrng, which Rust's standard library takes from bcryptprimitives.dll. Wine 8 has no such library, and Windows has. The
 * programs that run under Wine find this one beside themselves.
 */
#include <windows.h>

#include <ntsecapi.h> /* RtlGenRandom */

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE bytes, SIZE_T len) {
    while (len > 0) {
        ULONG part = len > 65536 ? 65536 : (ULONG)len;
        if (!RtlGenRandom(bytes, part)) {
            return FALSE;
        }
        bytes += part;
        len -= part;
    }
    return TRUE;
}
