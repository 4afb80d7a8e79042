/*
 * Reads the memory of another process of this Windows. For each line on standard input, which names a process, it writes binary
 * records to standard output: all committed memory that can be read, except for pages of zeros and for pages of a program or library
 * that cannot be written. tests/memory/windows.py reads them.
 *
 *   R start end protection guarded      a region. `guarded` is 1 if reserved pages of its own allocation surround it
 *   D start length, and the bytes       pages in a row that are not zero
 *   U start length                      pages that could not be read although their protection allows it
 *   E 0 0                               the end
 */
#include <fcntl.h>
#include <io.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

enum { PAGE = 4096, CHUNK = 1 << 20, MOST = 1 << 16 };

static MEMORY_BASIC_INFORMATION regions[MOST];
static unsigned char chunk[CHUNK];

static void record(char kind, uint64_t first, uint64_t second) {
    putchar(kind);
    fwrite(&first, sizeof first, 1, stdout);
    fwrite(&second, sizeof second, 1, stdout);
}

static uint64_t start_of(const MEMORY_BASIC_INFORMATION *region) {
    return (uint64_t)(uintptr_t)region->BaseAddress;
}

static int is_a_guard(const MEMORY_BASIC_INFORMATION *neighbour, const MEMORY_BASIC_INFORMATION *region) {
    return neighbour->State == MEM_RESERVE && neighbour->AllocationBase == region->AllocationBase;
}

/* The pages of a chunk, without those of zeros. */
static void write_pages(uint64_t start, size_t len) {
    static const unsigned char zeros[PAGE];
    size_t first = 0;
    for (size_t at = 0; at <= len; at += PAGE) {
        if (at == len || memcmp(chunk + at, zeros, PAGE) == 0) {
            if (at > first) {
                record('D', start + first, at - first);
                fwrite(chunk + first, 1, at - first, stdout);
            }
            first = at + PAGE;
        }
    }
}

static void read_region(HANDLE process, const MEMORY_BASIC_INFORMATION *region) {
    uint64_t end = start_of(region) + region->RegionSize;
    for (uint64_t at = start_of(region); at < end;) {
        size_t len = end - at < CHUNK ? (size_t)(end - at) : CHUNK;
        SIZE_T got = 0;
        if (ReadProcessMemory(process, (void *)(uintptr_t)at, chunk, len, &got) && got == len) {
            write_pages(at, len);
        } else if (len == PAGE) {
            record('U', at, len);
        } else {
            /* Page by page, so that only the pages that are gone are missing. */
            for (uint64_t page = at; page < at + len; page += PAGE) {
                if (ReadProcessMemory(process, (void *)(uintptr_t)page, chunk, PAGE, &got) && got == PAGE) {
                    write_pages(page, PAGE);
                } else {
                    record('U', page, PAGE);
                }
            }
        }
        at += len;
    }
}

static int read_process(DWORD number) {
    HANDLE process = OpenProcess(PROCESS_VM_READ | PROCESS_QUERY_INFORMATION, FALSE, number);
    size_t count = 0;
    if (process == NULL) {
        fprintf(stderr, "read_process: process %lu cannot be opened: error %lu\n", number, GetLastError());
        return 0;
    }
    for (char *at = NULL; count < MOST && VirtualQueryEx(process, at, &regions[count], sizeof *regions) == sizeof *regions;
         at = (char *)regions[count].BaseAddress + regions[count].RegionSize, count++) {
    }
    for (size_t i = 0; i < count; i++) {
        const MEMORY_BASIC_INFORMATION *region = &regions[i];
        int constant = region->Type == MEM_IMAGE && (region->Protect & (PAGE_READONLY | PAGE_EXECUTE | PAGE_EXECUTE_READ)) != 0;
        if (region->State != MEM_COMMIT || (region->Protect & (PAGE_NOACCESS | PAGE_GUARD)) != 0 || constant) {
            continue;
        }
        uint64_t facts[2] = {region->Protect,
                             i > 0 && i + 1 < count && is_a_guard(region - 1, region) && is_a_guard(region + 1, region)};
        record('R', start_of(region), start_of(region) + region->RegionSize);
        fwrite(facts, sizeof facts, 1, stdout);
        read_region(process, region);
    }
    record('E', 0, 0);
    CloseHandle(process);
    return fflush(stdout) == 0 && count < MOST;
}

int main(void) {
    char line[32];
    _setmode(_fileno(stdout), _O_BINARY);
    while (fgets(line, sizeof line, stdin) != NULL) {
        if (!read_process(strtoul(line, NULL, 10))) {
            return EXIT_FAILURE;
        }
    }
    return EXIT_SUCCESS;
}
