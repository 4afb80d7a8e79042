/*
 * A client belongs to the process that made it: its copy in a child refuses every call except _free. The credentials in a
 * configuration and in options are refused too, until the child sets its own.
 */
#include <pthread.h>
#include <sys/wait.h>
#include <time.h>

#include "endpoint.h"
#include "scratch.h"

#define ASK "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"still here\"}]}"
#define BYTES(text) ((const uint8_t *)(text)), (sizeof(text) - 1)

/* No other key, so that nothing is generated. */
#define FIXTURE_KEY NOMYO_FIXTURES "/keys/client_private.pem"

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
    nomyo_text *text = SENTINEL;
    nomyo_client *handle = SENTINEL;
    REFUSED(NOMYO_ERR_FORKED, advice, nomyo_client_server_key, client, &text, NULL);
    REFUSED(NOMYO_ERR_FORKED, advice, nomyo_client_tls_chain, client, &text);
    REFUSED(NOMYO_ERR_FORKED, advice, nomyo_client_public_key, client, &text);
    REFUSED(NOMYO_ERR_FORKED, advice, nomyo_client_generate_keys, client, NULL, NULL, 0);
    REFUSED(NOMYO_ERR_FORKED, advice, nomyo_client_load_keys, client, FIXTURE_KEY, NULL, NULL, 0);
    uint8_t *pem = SENTINEL;
    size_t pem_len = 77;
    REFUSED(NOMYO_ERR_FORKED, advice, nomyo_client_load_keys_pem, client, BYTES("x"), NULL, 0, NULL, 0);
    REFUSED(NOMYO_ERR_FORKED, advice, nomyo_client_private_key_pem, client, NULL, 0, &pem, &pem_len);
    CHECK(pem == SENTINEL && pem_len == 77);
    REFUSED(NOMYO_ERR_FORKED, advice, nomyo_client_save_keys, client, "/nonexistent", NULL, 0);
    REFUSED(NOMYO_ERR_FORKED, advice, nomyo_client_rotate_keys, client);
    REFUSED(NOMYO_ERR_FORKED, advice, nomyo_client_with_options, client, NULL, &handle);
    CHECK(text == SENTINEL && handle == SENTINEL);
    nomyo_error *err = error_of(client, ASK, NULL);
    CHECK_INT(nomyo_error_sent(err), NOMYO_SENT_NO);
    CHECK_INT(nomyo_error_attempts(err), 0);
    CHECK(nomyo_error_payload_id(err) == NULL);
    nomyo_error_free(err);
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

static nomyo_config *inherited_config;
static nomyo_call_options *inherited_options;

/* A configuration that the parent filled, with an API key, a key directory and its password. */
static nomyo_config *filled_config(const char *dir) {
    nomyo_config *config = endpoint_config();
    CHECK_INT(nomyo_config_set_key_dir(config, dir, NULL), NOMYO_OK);
    CHECK_INT(nomyo_config_set_key_password(config, BYTES(FIXTURE_PASSWORD), NULL), NOMYO_OK);
    return config;
}

/* The endpoint refuses another API key, and the key file another password: a child that chats has the right ones. */
static void credentials_of_its_own(nomyo_client *client, nomyo_sealed *sealed, nomyo_response *answer) {
    (void)client, (void)sealed, (void)answer;
    const char *key = endpoint_api_key();
    nomyo_client *own = SENTINEL;
    nomyo_response *response = SENTINEL;
    REFUSED(NOMYO_ERR_FORKED, "the API key was set before a fork", nomyo_client_new, inherited_config, &own);
    CHECK_INT(nomyo_config_set_api_key(inherited_config, (const uint8_t *)key, strlen(key), NULL), NOMYO_OK);
    REFUSED(NOMYO_ERR_FORKED, "the key password was set before a fork", nomyo_client_new, inherited_config, &own);
    CHECK_INT(nomyo_config_set_key_password(inherited_config, BYTES(FIXTURE_PASSWORD), NULL), NOMYO_OK);
    REFUSED(NOMYO_ERR_FORKED, "the value of a header was set before a fork", nomyo_client_new, inherited_config, &own);
    CHECK_INT(nomyo_config_set_header(inherited_config, "X-Gateway-Key", BYTES("again"), NULL), NOMYO_OK);
    CHECK(own == SENTINEL);
    own = client_of(inherited_config);
    chats(own);
    REFUSED(NOMYO_ERR_FORKED, "the API key was set before a fork", nomyo_create, own, BYTES(ASK), inherited_options, &response);
    CHECK(response == SENTINEL);
    CHECK_INT(nomyo_call_options_set_api_key(inherited_options, (const uint8_t *)key, strlen(key), NULL), NOMYO_OK);
    response = answer_to(own, ASK, inherited_options);
    CHECK_TEXT(nomyo_response_content(response, 0, NULL), "still here");
    nomyo_response_free(response);
    nomyo_call_options_free(inherited_options);
    nomyo_client_free(own);
}

