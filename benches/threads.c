/* Measures nomyo_seal() with nomyo_open() of its package when several threads work with one client, without a network.
 *
 *     threads N THREADS
 *
 * Prints one JSON line: the wall and CPU time of one pair of calls in microseconds. Each thread makes N pairs. The times are
 * divided by all pairs, so that two cores that are busy all the time halve the wall time. */
#define _POSIX_C_SOURCE 200809L
#include <nomyo.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "must.h"

enum { MOST = 64 };

static const char JSON[] = "{\"model\":\"echo\",\"messages\":[{\"role\":\"user\",\"content\":\"What is the capital of France?\"}]}";
static nomyo_client *client;
static const uint8_t *pem;
static size_t pem_len;
static int count;

static double us(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void seal_and_open(void) {
    nomyo_sealed *sealed = NULL;
    nomyo_response *answer = NULL;
    size_t len = 0;
    MUST(nomyo_seal, client, pem, pem_len, (const uint8_t *)JSON, sizeof JSON - 1, NULL, &sealed);
    const uint8_t *body = nomyo_sealed_body(sealed, &len);
    MUST(nomyo_open, client, sealed, body, len, &answer);
    nomyo_response_free(answer);
    nomyo_sealed_free(sealed);
}

static void *work(void *unused) {
    for (int i = 0; i < count; i++) seal_and_open();
    return unused;
}

int main(int argc, char **argv) {
    int threads = argc == 3 ? atoi(argv[2]) : 0;
    pthread_t started[MOST];
    nomyo_text *key = NULL;
    count = argc == 3 ? atoi(argv[1]) : 0;
    if (count < 1 || threads < 1 || threads > MOST) {
        fputs("usage: threads N THREADS\n", stderr);
        return EXIT_FAILURE;
    }
    MUST(nomyo_client_new, NULL, &client);
    MUST(nomyo_client_public_key, client, &key);
    pem = (const uint8_t *)nomyo_text_data(key, &pem_len);
    seal_and_open();

    double wall = us(CLOCK_MONOTONIC), cpu = us(CLOCK_PROCESS_CPUTIME_ID);
    for (int i = 0; i < threads; i++) {
        if (pthread_create(&started[i], NULL, work, NULL) != 0) return EXIT_FAILURE;
    }
    for (int i = 0; i < threads; i++) pthread_join(started[i], NULL);
    cpu = us(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    wall = us(CLOCK_MONOTONIC) - wall;
    printf("{\"wall_us\": %.1f, \"cpu_us\": %.1f}\n", wall / (count * threads), cpu / (count * threads));
    nomyo_text_free(key);
    nomyo_client_free(client);
    return EXIT_SUCCESS;
}
