/*
 * The facts about a failed call: whether the server may have the request, under which id, after how many attempts. The
 * words of each error agree with them.
 */
#include <pthread.h>

#include "endpoint.h"
#include "log.h"
#include "scratch.h"

#define ASK "\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]"
#define TESTED(faults) "{" ASK ",\"nomyo_test\":" faults "}"
#define ENDS TESTED("{\"headers\":{\"Connection\":\"close\"}}")
#define BYTES(text) ((const uint8_t *)(text)), (sizeof(text) - 1)

enum { UNSEALED = 0, SEALED = 36, EITHER = -1, ANY = -1 };

static struct log_lines lines;

/* Checks and frees `err`. `id` is the length of the payload id, or EITHER. */
static void facts(nomyo_error *err, int32_t status, int32_t sent, int id, int attempts, const char *what, int line) {
    const char *message = nomyo_error_message(err), *payload_id = nomyo_error_payload_id(err);
    check_int(nomyo_error_status(err), status, what, __FILE__, line);
    check_int(nomyo_error_sent(err), sent, what, __FILE__, line);
    if (id != EITHER) {
        check_int(payload_id ? (long long)strlen(payload_id) : 0, id, what, __FILE__, line);
    }
    if (attempts != ANY) {
        check_int(nomyo_error_attempts(err), attempts, what, __FILE__, line);
    }
    /* A cancelled call is not one that failed. */
    check_that(status != NOMYO_ERR_CANCELLED || nomyo_error_retryable(err) == 0, what, __FILE__, line);
    /* A request that may have left is never called unsent. */
    check_that(sent == NOMYO_SENT_NO || (strstr(message, "nothing was sent") == NULL && strstr(message, "not sent") == NULL),
               message, __FILE__, line);
    /* The log has the id, so that an operator can find the request. */
    if (payload_id != NULL && sent != NOMYO_SENT_NO) {
        check_that(strstr(lines.text, payload_id) != NULL, payload_id, __FILE__, line);
    }
    nomyo_error_free(err);
}
#define FACTS(err, status, sent, id, attempts) facts(err, status, sent, id, attempts, #err, __LINE__)

static nomyo_config *logged(uint32_t retries) {
    nomyo_config *config = endpoint_config();
    log_to(config, &lines);
    CHECK_INT(nomyo_config_set_max_retries(config, retries, NULL), NOMYO_OK);
    return config;
}

static nomyo_error *warm_up_error(const nomyo_client *client) {
    nomyo_error *err = NULL;
    CHECK(nomyo_client_warm_up(client, &err) != NOMYO_OK);
    return err;
}

static void nothing_leaves_before_the_key(void) {
    nomyo_config *config = logged(0);
    CHECK_INT(nomyo_config_add_server_key_pin(config, "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", NULL), NOMYO_OK);
    nomyo_client *client = client_of(config);
    FACTS(error_of(client, "[]", NULL), NOMYO_ERR_ARGUMENT, NOMYO_SENT_NO, UNSEALED, 0);
    FACTS(error_of(client, "{" ASK "}", NULL), NOMYO_ERR_PIN, NOMYO_SENT_NO, UNSEALED, 1);
    FACTS(warm_up_error(client), NOMYO_ERR_PIN, NOMYO_SENT_NO, UNSEALED, 1);
    nomyo_client_free(client);
    client = client_of(logged(0));
    CHECK_INT(control("/control/faults", "{\"key_fetch\":{\"status\":503}}"), 200);
    FACTS(error_of(client, "{" ASK "}", NULL), NOMYO_ERR_UNAVAILABLE, NOMYO_SENT_NO, UNSEALED, 1);
    FACTS(warm_up_error(client), NOMYO_ERR_UNAVAILABLE, NOMYO_SENT_NO, UNSEALED, 1);
    CHECK_INT(control("/control/faults", "{\"key_fetch\":{\"close\":true}}"), 200);
    FACTS(error_of(client, "{" ASK "}", NULL), NOMYO_ERR_CONNECTION, NOMYO_SENT_NO, UNSEALED, 1);
    CHECK_INT(control("/control/faults", "{\"key_fetch\":{\"key_pem\":\"nonsense\"}}"), 200);
    FACTS(error_of(client, "{" ASK "}", NULL), NOMYO_ERR_PROTOCOL, NOMYO_SENT_NO, UNSEALED, 1);
    CHECK_INT(control("/control/faults", "{}"), 200);
    nomyo_client_free(client);
    config = logged(0);
    CHECK_INT(nomyo_config_set_base_url(config, "https://127.0.0.1:1", NULL), NOMYO_OK);
    client = client_of(config);
    FACTS(error_of(client, "{" ASK "}", NULL), NOMYO_ERR_CONNECTION, NOMYO_SENT_NO, UNSEALED, 1);
    nomyo_client_free(client);
}

