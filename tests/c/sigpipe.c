/*
 * A server that hangs up while a large request is being written does not kill the host.
 */
#include <signal.h>
#include <sys/wait.h>

#include "endpoint.h"

enum { LARGE = 9 * 1024 * 1024, ROUNDS = 4 };

/* Twice, in case the machine is so slow that the connection counts as idle, and is replaced by a fresh one. */
static void hung_up_on(const nomyo_client *client, const char *json) {
    nomyo_error *err = NULL;
    nomyo_response *response = SENTINEL;
    CHECK_INT(control("/control/faults", "{\"read_request\":\"close_midway\",\"read_bytes\":200000,\"read_times\":2}"),
              200);
    CHECK(nomyo_create(client, (const uint8_t *)json, strlen(json), NULL, &response, &err) != NOMYO_OK);
    check_error(err, NOMYO_ERR_CONNECTION, "try again", "hung up", __FILE__, __LINE__);
    CHECK_INT(nomyo_error_attempts(err), 1);
    CHECK(response == SENTINEL);
    nomyo_error_free(err);
    CHECK_INT(control("/control/faults", "{}"), 200);
}

static int survives(nomyo_config *config) {
    ACCEPTED(nomyo_config_set_max_retries, config, 0);
    nomyo_client *client = client_of(config);
    nomyo_error *err = NULL;
    char *json = request_of_size(LARGE);
    CHECK_OK(nomyo_client_warm_up(client, &err), &err);
    for (int i = 0; i < ROUNDS; i++) {
        hung_up_on(client, json);
        nomyo_response_free(answer_to(client, json, NULL));
    }
    free(json);
    nomyo_client_free(client);
    struct sigaction action;
    CHECK(sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL);
    return check_summary("sigpipe: in the child");
}

/* In a child with the default disposition, which a shell may have changed for us. */
static void in_a_child(int over_tls) {
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGPIPE, SIG_DFL);
        check_passed = check_failed = 0;
        nomyo_config *config = endpoint_config();
        if (!over_tls) {
            ACCEPTED(nomyo_config_set_allow_http, config, 1);
            ACCEPTED(nomyo_config_set_base_url, config, endpoint_variable("NOMYO_TEST_PLAIN_BASE_URL"));
        }
        exit(survives(config));
    }
    int status = -1;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    if (!CHECK(!WIFSIGNALED(status))) {
        fprintf(stderr, "    killed by signal %d (SIGPIPE is %d)\n", WTERMSIG(status), SIGPIPE);
    }
    CHECK_INT(WEXITSTATUS(status), EXIT_SUCCESS);
}

int main(void) {
    in_a_child(1);
    in_a_child(0);
    CHECK_INT(control("/control/faults", "{}"), 200);
    return check_summary("sigpipe");
}
