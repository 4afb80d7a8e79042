/* The CPU time and the memory of nomyo_seal() and nomyo_open(), by the size of the request and of the answer.
 *
 *     sealed                  prints one line for 1 KiB, 1 MiB and 9 MiB: the median of 25 rounds, on the calling thread
 *     sealed BYTES ROUNDS     prints one JSON line: the CPU time of all threads in microseconds, one number for each round, and
 *                             by how much the peak of resident memory was above the memory before the call, in bytes;
 *                             and which share of the time the kernel had, in all rounds together
 *
 *     cc -std=c11 -O2 -Iinclude benches/sealed.c -o sealed -Ltarget/release -Wl,-rpath,$PWD/target/release -lnomyo && ./sealed
 *
 * The client seals for its own key, so that the package is an answer that it can open. */
#define _POSIX_C_SOURCE 200809L
#include <nomyo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "must.h"
#include "resident.h"

enum { ROUNDS = 25, MOST = 1000 };

static const char HEAD[] = "{\"messages\":[{\"role\":\"user\",\"content\":\"", TAIL[] = "\"}]}";
static const nomyo_client *client;
static const uint8_t *pem;
static size_t pem_len;

struct cost {
    double seal_us[MOST], open_us[MOST];
    long seal_kb, open_kb;
    double seal_kernel_us, open_kernel_us;
};

static double us(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double kernel_us(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)used.ru_stime.tv_sec * 1e6 + (double)used.ru_stime.tv_usec;
}

static int by_size(const void *a, const void *b) { return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b); }

static double median(double *times, int rounds) {
    qsort(times, (size_t)rounds, sizeof *times, by_size);
    return times[rounds / 2];
}

/* A request of `len` bytes. The caller frees it. */
static char *request(size_t len) {
    char *json = malloc(len + 1);
    size_t content = len - (sizeof HEAD - 1) - (sizeof TAIL - 1);
    if (json == NULL || content > len) exit(EXIT_FAILURE);
    memcpy(json, HEAD, sizeof HEAD - 1);
    memset(json + sizeof HEAD - 1, 'x', content);
    memcpy(json + sizeof HEAD - 1 + content, TAIL, sizeof TAIL);
    return json;
}

/* The peaks are those of the first round: later rounds find memory that the first one has freed. */
static void measure(size_t len, int rounds, clockid_t clock, struct cost *cost) {
    char *json = request(len);
    cost->seal_kernel_us = cost->open_kernel_us = 0;
    for (int i = 0; i < rounds; i++) {
        nomyo_sealed *sealed = NULL;
        nomyo_response *answer = NULL;
        size_t body_len = 0;
        long before = i == 0 ? peak_from_here() : 0;
        double kernel = kernel_us(), start = us(clock);
        MUST(nomyo_seal, client, pem, pem_len, (uint8_t *)json, len, NULL, &sealed);
        cost->seal_us[i] = us(clock) - start;
        cost->seal_kernel_us += kernel_us() - kernel;
        if (i == 0) cost->seal_kb = peak_kb() - before;
        const uint8_t *body = nomyo_sealed_body(sealed, &body_len);
        before = i == 0 ? peak_from_here() : 0;
        kernel = kernel_us();
        start = us(clock);
        MUST(nomyo_open, client, sealed, body, body_len, &answer);
        cost->open_us[i] = us(clock) - start;
        cost->open_kernel_us += kernel_us() - kernel;
        if (i == 0) cost->open_kb = peak_kb() - before;
        nomyo_response_free(answer);
        nomyo_sealed_free(sealed);
    }
    free(json);
}

static double sum(const double *times, int rounds) {
    double all = 0;
    for (int i = 0; i < rounds; i++) all += times[i];
    return all;
}

static void print_list(const char *name, const double *times, int rounds) {
    printf("\"%s\": [", name);
    for (int i = 0; i < rounds; i++) printf("%s%.1f", i > 0 ? ", " : "", times[i]);
    printf("]");
}

int main(int argc, char **argv) {
    static struct cost cost;
    nomyo_client *made = NULL;
    nomyo_text *key = NULL;
    int rounds = argc == 3 ? atoi(argv[2]) : ROUNDS;
    if ((argc != 1 && argc != 3) || rounds < 1 || rounds > MOST) {
        fputs("usage: sealed [BYTES ROUNDS]\n", stderr);
        return EXIT_FAILURE;
    }
    MUST(nomyo_client_new, NULL, &made);
    MUST(nomyo_client_public_key, made, &key);
    client = made;
    pem = (const uint8_t *)nomyo_text_data(key, &pem_len);
    if (argc == 3) {
        measure(1024, 1, CLOCK_PROCESS_CPUTIME_ID, &cost);
        measure(strtoul(argv[1], NULL, 10), rounds, CLOCK_PROCESS_CPUTIME_ID, &cost);
        printf("{");
        print_list("seal_us", cost.seal_us, rounds);
        printf(", ");
        print_list("open_us", cost.open_us, rounds);
        printf(", \"seal_bytes\": %ld, \"open_bytes\": %ld", cost.seal_kb * 1024, cost.open_kb * 1024);
        printf(", \"seal_system\": %.3f, \"open_system\": %.3f}\n", cost.seal_kernel_us / sum(cost.seal_us, rounds),
               cost.open_kernel_us / sum(cost.open_us, rounds));
    } else {
        for (size_t size = 1024; size <= 9 * 1024 * 1024; size *= size == 1024 ? 1024 : 9) {
            measure(size + sizeof HEAD + sizeof TAIL - 2, rounds, CLOCK_THREAD_CPUTIME_ID, &cost);
            printf("%8zu bytes: seal %6.2f ms, open %6.2f ms\n", size, median(cost.seal_us, rounds) / 1e3, median(cost.open_us, rounds) / 1e3);
        }
    }
    nomyo_text_free(key);
    nomyo_client_free(made);
    return EXIT_SUCCESS;
}
