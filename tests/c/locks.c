/*
 * Locks on the caller's own memory: counted per page, all or nothing, and gone in a forked child. And wiping it.
 */
#include <pthread.h>

#include "proc.h"

enum { PAGES = 64 };

/* Pages of our own, none of which shares a mapping with anything else. */
static unsigned char *pages(void) {
    unsigned char *p = mmap(NULL, (PAGES + 2) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED || mprotect(p + PAGE, PAGES * PAGE, PROT_READ | PROT_WRITE) != 0) {
        exit(EXIT_FAILURE);
    }
    return p + PAGE;
}

static void give_back(unsigned char *p) {
    munmap(p - PAGE, (PAGES + 2) * PAGE);
}

#define LOCKED_PAGES(n) CHECK_INT(locked_by_caller(), (long long)(n) * PAGE)
#define NOT_LOCKED(p, len) REFUSED(NOMYO_ERR_ARGUMENT, "not locked with nomyo_lock", nomyo_unlock, p, len)

static void lock(void *p, size_t len) {
    nomyo_error *err = NULL;
    CHECK_OK(nomyo_lock(p, len, &err), &err);
}

static void unlock(void *p, size_t len) {
    nomyo_error *err = SENTINEL;
    CHECK_INT(nomyo_unlock(p, len, &err), NOMYO_OK);
    CHECK(err == SENTINEL);
}

static void buffers_that_share_a_page(unsigned char *p) {
    lock(p + 10, 20);
    LOCKED_PAGES(1);
    lock(p + 3000, 100);
    LOCKED_PAGES(1);
    CHECK(proc_flag(p, "lo"));
    unlock(p + 10, 20);
    LOCKED_PAGES(1);
    CHECK(proc_flag(p, "lo"));
    unlock(p + 3000, 100);
    LOCKED_PAGES(0);
    CHECK(!proc_flag(p, "lo"));
}

static void locks_nest(unsigned char *p) {
    for (int i = 0; i < 100; i++) {
        lock(p, PAGE);
    }
    LOCKED_PAGES(1);
    for (int i = 0; i < 99; i++) {
        unlock(p, PAGE);
    }
    LOCKED_PAGES(1);
    unlock(p, PAGE);
    LOCKED_PAGES(0);
    NOT_LOCKED(p, PAGE);
}

/* Every byte counts: two on both sides of a boundary are two pages, and the byte behind the range is none of it. */
static void ranges_that_overlap(unsigned char *p) {
    lock(p + PAGE - 1, 2);
    LOCKED_PAGES(2);
    lock(p + PAGE, PAGE);
    LOCKED_PAGES(2);
    lock(p + PAGE, 3 * PAGE);
    LOCKED_PAGES(4);
    unlock(p + PAGE, PAGE);
    LOCKED_PAGES(4);
    unlock(p + PAGE - 1, 2);
    LOCKED_PAGES(3);
    CHECK(!proc_flag(p, "lo") && proc_flag(p + PAGE, "lo") && proc_flag(p + 3 * PAGE, "lo"));
    unlock(p + PAGE, 3 * PAGE);
    LOCKED_PAGES(0);
    lock(p, PAGES * PAGE);
    LOCKED_PAGES(PAGES);
    for (size_t i = 0; i < PAGES; i++) {
        unlock(p + i * PAGE, PAGE);
    }
    LOCKED_PAGES(0);
}

/* The system marks a page that cannot be read as locked, and refuses it then. */
static void a_page_that_cannot_be_read(unsigned char *p) {
    REFUSED(NOMYO_ERR_SECURITY, "the range is yours", nomyo_lock, p + (PAGES - 2) * PAGE, 3 * PAGE);
    LOCKED_PAGES(0);
    REFUSED(NOMYO_ERR_SECURITY, "the range is yours", nomyo_lock, p + PAGES * PAGE, 1);
    LOCKED_PAGES(0);
}

