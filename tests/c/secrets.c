/*
 * Memory for the caller's own secrets: zeroed, aligned, between guard pages, locked, not in dumps, zeros after a fork.
 */
#include <pthread.h>

#include "proc.h"

enum { MANY = 2000, THREADS = 8, ROUNDS = 200 };

static const size_t sizes[] = {0, 1, 15, 16, 24, 100, 4095, 4096, 4097, 65535, 65536, (1 << 20) + 1, 10 << 20};
enum { SIZES = sizeof sizes / sizeof *sizes };

static int all_are(const unsigned char *p, size_t len, unsigned char byte) {
    return len == 0 || (p[0] == byte && memcmp(p, p + 1, len - 1) == 0);
}

static unsigned char *secret_of(size_t len) {
    nomyo_error *err = SENTINEL;
    unsigned char *p = nomyo_secret_alloc(len, &err);
    CHECK(p != NULL);
    if (!CHECK(err == SENTINEL)) {
        fprintf(stderr, "    %zu bytes: %s\n", len, nomyo_error_message(err));
        exit(EXIT_FAILURE);
    }
    return p;
}

static void zeroed_aligned_and_counted(void) {
    nomyo_secret_free(secret_of(1));
    nomyo_memory_info before = memory_info();
    for (int i = 0; i < SIZES; i++) {
        size_t len = sizes[i], rounded = ((len ? len : 1) + PAGE - 1) / PAGE * PAGE;
        unsigned char *p = secret_of(len);
        CHECK(all_are(p, len, 0));
        for (size_t align = 1; align <= (size_t)PAGE && len > 0 && len % align == 0; align *= 2) {
            CHECK((uintptr_t)p % align == 0);
        }
        memset(p, 0xa5, len);
        CHECK(all_are(p, len, 0xa5));
        nomyo_memory_info with = memory_info();
        CHECK_INT(with.mapped - before.mapped, rounded);
        CHECK_INT(with.locked + with.refused, with.mapped);
        CHECK_INT(with.locked, proc_locked());
        nomyo_secret_free(p);
        CHECK_INT(memory_info().mapped, before.mapped);
        CHECK_INT(memory_info().locked, before.locked);
    }
    nomyo_secret_free(NULL);
}

/* Guard, secret and guard: neighbours share nothing, and the kernel's table of mappings is the limit. */
static void each_takes_four_mappings(void) {
    enum { SECRETS = 200 };
    static unsigned char *secrets[SECRETS];
    long before = proc_mappings();
    for (int i = 0; i < SECRETS; i++) {
        secrets[i] = secret_of(100);
    }
    long each = (proc_mappings() - before + SECRETS / 2) / SECRETS;
    CHECK_INT(each, 4);
    for (int i = 0; i < SECRETS; i++) {
        nomyo_secret_free(secrets[i]);
    }
}

static void refused_when_there_is_no_memory(void) {
    const size_t huge[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - PAGE, SIZE_MAX / 2, SIZE_MAX / 2 + 1,
                           SIZE_MAX / 2 - (1 << 20), SIZE_MAX / 2 - (1 << 20) - 3 * PAGE, SIZE_MAX / 4, (size_t)1 << 48};
    long long locked = proc_locked();
    long mappings = proc_mappings();
    for (size_t i = 0; i < sizeof huge / sizeof *huge; i++) {
        nomyo_error *err = NULL;
        CHECK(nomyo_secret_alloc(huge[i], &err) == NULL);
        CHECK_INT(nomyo_error_status(err), NOMYO_ERR_MEMORY);
        CHECK_HAS(nomyo_error_message(err), "no memory");
        nomyo_error_free(err);
        CHECK(nomyo_secret_alloc(huge[i], NULL) == NULL);
    }
    CHECK_INT(proc_locked(), locked);
    CHECK(proc_mappings() <= mappings);
}

/* What a child touches, and whether after freeing it. */
struct touch {
    size_t len;
    ptrdiff_t offset;
    int write, freed;
};

static void touch(void *argument) {
    const struct touch *how = argument;
    volatile unsigned char *p = secret_of(how->len);
    volatile unsigned char *first = (unsigned char *)((uintptr_t)p / PAGE * PAGE);
    volatile unsigned char *at = how->offset < 0 ? first + how->offset : p + how->offset;
    expect_to_die();
    if (how->freed) {
        nomyo_secret_free((void *)p);
    }
    if (how->write) {
        *at = 1;
    } else {
        check_passed += *at;
    }
    _exit(77);
}

static void faults(size_t len, ptrdiff_t offset, int freed) {
    for (int write = 0; write < 2; write++) {
        struct touch how = {len, offset, write, freed};
        int status = child_status(touch, &how);
        if (!CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV)) {
            fprintf(stderr, "    %zu bytes, offset %td, %s%s: wait status %#x\n", len, offset,
                    write ? "write" : "read", freed ? " after free" : "", (unsigned)status);
        }
    }
}

/* The byte behind; the last byte of the page before the first; anything once it is free. */
static void everything_around_it_faults(void) {
    for (int i = 0; i < SIZES; i++) {
        faults(sizes[i], (ptrdiff_t)sizes[i], 0);
        faults(sizes[i], (ptrdiff_t)sizes[i] + PAGE - 1, 0);
        faults(sizes[i], 0, 1);
        if (sizes[i] > 0) {
            faults(sizes[i], -1, 0);
            faults(sizes[i], (ptrdiff_t)sizes[i] - 1, 1);
        }
    }
}

