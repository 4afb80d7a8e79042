/*
 * The memory report on Windows, and whether it is true: guards, locks, wiping, what is given back.
 */
#include "endpoint.h"
#include "proc.h"

enum { PAGE = 4096 };

static MEMORY_BASIC_INFORMATION about(const void *address) {
    MEMORY_BASIC_INFORMATION info = {0};
    CHECK(VirtualQuery(address, &info, sizeof info) == sizeof info);
    return info;
}

/* Whether the page is locked: only then VirtualUnlock succeeds. It is locked again. */
static int is_locked(void *page) {
    return VirtualUnlock(page, 1) && VirtualLock(page, 1);
}

static void the_report_is_true(void) {
    nomyo_memory_info info = memory_info();
    int can_exclude = GetProcAddress(GetModuleHandleA("kernel32.dll"), "WerRegisterExcludedMemoryBlock") != NULL;
    SIZE_T least = 0, most = 0;
    CHECK(GetProcessWorkingSetSize(GetCurrentProcess(), &least, &most));
    printf("memory: level %d, limit %llu, mapped %llu, locked %llu, refused %llu, dump_excluded %d, fork_excluded %d\n",
           (int)info.level, (unsigned long long)info.limit, (unsigned long long)info.mapped,
           (unsigned long long)info.locked, (unsigned long long)info.refused, (int)info.dump_excluded,
           (int)info.fork_excluded);
    CHECK_INT(info.page_size, PAGE);
    CHECK_INT(info.limit, least);
    CHECK(info.mapped > 0 && info.locked == info.mapped);
    CHECK_INT(info.refused, 0);
    CHECK_INT(info.dump_excluded, can_exclude);
    CHECK_INT(info.fork_excluded, 1);
    CHECK_INT(info.level, can_exclude ? NOMYO_MEMORY_LEVEL_FULL : NOMYO_MEMORY_LEVEL_PARTIAL);
}

static void a_secret_is_between_guards_and_locked_and_goes(void) {
    nomyo_error *err = NULL;
    unsigned char *secret = nomyo_secret_alloc(5000, &err);
    CHECK(secret != NULL && err == NULL);
    unsigned char *data = (unsigned char *)((uintptr_t)secret & ~(uintptr_t)(PAGE - 1)), *end = secret + 5000;
    CHECK_INT(about(data).State, MEM_COMMIT);
    CHECK_INT(about(data).Protect, PAGE_READWRITE);
    CHECK_INT(about(data).RegionSize, 2 * PAGE);
    CHECK_INT(about(data - 1).State, MEM_RESERVE);
    CHECK_INT(about(end).State, MEM_RESERVE);
    CHECK(is_locked(data) && is_locked(data + PAGE));
    for (int i = 0; i < 5000; i++) {
        CHECK(secret[i] == 0);
    }
    memset(secret, 0x5a, 5000);
    nomyo_wipe(secret, 100);
    CHECK(secret[0] == 0 && secret[99] == 0 && secret[100] == 0x5a);
    nomyo_secret_free(secret);
    CHECK_INT(about(data).State, MEM_FREE);
}

/* Large locks raise the minimum working set, which is the limit. */
static void more_than_the_limit_is_locked(void) {
    nomyo_error *err = NULL;
    size_t len = (size_t)memory_info().limit + (1 << 20);
    unsigned char *secret = nomyo_secret_alloc(len, &err);
    CHECK(secret != NULL && err == NULL);
    CHECK(is_locked(secret) && is_locked(secret + len - 1));
    CHECK_INT(memory_info().refused, 0);
    nomyo_secret_free(secret);
}