static void memory_that_was_unmapped_before_it_was_unlocked(unsigned char *p) {
    unsigned char *page = p + 7 * PAGE;
    lock(page, 1);
    CHECK(munmap(page, PAGE) == 0);
    CHECK(mmap(page, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == page);
    CHECK(!proc_flag(page, "lo"));
    lock(page, 1);
    CHECK(proc_flag(page, "lo"));
    unlock(page, 1); /* which is late, for what was there before */
    CHECK(proc_flag(page, "lo"));
    unlock(page, 1);
    CHECK(!proc_flag(page, "lo"));
    NOT_LOCKED(page, 1);
}

static void nothing_and_nonsense(unsigned char *p) {
    size_t one = 1, zero = 0;
    ACCEPTED(nomyo_lock, p, zero);
    ACCEPTED(nomyo_lock, NULL, zero);
    ACCEPTED(nomyo_unlock, p, zero);
    ACCEPTED(nomyo_unlock, NULL, zero);
    REFUSED(NOMYO_ERR_ARGUMENT, "p is NULL", nomyo_lock, NULL, one);
    REFUSED(NOMYO_ERR_ARGUMENT, "p is NULL", nomyo_unlock, NULL, one);
    REFUSED(NOMYO_ERR_ARGUMENT, "behind that address", nomyo_lock, p, SIZE_MAX);
    REFUSED(NOMYO_ERR_ARGUMENT, "behind that address", nomyo_unlock, p, SIZE_MAX);
    NOT_LOCKED(p, one);
    LOCKED_PAGES(0);
    /* One of them is not locked: neither is unlocked, and the count of the other stays. */
    lock(p + PAGE, PAGE);
    NOT_LOCKED(p, 2 * PAGE);
    NOT_LOCKED(p + PAGE, PAGE + 1);
    LOCKED_PAGES(1);
    unlock(p + PAGE, PAGE);
    NOT_LOCKED(p + PAGE, PAGE);
    LOCKED_PAGES(0);
}

/* Room for four pages more, and no capability to take others. */
static void at_the_limit(void *argument) {
    unsigned char *p = argument;
    char sentence[64];
    memory_info(); /* the child locks again what the library has */
    rlim_t limit = (rlim_t)proc_locked() + 4 * PAGE;
    CHECK(limited_to(limit));
    snprintf(sentence, sizeof sentence, "RLIMIT_MEMLOCK is %llu bytes", (unsigned long long)limit);
    LOCKED_PAGES(0);
    REFUSED(NOMYO_ERR_SECURITY, sentence, nomyo_lock, p, 8 * PAGE);
    LOCKED_PAGES(0);
    NOT_LOCKED(p, PAGE);
    lock(p, 4 * PAGE);
    lock(p, 4 * PAGE);
    REFUSED(NOMYO_ERR_SECURITY, sentence, nomyo_lock, p + 2 * PAGE, 6 * PAGE);
    REFUSED(NOMYO_ERR_SECURITY, sentence, nomyo_lock, p + 4 * PAGE, PAGE);
    LOCKED_PAGES(4);
    NOT_LOCKED(p + 4 * PAGE, PAGE);
    unlock(p, 4 * PAGE);
    LOCKED_PAGES(4);
    unlock(p, 4 * PAGE);
    LOCKED_PAGES(0);
    lock(p + 4 * PAGE, 4 * PAGE);
    LOCKED_PAGES(4);
    unlock(p + 4 * PAGE, 4 * PAGE);
}

static void without_any(void *argument) {
    CHECK(limited_to(0));
    REFUSED(NOMYO_ERR_SECURITY, "RLIMIT_MEMLOCK is 0 bytes", nomyo_lock, argument, 1);
    CHECK_INT(proc_locked(), 0);
}

static void child_without_locks(void *argument) {
    unsigned char *p = argument;
    CHECK(!proc_flag(p, "lo"));
    CHECK(p[0] == 'p');
    NOT_LOCKED(p, PAGE);
    LOCKED_PAGES(0);
    lock(p, PAGE);
    LOCKED_PAGES(1);
    unlock(p, PAGE);
    LOCKED_PAGES(0);
}

static void a_fork_begins_anew(unsigned char *p) {
    p[0] = 'p';
    lock(p, 2 * PAGE);
    lock(p, PAGE);
    IN_A_CHILD(child_without_locks, p);
    LOCKED_PAGES(2);
    unlock(p, PAGE);
    unlock(p, 2 * PAGE);
    LOCKED_PAGES(0);
}

/* Each has a range of its own on pages that they share. */
static void *lock_and_unlock(void *bytes) {
    for (int i = 0; i < 200; i++) {
        lock(bytes, PAGE);
        unlock(bytes, PAGE);
    }
    return NULL;
}

static void from_many_threads(unsigned char *p) {
    pthread_t threads[8];
    for (int i = 0; i < 8; i++) {
        CHECK(pthread_create(&threads[i], NULL, lock_and_unlock, p + 100 + i * 512) == 0);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
    }
    LOCKED_PAGES(0);
    NOT_LOCKED(p, PAGE);
}

/* What nomyo_lock() says is locked is locked, whoever's memory it is. */
static void lock_a_secret(void *argument) {
    (void)argument;
    CHECK(limited_to(0));
    unsigned char *secret = nomyo_secret_alloc(100, NULL);
    CHECK(secret != NULL && !proc_flag(secret, "lo"));
    REFUSED(NOMYO_ERR_SECURITY, "RLIMIT_MEMLOCK is 0 bytes", nomyo_lock, secret, 100);
    nomyo_secret_free(secret);
}

static void secrets_stay_locked(void) {
    unsigned char *secret = nomyo_secret_alloc(100, NULL);
    int locked = proc_flag(secret, "lo");
    lock(secret, 100);
    unlock(secret, 100);
    CHECK_INT(proc_flag(secret, "lo"), locked);
    nomyo_secret_free(secret);
}

static void wiping(void) {
    unsigned char bytes[64], wanted[64];
    memset(bytes, 0x77, sizeof bytes);
    memcpy(wanted, bytes, sizeof wanted);
    nomyo_wipe(NULL, 0);
    nomyo_wipe(NULL, 16);
    nomyo_wipe(bytes, 0);
    CHECK(memcmp(bytes, wanted, sizeof bytes) == 0);
    nomyo_wipe(bytes + 3, 31);
    memset(wanted + 3, 0, 31);
    CHECK(memcmp(bytes, wanted, sizeof bytes) == 0);
}

int main(void) {
    unsigned char *p = pages();
    wiping();
    IN_A_CHILD(without_any, p);
    if (nomyo_lock(p, PAGES * PAGE, NULL) != NOMYO_OK) { /* and so that the counts have their memory */
        printf("locks: most cases left out: RLIMIT_MEMLOCK is used up by the library alone\n");
        return check_summary("locks");
    }
    unlock(p, PAGES * PAGE);
    LOCKED_PAGES(0);
    buffers_that_share_a_page(p);
    locks_nest(p);
    ranges_that_overlap(p);
    a_page_that_cannot_be_read(p);
    memory_that_was_unmapped_before_it_was_unlocked(p);
    nothing_and_nonsense(p);
    IN_A_CHILD(at_the_limit, p);
    a_fork_begins_anew(p);
    from_many_threads(p);
    secrets_stay_locked();
    IN_A_CHILD(lock_a_secret, NULL);
    give_back(p);
    return check_summary("locks");
}
