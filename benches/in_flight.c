/* How much memory idle clients and calls in flight need.
 *
 *     in_flight PRIVATE_PEM CLIENTS CALLS
 *
 * Each of CLIENTS clients makes one call and then has an idle connection. All have the pair in the file PRIVATE_PEM, so that no
 * pair is generated. CALLS threads then make one call each, through one of the clients, while the answers are delayed. Prints one
 * JSON line: resident and locked bytes for each client and for each call. The threads run before the first figure is taken.
 * NOMYO_TEST_BASE_URL and NOMYO_TEST_CA_FILE name the endpoint (tests/with_endpoint.sh). */
#include <nomyo.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "must.h"
#include "resident.h"

enum { MOST = 1000, PEM = 8192, STACK = 256 * 1024, LIMIT_S = 300 };

static const char SMALL[] = "{\"model\":\"echo\",\"messages\":[{\"role\":\"user\",\"content\":\"What is the capital of France?\"}]}";
static const char DELAYED[] = "{\"model\":\"echo\",\"messages\":[{\"role\":\"user\",\"content\":\"What is the capital of France?\"}],"
                              "\"nomyo_test\":{\"delay_before_headers_ms\":60000}}";

static nomyo_client *clients[MOST];
static nomyo_call_options *options;
static pthread_barrier_t ready, start;
static _Atomic int ended;

struct memory {
    double resident, locked;
};

static struct memory memory(void) {
    struct memory now = {1024.0 * (double)status_kb("VmRSS"), 1024.0 * (double)status_kb("VmLck")};
    return now;
}

static nomyo_client *client_with(const uint8_t *pem, size_t len) {
    nomyo_config *config = nomyo_config_new();
    nomyo_client *client = NULL;
    nomyo_response *answer = NULL;
    MUST(nomyo_config_set_base_url, config, getenv("NOMYO_TEST_BASE_URL"));
    MUST(nomyo_config_set_ca_file, config, getenv("NOMYO_TEST_CA_FILE"));
    MUST(nomyo_client_new, config, &client);
    MUST(nomyo_client_load_keys_pem, client, pem, len, NULL, 0, NULL, 0);
    MUST(nomyo_create, client, (const uint8_t *)SMALL, sizeof SMALL - 1, NULL, &answer);
    nomyo_response_free(answer);
    nomyo_config_free(config);
    return client;
}

static void *call(void *unused) {
    nomyo_response *answer = NULL;
    pthread_barrier_wait(&ready);
    pthread_barrier_wait(&start);
    /* The cancel ends the call, which is then an error. */
    if (nomyo_create(clients[0], (const uint8_t *)DELAYED, sizeof DELAYED - 1, options, &answer, NULL) == NOMYO_OK) nomyo_response_free(answer);
    ended++;
    return unused;
}

/* The memory when it has not changed for three seconds: every request has been sent, and waits for its answer. */
static struct memory settled(void) {
    struct memory last = memory();
    for (int same = 0, tries = 0; same < 30 && tries < LIMIT_S * 10; tries++) {
        struct timespec pause = {0, 100 * 1000 * 1000};
        nanosleep(&pause, NULL);
        struct memory now = memory();
        same = now.locked == last.locked && now.resident == last.resident ? same + 1 : 0;
        last = now;
    }
    return last;
}

static struct memory calls(int count) {
    static pthread_t threads[MOST];
    pthread_attr_t attributes;
    nomyo_cancel *cancel = nomyo_cancel_new();
    options = nomyo_call_options_new();
    MUST(nomyo_call_options_set_cancel, options, cancel);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    pthread_barrier_init(&ready, NULL, (unsigned)count + 1);
    pthread_barrier_init(&start, NULL, (unsigned)count + 1);
    for (int i = 0; i < count; i++) {
        if (pthread_create(&threads[i], &attributes, call, NULL) != 0) exit(EXIT_FAILURE);
    }
    pthread_barrier_wait(&ready);
    struct memory before = memory();
    pthread_barrier_wait(&start);
    struct memory during = settled();
    if (ended > 0) {
        fputs("in_flight: a call ended before all were in flight\n", stderr);
        exit(EXIT_FAILURE);
    }
    nomyo_cancel_trigger(cancel);
    for (int i = 0; i < count; i++) pthread_join(threads[i], NULL);
    nomyo_call_options_free(options);
    nomyo_cancel_free(cancel);
    during.resident = (during.resident - before.resident) / count;
    during.locked = (during.locked - before.locked) / count;
    return during;
}

int main(int argc, char **argv) {
    static uint8_t pem[PEM];
    FILE *file = argc == 4 ? fopen(argv[1], "r") : NULL;
    int idle = argc == 4 ? atoi(argv[2]) : 0, count = argc == 4 ? atoi(argv[3]) : 0;
    if (file == NULL || idle < 2 || idle > MOST || count < 1 || count > MOST || getenv("NOMYO_TEST_BASE_URL") == NULL) {
        fputs("usage: tests/with_endpoint.sh in_flight PRIVATE_PEM CLIENTS CALLS\n", stderr);
        return EXIT_FAILURE;
    }
    size_t len = fread(pem, 1, sizeof pem, file);
    fclose(file);
    clients[0] = client_with(pem, len);
    struct memory first = memory();
    for (int i = 1; i < idle; i++) clients[i] = client_with(pem, len);
    struct memory all = memory(), each = calls(count);
    printf("{\"client_resident\": %.0f, \"client_locked\": %.0f, \"call_resident\": %.0f, \"call_locked\": %.0f}\n",
           (all.resident - first.resident) / (idle - 1), (all.locked - first.locked) / (idle - 1), each.resident, each.locked);
    for (int i = 0; i < idle; i++) nomyo_client_free(clients[i]);
    return EXIT_SUCCESS;
}