static void locks_of_the_caller_are_counted(void) {
    unsigned char *own = VirtualAlloc(NULL, 2 * PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    ACCEPTED(nomyo_lock, own + 10, 2 * PAGE - 20); /* twice */
    ACCEPTED(nomyo_unlock, own + 10, 2 * PAGE - 20);
    REFUSED(NOMYO_ERR_ARGUMENT, "was not locked", nomyo_unlock, own, 1);
    REFUSED(NOMYO_ERR_SECURITY, "refused to lock", nomyo_lock, (void *)PAGE, 1); /* nothing is there */
    CHECK(VirtualFree(own, 0, MEM_RELEASE));
}

/* A child that touches the byte behind a secret ends with an access violation. */
static void the_byte_behind_a_secret_faults(const char *self) {
    char command[MAX_PATH + 16];
    STARTUPINFOA start = {.cb = sizeof start};
    PROCESS_INFORMATION child;
    DWORD code = 0;
    snprintf(command, sizeof command, "\"%s\" touch", self);
    if (CHECK(CreateProcessA(NULL, command, NULL, NULL, FALSE, 0, NULL, NULL, &start, &child))) {
        CHECK(WaitForSingleObject(child.hProcess, 60000) == WAIT_OBJECT_0 && GetExitCodeProcess(child.hProcess, &code));
        CHECK_INT(code, EXCEPTION_ACCESS_VIOLATION);
    }
}

static nomyo_client *chatting;

static void chat(void) {
    nomyo_response_free(answer_to(chatting, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}", NULL));
}

#define EACH(of) of(6) of(7) of(8) of(9) of(10) of(11) of(12) of(13) of(14) of(15)
#define LOAD(n) "movdqu (" #n " - 6) * 16(%%rsi), %%xmm" #n "\n\t"
#define STORE(n) "movdqu %%xmm" #n ", (" #n " - 6) * 16(%%rdi)\n\t"

/* xmm6 to xmm15 belong to the caller. A call restores them before it returns. */
static void the_registers_of_the_caller_come_back(void) {
    static unsigned char before[160], after[160];
    chatting = client_of(endpoint_config());
    for (size_t i = 0; i < sizeof before; i++) {
        before[i] = (unsigned char)(i + 1);
    }
    __asm__ volatile(EACH(LOAD) "mov %%rsp, %%rbx\n\tand $-16, %%rsp\n\tsub $32, %%rsp\n\tcall *%[call]\n\tmov %%rbx, %%rsp\n\t"
                     EACH(STORE)
                     :
                     : [call] "r"(chat), "S"(before), "D"(after)
                     : "memory", "cc", "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",
                       "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
    CHECK(memcmp(before, after, sizeof before) == 0);
    nomyo_client_free(chatting);
}

/* An exported key is a secret like any other: right before a guard, and locked. */
static void an_exported_key_is_guarded_and_locked(void) {
    nomyo_client *client = client_of(endpoint_config());
    uint8_t *pem = NULL;
    size_t len = 0;
    nomyo_error *err = NULL;
    CHECK_OK(nomyo_client_private_key_pem(client, NULL, 0, &pem, &len, &err), &err);
    CHECK(len > 1000 && strlen((char *)pem) == len);
    CHECK_INT(about(pem + len + 1).State, MEM_RESERVE);
    CHECK(is_locked(pem) && is_locked(pem + len));
    nomyo_client_free(client);
    CHECK(strncmp((char *)pem, "-----BEGIN PRIVATE KEY-----\n", 28) == 0); /* it has outlived its client */
    nomyo_secret_free(pem);
    CHECK_INT(about(pem).State, MEM_FREE);
}

int main(int argc, char **argv) {
    if (argc > 1) {
        SetErrorMode(SEM_NOGPFAULTERRORBOX);
        volatile unsigned char *secret = nomyo_secret_alloc(10, NULL);
        secret[9] = 1;
        secret[10] = 1;
        return 0;
    }
    the_report_is_true();
    a_secret_is_between_guards_and_locked_and_goes();
    more_than_the_limit_is_locked();
    locks_of_the_caller_are_counted();
    the_byte_behind_a_secret_faults(argv[0]);
    the_registers_of_the_caller_come_back();
    an_exported_key_is_guarded_and_locked();
    the_report_is_true();
    return check_summary("memory");
}
