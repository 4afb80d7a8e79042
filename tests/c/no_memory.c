/*
 * Memory that the system does not give: a prompt or an answer that does not fit is NOMYO_ERR_MEMORY, and the client works
 * again when there is memory. A small allocation that fails ends the process.
 */
#include "endpoint.h"
#include "proc.h"

#define ASK "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}"

enum { MIB = 1 << 20, LARGE = 10 * MIB, ROOM = 4 * MIB };

/* Lets the process map `room` bytes more than now; 0 for any number. */
static void limit_memory(rlim_t room) {
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_AS, &limit) == 0);
    limit.rlim_cur = room == 0 ? limit.rlim_max : 1024ULL * (rlim_t)proc_status("VmSize") + room;
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
}

static void works(const nomyo_client *client) {
    nomyo_response *response = answer_to(client, ASK, NULL);
    CHECK_TEXT(nomyo_response_content(response, 0, NULL), "x");
    nomyo_response_free(response);
}

static void refused(const nomyo_client *client, const char *json) {
    for (rlim_t room = MIB; room <= ROOM; room += MIB) {
        limit_memory(room);
        nomyo_error *err = error_of(client, json, NULL);
        limit_memory(0);
        CHECK_INT(nomyo_error_status(err), NOMYO_ERR_MEMORY);
        CHECK_HAS(nomyo_error_message(err), "memory");
        nomyo_error_free(err);
        works(client);
    }
}

static void large_allocations(void *argument) {
    nomyo_client *client = client_of(endpoint_config());
    char *large = request_of_size(LARGE);
    (void)argument;
    works(client);
    refused(client, large);
    /* The answer is an echo of so many bytes, and is larger than what there is. */
    refused(client, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"nomyo_test\":{\"oversize\":16777216}}");
    free(large);
    nomyo_client_free(client);
}

static void small_allocations(void *argument) {
    (void)argument;
    expect_to_die();
    signal(SIGABRT, SIG_DFL);
    fclose(stderr);
    limit_memory(MIB);
    for (;;) {
        if (nomyo_call_options_new() == NULL) {
            _exit(EXIT_SUCCESS);
        }
    }
}

int main(void) {
    IN_A_CHILD(large_allocations, NULL);
    int status = child_status(small_allocations, NULL);
    CHECK(WIFSIGNALED(status));
    CHECK_INT(WTERMSIG(status), SIGABRT);
    return check_summary("no_memory");
}