static void the_kernel_knows_what_they_are(void) {
    for (int i = 1; i < SIZES; i++) {
        nomyo_memory_info before = memory_info();
        unsigned char *p = secret_of(sizes[i]);
        const unsigned char *ends[] = {p, p + sizes[i] - 1};
        for (int end = 0; end < 2; end++) {
            CHECK_INT(proc_flag(ends[end], "dd"), before.dump_excluded);
            CHECK_INT(proc_flag(ends[end], "wf"), before.fork_excluded);
            CHECK_INT(proc_flag(ends[end], "lo"), memory_info().refused == before.refused);
        }
        nomyo_secret_free(p);
    }
}

static unsigned char *many[MANY];

static void many_at_once(void) {
    long mappings = proc_mappings();
    nomyo_memory_info before = memory_info();
    for (int i = 0; i < MANY; i++) {
        many[i] = secret_of((size_t)i);
        memset(many[i], i % 251, (size_t)i);
    }
    CHECK(memory_info().mapped - before.mapped >= (uint64_t)MANY * PAGE);
    for (int i = 0; i < MANY; i++) {
        CHECK(all_are(many[i], (size_t)i, (unsigned char)(i % 251)));
    }
    for (int i = 0; i < MANY; i++) {
        nomyo_secret_free(many[i * 7 % MANY]); /* 7 and 2 000 share no factor: each once, in another order */
    }
    CHECK_INT(memory_info().mapped, before.mapped);
    CHECK(proc_mappings() <= mappings);
}

/* Until the kernel has no mapping left (65 530 by default): an error, and all is well again once some are freed. */
static void until_nothing_is_left(void *argument) {
    enum { MOST = 200000 };
    (void)argument;
    unsigned char **all = calloc(MOST, sizeof *all);
    nomyo_error *err = NULL;
    size_t count = 0;
    long mappings = proc_mappings();
    while (all != NULL && count < MOST && (all[count] = nomyo_secret_alloc(count % 5000, &err)) != NULL) {
        count++;
    }
    if (count < MOST) { /* else the system is generous */
        check_error(err, NOMYO_ERR_MEMORY, "no memory", "the last secret", __FILE__, __LINE__);
        CHECK(nomyo_secret_alloc(1, NULL) == NULL);
    }
    nomyo_error_free(err);
    nomyo_memory_info info = memory_info();
    CHECK_INT(info.locked, proc_locked());
    while (count > 0) {
        nomyo_secret_free(all[--count]);
    }
    CHECK(proc_mappings() <= mappings + 4); /* the heap's region for the error */
    nomyo_secret_free(secret_of(5000));
    free(all);
}

struct held {
    unsigned char *p[SIZES];
};

static void inherited(void *argument) {
    struct held *held = argument;
    for (int i = 0; i < SIZES; i++) {
        CHECK(all_are(held->p[i], sizes[i], 0));
        memset(held->p[i], 0x11, sizes[i]);
    }
    for (int i = 0; i < SIZES; i++) {
        nomyo_secret_free(held->p[i]);
        unsigned char *own = secret_of(sizes[i]);
        memset(own, 0x22, sizes[i]);
        nomyo_secret_free(own);
    }
    nomyo_memory_info info = memory_info();
    CHECK_INT(info.locked, proc_locked());
    CHECK_INT(info.locked + info.refused, info.mapped);
}

static void a_forked_child_reads_zeros(void) {
    struct held held;
    for (int i = 0; i < SIZES; i++) {
        held.p[i] = secret_of(sizes[i]);
        memset(held.p[i], 0xc3, sizes[i]);
    }
    IN_A_CHILD(inherited, &held);
    for (int i = 0; i < SIZES; i++) {
        CHECK(all_are(held.p[i], sizes[i], 0xc3));
        nomyo_secret_free(held.p[i]);
    }
}

/* Some of one's own alive at any time, and each keeps its bytes. */
static void *allocate_and_free(void *number) {
    unsigned char mark = *(unsigned char *)number;
    struct {
        unsigned char *p;
        size_t len;
    } slot[16] = {{0}};
    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned s = i * 5 % 16;
        CHECK(slot[s].p == NULL || all_are(slot[s].p, slot[s].len, mark));
        nomyo_secret_free(slot[s].p);
        slot[s].len = sizes[(i + mark) % (SIZES - 2)];
        slot[s].p = secret_of(slot[s].len);
        CHECK(all_are(slot[s].p, slot[s].len, 0));
        memset(slot[s].p, mark, slot[s].len);
    }
    for (unsigned s = 0; s < 16; s++) {
        nomyo_secret_free(slot[s].p);
    }
    return NULL;
}

static void from_many_threads(void) {
    pthread_t threads[THREADS];
    unsigned char marks[THREADS];
    nomyo_memory_info before = memory_info();
    for (int i = 0; i < THREADS; i++) {
        marks[i] = (unsigned char)(i + 1);
        CHECK(pthread_create(&threads[i], NULL, allocate_and_free, &marks[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK_INT(memory_info().mapped, before.mapped);
    CHECK_INT(memory_info().locked, before.locked);
}

int main(void) {
    zeroed_aligned_and_counted();
    each_takes_four_mappings();
    refused_when_there_is_no_memory();
    the_kernel_knows_what_they_are();
    everything_around_it_faults();
    many_at_once();
    IN_A_CHILD(until_nothing_is_left, NULL);
    a_forked_child_reads_zeros();
    from_many_threads();
    return check_summary("secrets");
}
