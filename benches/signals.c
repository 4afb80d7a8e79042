/* For how long a call keeps signals from its thread.
 *
 *     signals
 *
 * A timer sends this thread a signal each half millisecond. Prints one JSON line: for each call the longest time between two
 * signals that were delivered, in microseconds. NOMYO_TEST_BASE_URL and NOMYO_TEST_CA_FILE name the endpoint
 * (tests/with_endpoint.sh). */
#include <nomyo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "must.h"

#define MIB (1024 * 1024)

static volatile double last, longest;

static double now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void delivered(int number) {
    double now = now_us();
    (void)number;
    if (now - last > longest) longest = now - last;
    last = now;
}

static void begin(void) {
    last = now_us();
    longest = 0;
}

/* A chat whose prompt and answer have this many bytes. */
static double chat(const nomyo_client *client, size_t size) {
    char *json = malloc(size + 256), *at = json;
    nomyo_response *answer = NULL;
    if (json == NULL) exit(EXIT_FAILURE);
    at += sprintf(at, "{\"model\":\"echo\",\"messages\":[{\"role\":\"user\",\"content\":\"");
    memset(at, 'x', size);
    strcpy(at + size, "\"}]}");
    begin();
    MUST(nomyo_create, client, (const uint8_t *)json, strlen(json), NULL, &answer);
    double us = longest;
    nomyo_response_free(answer);
    free(json);
    return us;
}

int main(void) {
    const char *url = getenv("NOMYO_TEST_BASE_URL"), *ca = getenv("NOMYO_TEST_CA_FILE");
    nomyo_config *config = nomyo_config_new();
    nomyo_client *client = NULL;
    struct itimerspec each = {{0, 500000}, {0, 500000}};
    timer_t timer;
    if (url == NULL || ca == NULL) {
        fputs("usage: tests/with_endpoint.sh signals\n", stderr);
        return EXIT_FAILURE;
    }
    MUST(nomyo_config_set_base_url, config, url);
    MUST(nomyo_config_set_ca_file, config, ca);
    signal(SIGALRM, delivered);
    if (timer_create(CLOCK_MONOTONIC, NULL, &timer) != 0 || timer_settime(timer, 0, &each, NULL) != 0) return EXIT_FAILURE;
    begin();
    while (now_us() - last < 0 || longest < 1) {
    }
    begin();
    for (double start = now_us(); now_us() - start < 100000;) {
    }
    printf("{\"no call\": %.0f", longest);
    begin();
    MUST(nomyo_client_new, config, &client);
    printf(", \"nomyo_client_new\": %.0f", longest);
    begin();
    MUST(nomyo_client_warm_up, client);
    printf(", \"nomyo_client_warm_up, with a new key pair\": %.0f", longest);
    printf(", \"chat of 1 KiB\": %.0f", chat(client, 1024));
    printf(", \"chat of 1 MiB\": %.0f", chat(client, MIB));
    printf(", \"chat of 9 MiB\": %.0f}\n", chat(client, 9 * MIB));
    nomyo_client_free(client);
    nomyo_config_free(config);
    return EXIT_SUCCESS;
}