/* The key fetch takes the only turn for the next quarter of an hour. */
static void no_turn_for_the_request(void) {
    nomyo_config *config = logged(0);
    CHECK_INT(nomyo_config_set_rate_limit(config, 0.001, 1, NULL), NOMYO_OK);
    nomyo_client *client = client_of(config);
    nomyo_error *err = error_of(client, "{" ASK "}", NULL);
    CHECK_INT(nomyo_error_retryable(err), 0);
    FACTS(err, NOMYO_ERR_TIMEOUT, NOMYO_SENT_NO, EITHER, 1);
    nomyo_client_free(client);
}

/* The known-servers file names another key: known after the key was fetched, and counted. */
static void an_unknown_server(void) {
    struct scratch scratch = scratch_new();
    char line[512], known[PATH_MAX];
    snprintf(known, sizeof known, "%s/known", scratch.dir);
    int len = snprintf(line, sizeof line, "%s %064d\n", endpoint_variable("NOMYO_TEST_BASE_URL"), 0);
    write_private(known, line, (size_t)len);
    nomyo_config *config = logged(0);
    CHECK_INT(nomyo_config_set_known_servers(config, known, NULL), NOMYO_OK);
    nomyo_client *client = client_of(config);
    FACTS(error_of(client, "{" ASK "}", NULL), NOMYO_ERR_PIN, NOMYO_SENT_NO, UNSEALED, 1);
    nomyo_client_free(client);
    scratch_remove(&scratch);
}

