/*
 * A client belongs to the process that made it: its copy in a child refuses everything but to be freed.
 */
#include <sys/wait.h>

#include "endpoint.h"

#define ASK "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"still here\"}]}"
#define BYTES(text) ((const uint8_t *)(text)), (sizeof(text) - 1)

static void chats(const nomyo_client *client) {
    nomyo_response *response = answer_to(client, ASK, NULL);
    CHECK_TEXT(nomyo_response_content(response, 0, NULL), "still here");
    nomyo_response_free(response);
}

/* In the child: the parent's client, sealed request and answer. */
static void inherited(nomyo_client *client, nomyo_sealed *sealed, nomyo_response *answer) {
    nomyo_response *response = SENTINEL;
    nomyo_sealed *other = SENTINEL;
    const char *advice = "make a new one in the child";
    REFUSED(NOMYO_ERR_FORKED, advice, nomyo_client_warm_up, client);
    REFUSED(NOMYO_ERR_FORKED, advice, nomyo_create, client, BYTES(ASK), NULL, &response);
    REFUSED(NOMYO_ERR_FORKED, advice, nomyo_create, client, NULL, 0, NULL, &response);
    REFUSED(NOMYO_ERR_FORKED, advice, nomyo_seal, client, BYTES("no key"), BYTES(ASK), NULL, &other);
    REFUSED(NOMYO_ERR_FORKED, advice, nomyo_open, client, sealed, BYTES("{}"), &response);
    CHECK(response == SENTINEL && other == SENTINEL);
    size_t len = 0;
    const char *json = nomyo_response_json(answer, &len);
    CHECK(json != NULL && len > 100 && json[0] == 0 && memcmp(json, json + 1, len) == 0); /* all zeros */
    CHECK(nomyo_response_content(answer, 0, NULL) == NULL);
    nomyo_client_free(client);
    nomyo_sealed_free(sealed);
    nomyo_response_free(answer);
}

/* A child's checks are counted there; the parent counts its exit status. */
static void in_a_child(void (*body)(nomyo_client *, nomyo_sealed *, nomyo_response *), nomyo_client *client,
                       nomyo_sealed *sealed, nomyo_response *answer) {
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        check_passed = check_failed = 0;
        body(client, sealed, answer);
        int result = check_summary("fork: in the child");
#ifdef __SANITIZE_ADDRESS__
        /* Keys that the parent has are no leak here, though what pointed to them reads as zeros. */
        fflush(NULL);
        _exit(result);
#endif
        exit(result);
    }
    int status = -1;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), EXIT_SUCCESS);
}

static void a_client_of_its_own(nomyo_client *client, nomyo_sealed *sealed, nomyo_response *answer) {
    (void)client, (void)answer;
    nomyo_client *own = client_of(endpoint_config());
    nomyo_response *response = SENTINEL;
    /* The parent's request names the parent's keys, which are gone here, whoever opens its answer. */
    REFUSED(NOMYO_ERR_FORKED, "in the child", nomyo_open, own, sealed, BYTES("{}"), &response);
    CHECK(response == SENTINEL);
    chats(own);
    nomyo_client_free(own);
}

/* The server's key as a PEM file is not known here; any RSA key seals. */
static nomyo_sealed *seal_with(const nomyo_client *client) {
    static uint8_t pem[4096];
    FILE *file = fopen(NOMYO_FIXTURES "/keys/server_public.pem", "rb");
    size_t len = file ? fread(pem, 1, sizeof pem, file) : 0;
    nomyo_sealed *sealed = NULL;
    CHECK_INT(nomyo_seal(client, pem, len, BYTES(ASK), NULL, &sealed, NULL), NOMYO_OK);
    if (file) {
        fclose(file);
    }
    return sealed;
}

int main(void) {
    nomyo_client *client = client_of(endpoint_config());
    nomyo_response *answer = answer_to(client, ASK, NULL);
    nomyo_sealed *sealed = seal_with(client);
    in_a_child(inherited, client, sealed, answer);
    /* The child closed its copy of the idle connection, and must not have ended the parent's. */
    chats(client);
    in_a_child(a_client_of_its_own, client, sealed, answer);
    chats(client);
    nomyo_sealed_free(sealed);
    nomyo_response_free(answer);
    nomyo_client_free(client);
    return check_summary("fork");
}
