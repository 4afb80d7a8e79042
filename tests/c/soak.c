/*
 * Sixty-four threads, many requests, one in ten with a fault: every call ends as it must and within its deadline, and what the
 * process holds does not grow with the number of requests. The argument is the number of requests of a round.
 *
 * The first round is compared with a warm-up round of all threads. How many calls meet at one moment depends on the machine, so
 * that a round may meet a higher peak than all rounds before. It is then followed by another, which is compared with it: a leak
 * grows in each of ROUNDS rounds. Two rounds may differ in these figures while the client lives:
 *   locked, mapped   REGIONS of an arena's regions, which a moment with more at once has made and a live block keeps. How many
 *                    regions the idle connections keep depends on the calls that ended last: 5.6 to 7.7 MB were locked after
 *                    1600, 5000 and 20 000 requests alike
 *   resident         RSS_SLACK: the C library's and the kernel's share of what threads leave behind
 *   mappings         the regions as above
 *   files            idle connections, when the machine is too busy for all threads to have one at once
 */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "endpoint.h"
#include "proc.h"

enum { THREADS = 64, WARM_UP = 25, ROUNDS = 5, REGION = 128, REGIONS = 16, RSS_SLACK = 8192 }; /* kB */
enum { TIMEOUT = 120000, SHORT_TIMEOUT = 400, SLACK = 15000 }; /* ms; the machine may be busy */

struct figures {
    long locked, resident, mappings, files, threads;
};

/* What one request in ten meets, and how its call ends. */
static const struct {
    const char *fault;
    int32_t status;
    int timeout;
} faults[] = {
    {"{\"status\":400}", NOMYO_ERR_BAD_REQUEST, TIMEOUT},
    {"{\"status\":429,\"times\":1,\"headers\":{\"Retry-After-Ms\":\"10\"}}", NOMYO_OK, TIMEOUT},
    {"{\"status\":503,\"headers\":{\"Retry-After-Ms\":\"10\"}}", NOMYO_ERR_UNAVAILABLE, TIMEOUT},
    {"{\"reset\":\"before_headers\",\"times\":1}", NOMYO_OK, TIMEOUT},
    {"{\"close\":true,\"times\":1}", NOMYO_OK, TIMEOUT},
    {"{\"truncate\":300}", NOMYO_ERR_CONNECTION, TIMEOUT},
    {"{\"delay_before_headers_ms\":60000}", NOMYO_ERR_TIMEOUT, SHORT_TIMEOUT},
    {"{\"delay_in_body_ms\":60000}", NOMYO_ERR_TIMEOUT, SHORT_TIMEOUT},
    {"{\"malformed\":\"not_json\"}", NOMYO_ERR_PROTOCOL, TIMEOUT},
    {"{\"malformed\":\"ciphertext_bit_flip\"}", NOMYO_ERR_SECURITY, TIMEOUT},
    {"{\"chunked\":true,\"drip_ms\":0}", NOMYO_OK, TIMEOUT},
};
enum { FAULTS = sizeof faults / sizeof *faults };

static nomyo_client *client;
static _Atomic int injected, longest; /* ms */
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

