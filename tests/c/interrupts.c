/*
 * A host with a timer of its own: system calls that a signal interrupts are not failed calls. Go's scheduler sends
 * such signals all the time, and a socket with a timeout is interrupted even under SA_RESTART.
 */
#include <signal.h>
#include <sys/time.h>

#include "endpoint.h"

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
    nomyo_client_free(client);
    return check_summary("interrupts");
}