static void an_answer_is_known(const nomyo_client *client) {
    static const struct {
        const char *json;
        int32_t status;
    } cases[] = {
        {TESTED("{\"status\":400}"), NOMYO_ERR_BAD_REQUEST},   {TESTED("{\"status\":401}"), NOMYO_ERR_AUTHENTICATION},
        {TESTED("{\"status\":403}"), NOMYO_ERR_FORBIDDEN},     {TESTED("{\"status\":404}"), NOMYO_ERR_NOT_FOUND},
        {TESTED("{\"status\":429}"), NOMYO_ERR_RATE_LIMIT},    {TESTED("{\"status\":500}"), NOMYO_ERR_SERVER},
        {TESTED("{\"status\":503}"), NOMYO_ERR_UNAVAILABLE},   {TESTED("{\"status\":418}"), NOMYO_ERR_HTTP},
        {TESTED("{\"malformed\":\"not_json\"}"), NOMYO_ERR_PROTOCOL},
        {TESTED("{\"malformed\":\"ciphertext_bit_flip\"}"), NOMYO_ERR_SECURITY},
        {TESTED("{\"payload_id\":\"other\"}"), NOMYO_ERR_SECURITY},
        {TESTED("{\"oversize\":67108865}"), NOMYO_ERR_PROTOCOL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        facts(error_of(client, cases[i].json, NULL), cases[i].status, NOMYO_SENT_YES, SEALED, 1, cases[i].json, __LINE__);
    }
}

static void a_withheld_answer_is_known(void) {
    nomyo_config *config = logged(0);
    nomyo_attestation_policy *policy = nomyo_attestation_policy_new();
    CHECK_INT(nomyo_attestation_policy_require(policy, NOMYO_ATTESTATION_CONSISTENT, NULL), NOMYO_OK);
    CHECK_INT(nomyo_config_set_attestation(config, policy, NULL), NOMYO_OK);
    nomyo_attestation_policy_free(policy);
    nomyo_client *client = client_of(config);
    FACTS(error_of(client, "{" ASK "}", NULL), NOMYO_ERR_ATTESTATION, NOMYO_SENT_YES, SEALED, 1);
    nomyo_client_free(client);
}

static void no_answer_leaves_doubt(const nomyo_client *client) {
    nomyo_call_options *brief = nomyo_call_options_new();
    CHECK_INT(nomyo_call_options_set_timeout_ms(brief, 400, NULL), NOMYO_OK);
    FACTS(error_of(client, TESTED("{\"close\":true}"), NULL), NOMYO_ERR_CONNECTION, NOMYO_SENT_MAYBE, SEALED, 1);
    FACTS(error_of(client, TESTED("{\"reset\":\"before_headers\"}"), NULL), NOMYO_ERR_CONNECTION, NOMYO_SENT_MAYBE, SEALED, 1);
    FACTS(error_of(client, TESTED("{\"delay_before_headers_ms\":20000}"), brief), NOMYO_ERR_TIMEOUT, NOMYO_SENT_MAYBE,
          SEALED, 1);
    CHECK_INT(control("/control/faults", "{\"read_request\":\"close_midway\",\"read_bytes\":100,\"read_times\":1}"), 200);
    FACTS(error_of(client, "{" ASK "}", NULL), NOMYO_ERR_CONNECTION, NOMYO_SENT_MAYBE, SEALED, 1);
    CHECK_INT(control("/control/faults", "{}"), 200);
    nomyo_call_options_free(brief);
}

/* An answer that began and broke off was not received, but the server had the request. */
static void half_an_answer_is_not_nothing(const nomyo_client *client) {
    static const char *const cases[] = {TESTED("{\"truncate\":100}"), TESTED("{\"reset\":\"in_body\"}")};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nomyo_error *err = error_of(client, cases[i], NULL);
        int32_t sent = nomyo_error_sent(err);
        CHECK(sent == NOMYO_SENT_MAYBE || sent == NOMYO_SENT_YES);
        facts(err, NOMYO_ERR_CONNECTION, sent, SEALED, 1, cases[i], __LINE__);
    }
}

/* The server's key is there and the request is sealed, but there is no connection for it. */
static void a_connection_that_fails_takes_nothing(const nomyo_client *client) {
    nomyo_call_options *brief = nomyo_call_options_new();
    CHECK_INT(nomyo_call_options_set_timeout_ms(brief, 500, NULL), NOMYO_OK);
    nomyo_response_free(answer_to(client, ENDS, NULL));
    CHECK_INT(control("/control/faults", "{\"accept\":\"stall\",\"accept_times\":1}"), 200);
    FACTS(error_of(client, "{" ASK "}", brief), NOMYO_ERR_TIMEOUT, NOMYO_SENT_NO, SEALED, ANY);
    nomyo_response_free(answer_to(client, ENDS, NULL));
    CHECK_INT(control("/control/faults", "{\"accept\":\"reset\",\"accept_times\":1}"), 200);
    FACTS(error_of(client, "{" ASK "}", NULL), NOMYO_ERR_CONNECTION, NOMYO_SENT_NO, SEALED, ANY);
    nomyo_response_free(answer_to(client, ENDS, NULL));
    CHECK_INT(control("/control/faults", "{\"certificate\":\"expired\"}"), 200);
    FACTS(error_of(client, "{" ASK "}", NULL), NOMYO_ERR_CONNECTION, NOMYO_SENT_NO, SEALED, ANY);
    CHECK_INT(control("/control/faults", "{}"), 200);
    nomyo_call_options_free(brief);
}

