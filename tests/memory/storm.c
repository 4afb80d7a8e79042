/*
 * Timers send signals while the library works. For each signal the kernel writes all registers to the handler's stack, which is
 * memory of the host. The next signal overwrites them there. The handler copies each frame to ordinary memory, where a scanner
 * looks for secrets. The last KEPT frames since storm_let() are kept.
 */
#include "storm.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

/* glibc before 2.41 has the number, and not the name. */
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif
#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

enum { KEPT = 1024, STACK = 64 * 1024, LEAST_FRAME = 8 * 1024 };

static uint8_t *kept;
static size_t frame_size;
static timer_t timers[2];
static struct itimerspec next;
/* Signals since the last storm_let(), and since storm_begin(). */
static volatile unsigned long recent, all;

/* The handler sets both timers anew when it ends. The process then runs for that time at least, however slow the machine is. */
static void set_timers(void) {
    for (size_t i = 0; i < sizeof timers / sizeof *timers; i++) {
        if (timer_settime(timers[i], 0, &next, NULL) != 0) {
            _exit(4);
        }
    }
}

static size_t bounded(size_t len, size_t room) {
    return len < room ? len : room;
}

static void keep_frame(int signal, siginfo_t *info, void *context) {
    (void)signal;
    (void)info;
    const ucontext_t *frame = context;
    uint8_t *copy = kept + recent++ % KEPT * frame_size;
    all++;
    const size_t first = bounded(sizeof *frame, frame_size);
    memcpy(copy, frame, first);
#ifdef __x86_64__
    /* The vector registers lie apart. Their size is in the bytes that the processor leaves to software: FP_XSTATE_MAGIC1, and
     * behind it the size. musl does not have the kernel's struct _fpx_sw_bytes. */
    const uint8_t *vectors = (const uint8_t *)frame->uc_mcontext.fpregs;
    uint32_t software[2];
    if (vectors != NULL) {
        memcpy(software, vectors + 464, sizeof software);
        const size_t len = software[0] == 0x46505853U ? software[1] : 512;
        memcpy(copy + first, vectors, bounded(len, frame_size - first));
    }
#endif
    set_timers();
}

static sigset_t both(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    sigaddset(&set, SIGPROF);
    return set;
}

/* Memory in a mapping of its own. */
static void *apart(size_t len) {
    enum { GUARD = 64 * 1024 };
    uint8_t *memory = mmap(NULL, len + 2 * GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory + GUARD, len, PROT_READ | PROT_WRITE) != 0) {
        _exit(4);
    }
    return memory + GUARD;
}

struct storm storm_begin(long hz, bool own_stack) {
    const size_t least = getauxval(AT_MINSIGSTKSZ);
    frame_size = least > LEAST_FRAME ? least : LEAST_FRAME;
    kept = apart(KEPT * frame_size);
    const stack_t stack = {.ss_sp = apart(STACK), .ss_size = STACK};
    struct sigaction action = {.sa_sigaction = keep_frame, .sa_mask = both()};
    action.sa_flags = SA_SIGINFO | SA_RESTART | (own_stack ? SA_ONSTACK : 0);
    storm_hold();
    sigaltstack(&stack, NULL);
    sigaction(SIGALRM, &action, NULL);
    sigaction(SIGPROF, &action, NULL);

    /* Sends signals to the process, as an interpreter's alarm does. */
    struct sigevent alarm = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    /* Sends signals to this thread, as a profiler does. */
    struct sigevent profiler = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGPROF};
    profiler.sigev_notify_thread_id = gettid();
    if (timer_create(CLOCK_MONOTONIC, &alarm, &timers[0]) != 0 || timer_create(CLOCK_MONOTONIC, &profiler, &timers[1]) != 0) {
        _exit(4);
    }
    next.it_value.tv_nsec = 1000000000 / hz;
    set_timers();
    return (struct storm){kept, stack.ss_sp};
}

void storm_let(void) {
    if (kept != NULL) {
        memset(kept, 0, bounded(recent, KEPT) * frame_size);
        recent = 0;
        const sigset_t set = both();
        pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    }
}

void storm_hold(void) {
    if (kept != NULL) {
        const sigset_t set = both();
        pthread_sigmask(SIG_BLOCK, &set, NULL);
    }
}

unsigned long storm_ticks(void) {
    return all;
}