/* A child can use a configuration without credentials. Empty credentials count as none. */
static void a_configuration_without_credentials(nomyo_client *client, nomyo_sealed *sealed, nomyo_response *answer) {
    (void)client, (void)sealed, (void)answer;
    nomyo_client_free(client_of(inherited_config));
}

/* A handle that shares the parent's client is the parent's, too. */
static void an_inherited_handle(nomyo_client *handle, nomyo_sealed *sealed, nomyo_response *answer) {
    nomyo_response *response = SENTINEL;
    (void)sealed, (void)answer;
    REFUSED(NOMYO_ERR_FORKED, "make a new one in the child", nomyo_create, handle, BYTES(ASK), NULL, &response);
    REFUSED(NOMYO_ERR_FORKED, "make a new one in the child", nomyo_client_warm_up, handle);
    CHECK(response == SENTINEL);
    nomyo_client_free(handle);
}

static nomyo_cancel *inherited_cancel;

static void *trigger_soon(void *unused) {
    usleep(100000);
    nomyo_cancel_trigger(inherited_cancel);
    return unused;
}

/* A cancel that the parent made ends a call of the child that waits for a silent server. The child looks at it: nothing wakes
 * the wait. Without such looks the wait lasts until the connection is looked after, two seconds. */
static void an_inherited_cancel(nomyo_client *client, nomyo_sealed *sealed, nomyo_response *answer) {
    (void)client, (void)sealed, (void)answer;
    nomyo_client *own = client_of(endpoint_config());
    nomyo_text *key = NULL;
    CHECK_INT(nomyo_client_public_key(own, &key, NULL), NOMYO_OK);
    nomyo_text_free(key);
    CHECK_INT(control("/control/faults", "{\"key_fetch\":{\"delay_before_headers_ms\":60000,\"times\":1}}"), 200);
    nomyo_call_options *options = nomyo_call_options_new();
    CHECK_INT(nomyo_call_options_set_timeout_ms(options, 30000, NULL), NOMYO_OK);
    CHECK_INT(nomyo_call_options_set_cancel(options, inherited_cancel, NULL), NOMYO_OK);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, trigger_soon, NULL) == 0);
    nomyo_response *response = SENTINEL;
    struct timespec begun, ended;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    REFUSED(NOMYO_ERR_CANCELLED, "cancelled", nomyo_create, own, BYTES(ASK), options, &response);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    CHECK((ended.tv_sec - begun.tv_sec) * 1000 + (ended.tv_nsec - begun.tv_nsec) / 1000000 < 1500);
    CHECK(response == SENTINEL);
    pthread_join(thread, NULL);
    nomyo_call_options_free(options);
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
    inherited_cancel = nomyo_cancel_new();
    in_a_child(an_inherited_cancel, client, sealed, answer);
    nomyo_cancel_free(inherited_cancel);
    nomyo_client *handle = NULL;
    CHECK_INT(nomyo_client_with_options(client, NULL, &handle, NULL), NOMYO_OK);
    in_a_child(an_inherited_handle, handle, sealed, answer);
    chats(handle);
    nomyo_client_free(handle);
    chats(client);
    struct scratch scratch = scratch_new();
    copy_key("keys/client_private_py_password.pem", scratch_path(&scratch, "private_key.pem"));
    copy_key("keys/client_public.pem", scratch_path(&scratch, "public_key.pem"));
    const char *key = endpoint_api_key();
    inherited_config = filled_config(scratch.dir);
    CHECK_INT(nomyo_config_set_header(inherited_config, "X-Gateway-Key", BYTES("open sesame"), NULL), NOMYO_OK);
    inherited_options = nomyo_call_options_new();
    CHECK_INT(nomyo_call_options_set_api_key(inherited_options, (const uint8_t *)key, strlen(key), NULL), NOMYO_OK);
    in_a_child(credentials_of_its_own, client, sealed, answer);
    nomyo_config_free(inherited_config);
    nomyo_call_options_free(inherited_options);
    inherited_config = nomyo_config_new();
    CHECK_INT(nomyo_config_set_api_key(inherited_config, NULL, 0, NULL), NOMYO_OK);
    CHECK_INT(nomyo_config_set_key_password(inherited_config, NULL, 0, NULL), NOMYO_OK);
    in_a_child(a_configuration_without_credentials, client, sealed, answer);
    nomyo_config_free(inherited_config);
    scratch_remove(&scratch);
    nomyo_sealed_free(sealed);
    nomyo_response_free(answer);
    nomyo_client_free(client);
    return check_summary("fork");
}
