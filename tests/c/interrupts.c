/*
 * A host with a timer of its own: system calls that a signal interrupts are not failed calls. Go's scheduler sends
 * such signals all the time, and a socket with a timeout is interrupted even under SA_RESTART.
 */
#include <signal.h>
#include <sys/time.h>

#include "endpoint.h"
#include "scratch.h"

static volatile sig_atomic_t ticks;

static void tick(int number) {
    (void)number;
    ticks++;
}

static void every(long microseconds) {
    struct itimerval timer = {{0, microseconds}, {0, microseconds}};
    CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

/* The server takes its time before the answer, and within it; the request is larger than the socket's buffer. */
static void chats_while_ticking(const nomyo_client *client, int flags) {
    struct sigaction action = {.sa_handler = tick, .sa_flags = flags};
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    ticks = 0;
    every(5000);
    nomyo_response_free(answer_to(client,
        "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],"
        "\"nomyo_test\":{\"delay_before_headers_ms\":300,\"delay_in_body_ms\":300}}", NULL));
    char *json = request_of_size(9 * 1024 * 1024);
    nomyo_response_free(answer_to(client, json, NULL));
    free(json);
    every(0);
    CHECK(ticks > 10);
}

/* Nothing in nomyo_seal() waits here: the signals are delivered between the steps of the work. There are more than ten steps, each
 * longer than the timer's interval. A signal that comes twice in one step is delivered once. */
static void seals_while_ticking(const nomyo_client *client) {
    size_t len = 0;
    char *pem = fixture_text("keys/server_public.pem", &len);
    char *json = request_of_size(9 * 1024 * 1024);
    nomyo_sealed *sealed = NULL;
    nomyo_error *err = NULL;
    ticks = 0;
    every(50);
    CHECK_OK(nomyo_seal(client, (const uint8_t *)pem, len, (const uint8_t *)json, strlen(json), NULL, &sealed, &err), &err);
    int delivered = ticks;
    every(0);
    printf("interrupts: %d signals within a seal of 9 MiB\n", delivered);
    CHECK(delivered >= 5);
    nomyo_sealed_free(sealed);
    free(json);
    free(pem);
}

int main(void) {
    nomyo_client *client = client_of(endpoint_config());
    nomyo_error *err = NULL;
    struct sigaction action = {.sa_handler = tick};
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    every(5000);
    CHECK_OK(nomyo_client_warm_up(client, &err), &err);
    every(0);
    chats_while_ticking(client, 0);
    chats_while_ticking(client, SA_RESTART);
    seals_while_ticking(client);
    nomyo_client_free(client);
    return check_summary("interrupts");
}
