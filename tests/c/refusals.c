/*
 * Servers that refuse, fail or lie: the status that says so, and what is known of the exchange. Nothing is tried again.
 */
#include <time.h>

#include "endpoint.h"
#include "proc.h"

#define ASK "\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]"
#define TESTED(faults) "{" ASK ",\"nomyo_test\":" faults "}"

/* A configuration that repeats nothing. */
static nomyo_config *once(void) {
    nomyo_config *config = endpoint_config();
    ACCEPTED(nomyo_config_set_max_retries, config, 0);
    return config;
}

/* The call fails with this status and part of a sentence, after one attempt. */
static void fails(const nomyo_client *client, const char *json, int32_t status, const char *part, int line) {
    nomyo_error *err = error_of(client, json, NULL);
    check_error(err, status, part, json, __FILE__, line);
    check_int(nomyo_error_attempts(err), 1, "one attempt", __FILE__, line);
    nomyo_error_free(err);
}
#define FAILS(json, status, part) fails(client, json, status, part, __LINE__)

static void statuses(const nomyo_client *client) {
    static const struct {
        int http;
        int32_t status;
        int retryable;
        const char *part;
    } cases[] = {
        {400, NOMYO_ERR_BAD_REQUEST, 0, "details"},     {401, NOMYO_ERR_AUTHENTICATION, 0, "check the API key"},
        {403, NOMYO_ERR_FORBIDDEN, 0, "security tier"}, {404, NOMYO_ERR_NOT_FOUND, 0, "check the base URL"},
        {408, NOMYO_ERR_HTTP, 1, "details"},            {418, NOMYO_ERR_HTTP, 0, "details"},
        {422, NOMYO_ERR_HTTP, 0, "details"},            {429, NOMYO_ERR_RATE_LIMIT, 1, "wait"},
        {500, NOMYO_ERR_SERVER, 1, "try again later"},  {502, NOMYO_ERR_HTTP, 1, "try again later"},
        {503, NOMYO_ERR_UNAVAILABLE, 1, "try again"},   {504, NOMYO_ERR_HTTP, 1, "try again later"},
        {201, NOMYO_ERR_HTTP, 0, "details"},            {204, NOMYO_ERR_HTTP, 0, "details"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char json[512];
        snprintf(json, sizeof json, TESTED("{\"status\":%d,\"body\":\"{\\\"detail\\\":\\\"no\\\"}\","
                 "\"headers\":{\"Retry-After\":\"7\"}}"), cases[i].http);
        nomyo_error *err = error_of(client, json, NULL);
        check_error(err, cases[i].status, cases[i].part, json, __FILE__, __LINE__);
        CHECK_INT(nomyo_error_http_status(err), cases[i].http);
        CHECK_INT(nomyo_error_retry_after_ms(err), 7000);
        CHECK_INT(nomyo_error_retryable(err), cases[i].retryable);
        CHECK_INT(nomyo_error_attempts(err), 1);
        size_t len = 77;
        const char *details = nomyo_error_details(err, &len);
        if (cases[i].http == 204) {
            CHECK(details == NULL && len == 0);
        } else if (CHECK_TEXT(details, "{\"detail\":\"no\"}")) {
            CHECK_INT(len, strlen(details));
        }
        CHECK(strstr(nomyo_error_message(err), "\"no\"") == NULL);
        nomyo_error_free(err);
    }
}

static void details_are_cut_off(const nomyo_client *client) {
    nomyo_error *err = error_of(client, TESTED("{\"status\":500,\"body\":\"x\",\"oversize\":1000000}"), NULL);
    size_t len = 0;
    const char *details = nomyo_error_details(err, &len);
    CHECK(details != NULL && len == 65536 && details[0] == 'x' && details[len] == '\0');
    CHECK_INT(nomyo_error_retry_after_ms(err), -1);
    nomyo_error_free(err);
}

/* A server that wants to be left alone for longer than two minutes is not worth a retry. */
static void a_long_wait_is_not_retryable(const nomyo_client *client) {
    for (int seconds = 120; seconds <= 121; seconds++) {
        char json[256];
        snprintf(json, sizeof json, TESTED("{\"status\":503,\"headers\":{\"Retry-After\":\"%d\"}}"), seconds);
        nomyo_error *err = error_of(client, json, NULL);
        CHECK_INT(nomyo_error_retry_after_ms(err), seconds * 1000);
        CHECK_INT(nomyo_error_retryable(err), seconds <= 120);
        nomyo_error_free(err);
    }
}

static void a_redirect_is_not_followed(const nomyo_client *client) {
    char json[512];
    snprintf(json, sizeof json, TESTED("{\"redirect\":\"%s/v1/chat/secure_completion\"}"),
             endpoint_variable("NOMYO_TEST_BASE_URL"));
    nomyo_error *err = error_of(client, json, NULL);
    check_error(err, NOMYO_ERR_HTTP, "redirects are never followed", json, __FILE__, __LINE__);
    CHECK_INT(nomyo_error_http_status(err), 307);
    nomyo_error_free(err);
}

static void lies(const nomyo_client *client) {
    FAILS(TESTED("{\"malformed\":\"not_json\"}"), NOMYO_ERR_PROTOCOL, "not an encrypted package");
    FAILS(TESTED("{\"malformed\":\"empty_body\"}"), NOMYO_ERR_PROTOCOL, "not an encrypted package");
    FAILS(TESTED("{\"malformed\":\"missing_version\"}"), NOMYO_ERR_PROTOCOL, "not an encrypted package");
    FAILS(TESTED("{\"malformed\":\"algorithm_other\"}"), NOMYO_ERR_PROTOCOL, "package");
    FAILS(TESTED("{\"malformed\":\"tag_12_bytes\"}"), NOMYO_ERR_PROTOCOL, "package");
    FAILS(TESTED("{\"malformed\":\"ciphertext_bit_flip\"}"), NOMYO_ERR_SECURITY, "decryption failed");
    FAILS(TESTED("{\"malformed\":\"nonce_bit_flip\"}"), NOMYO_ERR_SECURITY, "decryption failed");
    FAILS(TESTED("{\"malformed\":\"rsa_wrong_key\"}"), NOMYO_ERR_SECURITY, "decryption failed");
    FAILS(TESTED("{\"malformed\":\"plaintext_not_json\"}"), NOMYO_ERR_SECURITY, "decryption failed");
    FAILS(TESTED("{\"payload_id\":\"other\"}"), NOMYO_ERR_SECURITY, "another request");
    FAILS("{" ASK ",\"security_tier\":\"high\",\"nomyo_test\":{\"tier\":\"standard\"}}", NOMYO_ERR_SECURITY,
          "lower security tier");
    FAILS(TESTED("{\"status\":200,\"body\":\"<html>\",\"content_type\":\"text/html\"}"), NOMYO_ERR_PROTOCOL,
          "check that what gave it");
    FAILS(TESTED("{\"oversize\":67108865}"), NOMYO_ERR_PROTOCOL, "larger than");
    nomyo_response_free(answer_to(client, TESTED("{\"payload_id\":null,\"tier\":\"maximum\"}"), NULL));
    nomyo_response_free(answer_to(client, TESTED("{\"js_form\":true,\"chunked\":true}"), NULL));
}

/* There was an answer, so its HTTP status is known even when its content is refused. */
static void a_lie_has_an_http_status(const nomyo_client *client) {
    nomyo_error *err = error_of(client, TESTED("{\"malformed\":\"ciphertext_bit_flip\"}"), NULL);
    CHECK_INT(nomyo_error_http_status(err), 200);
    CHECK_INT(nomyo_error_retryable(err), 0);
    nomyo_error_free(err);
}

static void broken_connections(const nomyo_client *client) {
    FAILS(TESTED("{\"truncate\":100}"), NOMYO_ERR_CONNECTION, "try again");
    FAILS(TESTED("{\"truncate\":0}"), NOMYO_ERR_CONNECTION, "try again");
    FAILS(TESTED("{\"reset\":\"before_headers\"}"), NOMYO_ERR_CONNECTION, "try again");
    FAILS(TESTED("{\"reset\":\"in_body\"}"), NOMYO_ERR_CONNECTION, "try again");
    FAILS(TESTED("{\"close\":true}"), NOMYO_ERR_CONNECTION, "try again");
    nomyo_error *err = error_of(client, TESTED("{\"close\":true}"), NULL);
    CHECK_INT(nomyo_error_http_status(err), 0);
    CHECK_INT(nomyo_error_retryable(err), 1);
    nomyo_error_free(err);
    nomyo_response_free(answer_to(client, "{" ASK "}", NULL));
}

static void a_timeout_ends_the_call(const nomyo_client *client, const char *json) {
    nomyo_call_options *options = nomyo_call_options_new();
    CHECK_INT(nomyo_call_options_set_timeout_ms(options, 300, NULL), NOMYO_OK);
    nomyo_error *err = error_of(client, json, options);
    check_error(err, NOMYO_ERR_TIMEOUT, "timeout option", json, __FILE__, __LINE__);
    CHECK_HAS(nomyo_error_message(err), "300 ms");
    CHECK_INT(nomyo_error_retryable(err), 1);
    CHECK_INT(nomyo_error_attempts(err), 1);
    nomyo_error_free(err);
    nomyo_call_options_free(options);
}

/* The server accepts, and never says a word of TLS: that is what the connect timeout is for. */
static void a_stalled_handshake_ends_at_the_connect_timeout(void) {
    nomyo_config *config = once();
    CHECK_INT(nomyo_config_set_connect_timeout_ms(config, 400, NULL), NOMYO_OK);
    CHECK_INT(nomyo_config_set_timeout_ms(config, 60000, NULL), NOMYO_OK);
    nomyo_client *client = client_of(config);
    CHECK_INT(control("/control/faults", "{\"accept\":\"stall\",\"accept_times\":1}"), 200);
    nomyo_error *err = error_of(client, "{" ASK "}", NULL);
    check_error(err, NOMYO_ERR_TIMEOUT, "connect timeout", "a stalled handshake", __FILE__, __LINE__);
    nomyo_error_free(err);
    nomyo_client_free(client);
    CHECK_INT(control("/control/faults", "{}"), 200);
}

/* Whatever certificates the system trusts, the endpoint's is not among them. */
static void an_unknown_ca(void) {
    nomyo_config *config = nomyo_config_new();
    CHECK_INT(nomyo_config_set_base_url(config, endpoint_variable("NOMYO_TEST_BASE_URL"), NULL), NOMYO_OK);
    nomyo_client *client = client_of(config);
    nomyo_error *err = error_of(client, "{" ASK "}", NULL);
    check_error(err, NOMYO_ERR_CONNECTION, "ca_file", "an unknown CA", __FILE__, __LINE__);
    CHECK_HAS(nomyo_error_message(err), "trust store");
    CHECK_INT(nomyo_error_retryable(err), 0);
    nomyo_error_free(err);
    nomyo_client_free(client);
}

static void a_name_that_does_not_exist(void) {
    nomyo_config *config = nomyo_config_new();
    CHECK_INT(nomyo_config_set_base_url(config, "https://no-such-host.invalid", NULL), NOMYO_OK);
    nomyo_client *client = client_of(config);
    nomyo_error *err = error_of(client, "{" ASK "}", NULL);
    check_error(err, NOMYO_ERR_CONNECTION, "could not be resolved", "an unknown name", __FILE__, __LINE__);
    nomyo_error_free(err);
    nomyo_client_free(client);
}

/* On a client that has no key of the server yet. */
static void a_bad_server_key(const nomyo_client *client) {
    nomyo_error *err = NULL;
    CHECK_INT(control("/control/faults", "{\"key_fetch\":{\"key_pem\":\"nonsense\"}}"), 200);
    CHECK_INT(nomyo_client_warm_up(client, &err), NOMYO_ERR_PROTOCOL);
    check_error(err, NOMYO_ERR_PROTOCOL, "not PEM", "a bad key", __FILE__, __LINE__);
    nomyo_error_free(err);
    CHECK_INT(control("/control/faults", "{\"key_fetch\":{\"status\":503}}"), 200);
    FAILS("{" ASK "}", NOMYO_ERR_UNAVAILABLE, "/pki/public_key");
    CHECK_INT(control("/control/faults", "{}"), 200);
    nomyo_response_free(answer_to(client, "{" ASK "}", NULL));
}

int main(void) {
    nomyo_client *client = client_of(once());
    a_bad_server_key(client);
    statuses(client);
    details_are_cut_off(client);
    a_long_wait_is_not_retryable(client);
    a_redirect_is_not_followed(client);
    lies(client);
    a_lie_has_an_http_status(client);
    broken_connections(client);
    a_timeout_ends_the_call(client, TESTED("{\"delay_before_headers_ms\":5000}"));
    a_timeout_ends_the_call(client, TESTED("{\"delay_in_body_ms\":5000}"));
    a_timeout_ends_the_call(client, TESTED("{\"status\":500,\"delay_before_headers_ms\":5000}"));
    a_stalled_handshake_ends_at_the_connect_timeout();
    an_unknown_ca();
    a_name_that_does_not_exist();
    nomyo_client_free(client);
    /* The resolver's thread frees what the C library keeps for it when it ends. */
    long one = one_thread();
    for (int i = 0; i < 1200 && proc_status("Threads") > one; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
    CHECK_INT(proc_status("Threads"), one);
    return check_summary("refusals");
}
