/*
 * ProcessPrng, which Rust's standard library takes from bcryptprimitives.dll. Wine 8 has no such library, and Windows has. The
 * programs that run under Wine find this one beside themselves.
 *
 * The bytes come from the kernel below Wine, by the path that Wine gives to its files. Wine's RtlGenRandom() fetches more bytes than
 * it returns and keeps them in static memory, where a scan of memory would find keys before and after they exist.
 */
#include <windows.h>

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE bytes, SIZE_T len) {
    HANDLE source = CreateFileW(L"\\\\?\\unix\\dev\\urandom", GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING,
                                0, NULL);
    BOOL read = source != INVALID_HANDLE_VALUE;
    while (read && len > 0) {
        DWORD part = len > 65536 ? 65536 : (DWORD)len, got = 0;
        read = ReadFile(source, bytes, part, &got, NULL) && got > 0;
        bytes += got;
        len -= got;
    }
    if (source != INVALID_HANDLE_VALUE) {
        CloseHandle(source);
    }
    return read;
}