static void retries_are_counted(void) {
    nomyo_client *client = client_of(logged(2));
#define SOON "\"headers\":{\"retry-after-ms\":\"10\"}"
    FACTS(error_of(client, TESTED("{\"status\":500," SOON "}"), NULL), NOMYO_ERR_SERVER, NOMYO_SENT_YES, SEALED, 3);
    FACTS(error_of(client, TESTED("{\"close\":true}"), NULL), NOMYO_ERR_CONNECTION, NOMYO_SENT_MAYBE, SEALED, 3);
    static const struct {
        const char *json;
        unsigned attempts;
    } cases[] = {
        {"{" ASK "}", 1},
        {TESTED("{\"status\":429," SOON ",\"times\":1}"), 2},
        {TESTED("{\"status\":500," SOON ",\"times\":2}"), 3},
        {TESTED("{\"close\":true,\"times\":1}"), 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nomyo_response *response = answer_to(client, cases[i].json, NULL);
        CHECK_INT(nomyo_response_attempts(response), cases[i].attempts);
        nomyo_response_free(response);
    }
    nomyo_client_free(client);
}

static void *trigger_shortly(void *cancel) {
    usleep(500000);
    nomyo_cancel_trigger(cancel);
    return NULL;
}

static nomyo_error *cancelled_error(const nomyo_client *client, const char *json) {
    nomyo_cancel *cancel = nomyo_cancel_new();
    nomyo_call_options *options = nomyo_call_options_new();
    pthread_t thread;
    CHECK_INT(nomyo_call_options_set_cancel(options, cancel, NULL), NOMYO_OK);
    CHECK(pthread_create(&thread, NULL, trigger_shortly, cancel) == 0);
    nomyo_error *err = error_of(client, json, options);
    pthread_join(thread, NULL);
    nomyo_call_options_free(options);
    nomyo_cancel_free(cancel);
    return err;
}

/* The same cancel means three things, by the moment at which it came. */
static void a_cancel_tells_how_far_the_call_was(void) {
    nomyo_client *client = client_of(logged(2));
    CHECK_INT(nomyo_client_warm_up(client, NULL), NOMYO_OK);
    nomyo_cancel *early = nomyo_cancel_new();
    nomyo_call_options *options = nomyo_call_options_new();
    nomyo_cancel_trigger(early);
    CHECK_INT(nomyo_call_options_set_cancel(options, early, NULL), NOMYO_OK);
    FACTS(error_of(client, "{" ASK "}", options), NOMYO_ERR_CANCELLED, NOMYO_SENT_NO, EITHER, 0);
    nomyo_call_options_free(options);
    nomyo_cancel_free(early);
    FACTS(cancelled_error(client, TESTED("{\"delay_before_headers_ms\":20000}")), NOMYO_ERR_CANCELLED, NOMYO_SENT_MAYBE,
          SEALED, 1);
    FACTS(cancelled_error(client, TESTED("{\"status\":429,\"headers\":{\"Retry-After\":\"60\"}}")), NOMYO_ERR_CANCELLED,
          NOMYO_SENT_YES, SEALED, 1);
    nomyo_client_free(client);
}

/* POSTs what was sealed to the plain URL. The caller frees the body of the answer. */
static char *posted(const nomyo_sealed *sealed, size_t *len) {
    size_t body_len = 0, headers_len = 0, size = 1 << 20, used = 0;
    const uint8_t *body = nomyo_sealed_body(sealed, &body_len);
    char *request = calloc(1, size), *answer = calloc(1, size), *write = request;
    write += sprintf(write, "POST /v1/chat/secure_completion HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                     "Authorization: Bearer %s\r\nContent-Length: %zu\r\n", endpoint_api_key() ? endpoint_api_key() : "",
                     body_len);
    /* {"Name":"value","Name":"value"}: no value has an escape. */
    const char *headers = nomyo_sealed_headers(sealed, &headers_len);
    for (size_t i = 2; i < headers_len; i++) {
        if (strncmp(headers + i, "\":\"", 3) == 0) {
            write += sprintf(write, ": ");
            i += 2;
        } else if (strncmp(headers + i, "\",\"", 3) == 0 || strcmp(headers + i, "\"}") == 0) {
            write += sprintf(write, "\r\n");
            i += 2;
        } else {
            *write++ = headers[i];
        }
    }
    write += sprintf(write, "\r\n");
    memcpy(write, body, body_len);
    write += body_len;
    int fd = socket(AF_INET, SOCK_STREAM, 0), port = atoi(strrchr(endpoint_variable("NOMYO_TEST_PLAIN_BASE_URL"), ':') + 1);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(connect(fd, (struct sockaddr *)&to, sizeof to) == 0);
    CHECK(send(fd, request, (size_t)(write - request), MSG_NOSIGNAL) == write - request);
    for (ssize_t got; used + 1 < size && (got = recv(fd, answer + used, size - used - 1, 0)) > 0;) {
        used += (size_t)got;
    }
    close(fd);
    free(request);
    CHECK_HAS(answer, "HTTP/1.1 200 ");
    char *end = strstr(answer, "\r\n\r\n");
    size_t head = end ? (size_t)(end + 4 - answer) : used;
    memmove(answer, answer + head, used - head);
    *len = used - head;
    return answer;
}

static void an_answer_that_others_fetched_has_no_attempts(const nomyo_client *client) {
    nomyo_text *pem = NULL;
    nomyo_sealed *sealed = NULL;
    nomyo_response *response = NULL;
    nomyo_error *err = NULL;
    size_t pem_len = 0, len = 0;
    CHECK_OK(nomyo_client_server_key(client, &pem, NULL, &err), &err);
    const char *text = nomyo_text_data(pem, &pem_len);
    CHECK_OK(nomyo_seal(client, (const uint8_t *)text, pem_len, BYTES("{" ASK "}"), NULL, &sealed, &err), &err);
    char *body = posted(sealed, &len);
    CHECK_OK(nomyo_open(client, sealed, (const uint8_t *)body, len, &response, &err), &err);
    CHECK_TEXT(nomyo_response_content(response, 0, NULL), "x");
    CHECK_INT(nomyo_response_attempts(response), 0);
    CHECK_HAS(nomyo_sealed_headers(sealed, NULL), nomyo_response_payload_id(response));
    free(body);
    nomyo_response_free(response);
    nomyo_sealed_free(sealed);
    nomyo_text_free(pem);
}

/* The functions that send no prompt say so. */
static void other_functions_send_nothing(const nomyo_client *client) {
    nomyo_error *err = NULL;
    CHECK_INT(nomyo_client_load_keys(client, "/nonexistent", NULL, NULL, 0, &err), NOMYO_ERR_KEY);
    FACTS(err, NOMYO_ERR_KEY, NOMYO_SENT_NO, UNSEALED, 0);
    CHECK_INT(nomyo_client_generate_keys(client, "/nonexistent/a/b", NULL, 0, &err), NOMYO_ERR_IO);
    FACTS(err, NOMYO_ERR_IO, NOMYO_SENT_NO, UNSEALED, 0);
    nomyo_config *config = nomyo_config_new();
    CHECK_INT(nomyo_config_set_base_url(config, "nowhere", &err), NOMYO_ERR_ARGUMENT);
    FACTS(err, NOMYO_ERR_ARGUMENT, NOMYO_SENT_NO, UNSEALED, 0);
    nomyo_config_free(config);
}

int main(void) {
    nothing_leaves_before_the_key();
    an_unknown_server();
    no_turn_for_the_request();
    a_withheld_answer_is_known();
    retries_are_counted();
    a_cancel_tells_how_far_the_call_was();
    nomyo_client *client = client_of(logged(0));
    an_answer_is_known(client);
    no_answer_leaves_doubt(client);
    half_an_answer_is_not_nothing(client);
    a_connection_that_fails_takes_nothing(client);
    an_answer_that_others_fetched_has_no_attempts(client);
    other_functions_send_nothing(client);
    nomyo_client_free(client);
    return check_summary("sent");
}
