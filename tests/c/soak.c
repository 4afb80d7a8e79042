/*
 * Sixteen threads, many requests: at the end the process holds what it held at the start. The argument is how many.
 *
 * The start is measured after a warm-up round of all threads. What may then still differ while the client lives:
 *   locked, mapped   REGIONS of an arena's regions, which a moment with more at once has made and a live block keeps
 *   resident         RSS_SLACK: the C library's and the kernel's share of what threads leave behind
 *   files, mappings  idle connections, at most one for each thread, and the regions as above
 */
#include <pthread.h>
#include <time.h>

#include "endpoint.h"
#include "proc.h"

enum { THREADS = 16, WARM_UP = 20, REGION = 128, REGIONS = 4, RSS_SLACK = 4096 }; /* kB */

struct figures {
    long locked, resident, mappings, files, threads;
};

static nomyo_client *client;
static char *large; /* made once: what the C library keeps of freed buffers is not measured here */
static int requests = 400;
static _Atomic int left;
static pthread_barrier_t start;

static struct figures figures(const char *when) {
    struct figures now = {proc_status("VmLck"), proc_status("VmRSS"), proc_mappings(), proc_files(),
                          proc_status("Threads")};
    printf("soak: %-18s %6ld kB locked, %7ld kB resident, %4ld mappings, %3ld files, %2ld threads\n", when, now.locked,
           now.resident, now.mappings, now.files, now.threads);
    return now;
}

/* Mostly small, some with an answer of half a megabyte, some refused, some looked into. */
static void one_request(int number) {
    char json[256], wanted[64];
    if (number % 50 == 7) {
        nomyo_response *response = answer_to(client, large, NULL);
        size_t len = 0;
        CHECK(nomyo_response_content(response, 0, &len) != NULL && len > 500000);
        nomyo_response_free(response);
    } else if (number % 50 == 13) {
        nomyo_error_free(error_of(client, "{\"model\":\"m\",\"messages\":[],\"nomyo_test\":{\"status\":400}}", NULL));
    } else {
        snprintf(wanted, sizeof wanted, "request %d", number);
        snprintf(json, sizeof json, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]}", wanted);
        nomyo_response *response = answer_to(client, json, NULL);
        CHECK_TEXT(nomyo_response_content(response, 0, NULL), wanted);
        CHECK_HAS(nomyo_response_pointer(response, "/choices/0/message", NULL), wanted);
        nomyo_response_free(response);
    }
    if (number % 10 == 0) {
        nomyo_secret_free(nomyo_secret_alloc((size_t)number % 9000, NULL));
    }
}

static void *ask(void *nothing) {
    pthread_barrier_wait(&start);
    for (int number; (number = left--) > 0;) {
        one_request(number);
    }
    return nothing;
}

static void round_of(int count) {
    pthread_t threads[THREADS];
    left = count;
    pthread_barrier_init(&start, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&threads[i], NULL, ask, NULL) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    pthread_barrier_destroy(&start);
}

static void at_most(const char *what, long now, long before, long slack) {
    if (!CHECK(now <= before + slack)) {
        fprintf(stderr, "    %s: %ld, and %ld + %ld before\n", what, now, before, slack);
    }
}

int main(int argc, char **argv) {
    struct timespec from, to;
    requests = argc > 1 ? atoi(argv[1]) : requests;
    large = request_of_size(512 << 10);
    nomyo_client_free(client_of(endpoint_config()));
    struct figures nothing = figures("without a client");
    client = client_of(endpoint_config());
    round_of(THREADS * WARM_UP);
    struct figures before = figures("after the warm-up");
    clock_gettime(CLOCK_MONOTONIC, &from);
    round_of(requests);
    clock_gettime(CLOCK_MONOTONIC, &to);
    struct figures after = figures("after all");
    nomyo_client_free(client);
    struct figures end = figures("the client freed");
    double seconds = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
    printf("soak: %d requests in %.1f s, %.0f each second\n", requests, seconds, requests / seconds);

    at_most("locked", after.locked, before.locked, REGIONS * REGION);
    at_most("resident", after.resident, before.resident, RSS_SLACK);
    at_most("mappings", after.mappings, before.mappings, REGIONS * 4);
    at_most("files", after.files, before.files, THREADS);
    CHECK_INT(after.threads, 1);
    CHECK_INT(end.files, nothing.files);
    CHECK_INT(end.threads, nothing.threads);
    at_most("locked in the end", end.locked, before.locked, 0);
    free(large);
    return check_summary("soak");
}
