/*
 * A signal handler that forks, as a crash reporter's does, at any moment of any function: the handler comes back, and its child
 * ends. The library takes its locks for a fork, so it may hold none of them while a signal can arrive. The argument is the number of
 * forks.
 */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "endpoint.h"
#include "scratch.h"

#define ASK "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"forks\"}]}"

enum { BEGINNINGS = 2000, PATIENCE = 120 };

static volatile sig_atomic_t forks, bad;
static timer_t alarm_timer;
static struct itimerspec next;

/* Sends the next signal. The handler calls it when it ends, so that the program runs between two signals on a slow machine too. */
static void set_alarm(void) {
    if (timer_settime(alarm_timer, 0, &next, NULL) != 0) {
        _exit(2);
    }
}

static void fork_here(int number) {
    (void)number;
    pid_t child = fork();
    if (child == 0) {
        _exit(0);
    }
    int status = -1;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
        bad++;
    }
    forks++;
    set_alarm();
}

static void stuck(int number) {
    (void)number;
    static const char message[] = "signal_forks: stuck\n";
    if (write(STDERR_FILENO, message, sizeof message - 1) < 0) {
        _exit(2);
    }
    _exit(1);
}

static void a_round(const nomyo_client *client, const nomyo_response *response, const char *pem, size_t pem_len) {
    nomyo_error *err = NULL;
    CHECK_INT(nomyo_create(NULL, NULL, 0, NULL, NULL, &err), NOMYO_ERR_ARGUMENT);
    nomyo_error_free(err);
    nomyo_config *config = nomyo_config_new();
    CHECK_INT(nomyo_config_set_api_key(config, (const uint8_t *)"key", 3, NULL), NOMYO_OK);
    /* The beginning and the end of a call are short: many of them, so that signals arrive there too. */
    for (int i = 0; i < BEGINNINGS; i++) {
        CHECK_INT(nomyo_config_set_allow_http(config, i % 2, NULL), NOMYO_OK);
    }
    nomyo_client *other = NULL;
    CHECK_INT(nomyo_client_new(config, &other, NULL), NOMYO_OK);
    nomyo_client_free(other);
    nomyo_config_free(config);
    nomyo_cancel *cancel = nomyo_cancel_new();
    nomyo_call_options *options = nomyo_call_options_new();
    CHECK_INT(nomyo_call_options_set_cancel(options, cancel, NULL), NOMYO_OK);
    nomyo_cancel_trigger(cancel);
    nomyo_call_options_free(options);
    nomyo_cancel_free(cancel);
    nomyo_sealed *sealed = NULL;
    CHECK_INT(nomyo_seal(client, (const uint8_t *)pem, pem_len, (const uint8_t *)ASK, strlen(ASK), NULL, &sealed, NULL),
              NOMYO_OK);
    nomyo_sealed_free(sealed);
    CHECK_TEXT(nomyo_response_content(response, 0, NULL), "forks");
    CHECK(nomyo_response_pointer(response, "/choices/0", NULL) != NULL);
    nomyo_secret_free(nomyo_secret_alloc(100, NULL));
    CHECK_INT(nomyo_memory_info_get(&(nomyo_memory_info){0}, sizeof(nomyo_memory_info)), NOMYO_OK);
}

int main(int argc, char **argv) {
    int wanted = argc > 1 ? atoi(argv[1]) : 3000;
    nomyo_client *client = client_of(endpoint_config());
    nomyo_response *response = answer_to(client, ASK, NULL);
    size_t pem_len = 0;
    char *pem = fixture_text("keys/server_public.pem", &pem_len);
    struct sigaction action = {.sa_handler = fork_here, .sa_flags = SA_RESTART};
    struct sigaction late = {.sa_handler = stuck};
    CHECK(sigaction(SIGALRM, &action, NULL) == 0 && sigaction(SIGUSR1, &late, NULL) == 0);
    timer_t patience;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct itimerspec end = {.it_value = {PATIENCE, 0}};
    CHECK(timer_create(CLOCK_MONOTONIC, &event, &patience) == 0 && timer_settime(patience, 0, &end, NULL) == 0);
    struct sigevent alarm_event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    CHECK(timer_create(CLOCK_MONOTONIC, &alarm_event, &alarm_timer) == 0);
    next.it_value.tv_nsec = 500000;
    set_alarm();
    while (forks < wanted) {
        a_round(client, response, pem, pem_len);
    }
    /* A signal that is pending now is dropped: its handler would set a timer that is no longer there. */
    CHECK(signal(SIGALRM, SIG_IGN) != SIG_ERR);
    timer_delete(alarm_timer);
    CHECK_INT(bad, 0);
    timer_delete(patience);
    free(pem);
    nomyo_response_free(response);
    nomyo_client_free(client);
    return check_summary("signal_forks");
}