/* How long ago that was, in ms. */
static int since(struct timespec from) {
    struct timespec to;
    clock_gettime(CLOCK_MONOTONIC, &to);
    return (int)((to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000);
}

/* The call ends with `status` and, when that is NOMYO_OK, with `wanted` as its content; and by its deadline. */
static void one_call(const char *json, int timeout, int32_t status, const char *wanted) {
    nomyo_call_options *options = nomyo_call_options_new();
    nomyo_response *response = NULL;
    nomyo_error *err = NULL;
    struct timespec begun;
    CHECK_INT(nomyo_call_options_set_timeout_ms(options, (uint64_t)timeout, NULL), NOMYO_OK);
    clock_gettime(CLOCK_MONOTONIC, &begun);
    if (!CHECK_INT(create_text(client, json, options, &response, &err), status)) {
        fprintf(stderr, "    %s\n", err ? nomyo_error_message(err) : "no error");
    }
    int ms = since(begun);
    if (!CHECK(ms <= timeout + SLACK)) {
        fprintf(stderr, "    %d ms, with a timeout of %d\n", ms, timeout);
    }
    for (int before = longest; ms > before && !atomic_compare_exchange_weak(&longest, &before, ms);) {
    }
    if (status == NOMYO_OK && wanted != NULL) {
        CHECK_TEXT(nomyo_response_content(response, 0, NULL), wanted);
        CHECK_HAS(nomyo_response_pointer(response, "/choices/0/message", NULL), wanted);
    } else if (status == NOMYO_OK) {
        size_t len = 0;
        CHECK(nomyo_response_content(response, 0, &len) != NULL && len > 500000);
    }
    nomyo_response_free(response);
    nomyo_error_free(err);
    nomyo_call_options_free(options);
}

/* Mostly small, some with an answer of half a megabyte, some with a fault, some looked into. */
static void one_request(int number) {
    char json[512], wanted[64], test[160] = "";
    int32_t status = NOMYO_OK;
    int timeout = TIMEOUT;
    if (number % 50 == 7) {
        one_call(large, TIMEOUT, NOMYO_OK, NULL);
    } else {
        if (number % 10 == 3) {
            int which = number / 10 % FAULTS;
            snprintf(test, sizeof test, ",\"nomyo_test\":%s", faults[which].fault);
            status = faults[which].status;
            timeout = faults[which].timeout;
            injected++;
        }
        snprintf(wanted, sizeof wanted, "request %d", number);
        snprintf(json, sizeof json, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]%s}", wanted,
                 test);
        one_call(json, timeout, status, wanted);
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

/* All threads at once: it leaves a connection for each. */
static void *ask_together(void *nothing) {
    pthread_barrier_wait(&start);
    one_call("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"nomyo_test\":{\"delay_before_headers_ms\":2000}}",
             TIMEOUT, NOMYO_OK, "x");
    return nothing;
}

static void on_all_threads(void *(*body)(void *)) {
    pthread_t threads[THREADS];
    pthread_barrier_init(&start, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&threads[i], NULL, body, NULL) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    pthread_barrier_destroy(&start);
}

static void round_of(int count) {
    left = count;
    on_all_threads(ask);
    on_all_threads(ask_together);
}

static int at_most(const char *what, long now, long before, long slack) {
    if (now > before + slack) {
        printf("soak: %s: %ld, and %ld + %ld before\n", what, now, before, slack);
    }
    return now <= before + slack;
}

static int has_not_grown(struct figures now, struct figures before) {
    return at_most("locked", now.locked, before.locked, REGIONS * REGION) &
           at_most("resident", now.resident, before.resident, RSS_SLACK) &
           at_most("mappings", now.mappings, before.mappings, REGIONS * 4) &
           at_most("files", now.files, before.files, THREADS);
}

int main(int argc, char **argv) {
    struct timespec from;
    requests = argc > 1 ? atoi(argv[1]) : requests;
    large = request_of_size(512 << 10);
    nomyo_client_free(client_of(endpoint_config()));
    struct figures nothing = figures("without a client");
    client = client_of(endpoint_config());
    round_of(THREADS * WARM_UP);
    struct figures before, after = figures("after the warm-up");
    clock_gettime(CLOCK_MONOTONIC, &from);
    int rounds = 0, grows;
    do {
        before = after;
        round_of(requests);
        after = figures("after a round");
        grows = !has_not_grown(after, before);
    } while (++rounds < ROUNDS && grows);
    double seconds = since(from) / 1e3;
    nomyo_client_free(client);
    struct figures end = figures("the client freed");
    printf("soak: %d rounds of %d requests in %.1f s; %d faults in all, the longest call %d ms\n", rounds, requests, seconds,
           injected, longest);

    CHECK(!grows);
    CHECK_INT(after.threads, 1);
    CHECK_INT(end.files, nothing.files);
    CHECK_INT(end.threads, nothing.threads);
    CHECK(at_most("locked in the end", end.locked, before.locked, 0));
    free(large);
    return check_summary("soak");
}
