/*
 * The log function frees the handles that its call uses. The call keeps the handles, and its result does not change.
 */
#include "blocking.h"
#include "endpoint.h"
#include "log.h"
#include "scratch.h"

#define ASK "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"still here\"}]}"

/* The handles to free at the next line, each once. */
static struct {
    nomyo_client *client;
    nomyo_config *config;
    nomyo_call_options *options;
    nomyo_sealed *sealed;
    nomyo_cancel *cancel;
    int lines;
} at_next_line;

static void free_all(void *data, int32_t level, const char *line, size_t len) {
    (void)data, (void)level, (void)line, (void)len;
    at_next_line.lines++;
    nomyo_client_free(at_next_line.client);
    nomyo_config_free(at_next_line.config);
    nomyo_call_options_free(at_next_line.options);
    nomyo_sealed_free(at_next_line.sealed);
    nomyo_cancel_free(at_next_line.cancel);
    int lines = at_next_line.lines;
    memset(&at_next_line, 0, sizeof at_next_line);
    at_next_line.lines = lines;
}

static nomyo_config *logging(nomyo_config *config) {
    CHECK_INT(nomyo_config_set_log(config, NOMYO_LOG_DEBUG, free_all, NULL, NULL), NOMYO_OK);
    at_next_line.lines = 0;
    return config;
}

/* nomyo_client_new() logs a warning for a server without TLS. */
static void the_configuration_during_client_new(void) {
    nomyo_config *config = logging(nomyo_config_new());
    nomyo_client *client = NULL;
    nomyo_error *err = NULL;
    CHECK_INT(nomyo_config_set_base_url(config, endpoint_variable("NOMYO_TEST_PLAIN_BASE_URL"), NULL), NOMYO_OK);
    CHECK_INT(nomyo_config_set_allow_http(config, 1, NULL), NOMYO_OK);
    if (endpoint_api_key() != NULL) {
        const char *key = endpoint_api_key();
        CHECK_INT(nomyo_config_set_api_key(config, (const uint8_t *)key, strlen(key), NULL), NOMYO_OK);
    }
    at_next_line.config = config;
    CHECK_OK(nomyo_client_new(config, &client, &err), &err);
    CHECK_INT(at_next_line.lines, 1);
    CHECK(at_next_line.config == NULL);
    nomyo_response *response = answer_to(client, ASK, NULL);
    CHECK_TEXT(nomyo_response_content(response, 0, NULL), "still here");
    nomyo_response_free(response);
    nomyo_client_free(client);
}

static void client_options_and_cancel_during_create(void) {
    nomyo_client *client = client_of(logging(endpoint_config()));
    nomyo_call_options *options = nomyo_call_options_new();
    nomyo_cancel *cancel = nomyo_cancel_new();
    nomyo_response *response = NULL;
    nomyo_error *err = NULL;
    const char *key = endpoint_api_key();
    CHECK_INT(nomyo_call_options_set_cancel(options, cancel, NULL), NOMYO_OK);
    if (key != NULL) {
        CHECK_INT(nomyo_call_options_set_api_key(options, (const uint8_t *)key, strlen(key), NULL), NOMYO_OK);
    }
    at_next_line.client = client;
    at_next_line.options = options;
    at_next_line.cancel = cancel;
    CHECK_OK(create_text(client, ASK, options, &response, &err), &err);
    CHECK(at_next_line.lines > 1);
    CHECK(at_next_line.client == NULL);
    CHECK_TEXT(nomyo_response_content(response, 0, NULL), "still here");
    nomyo_response_free(response);
}

/* The line is logged after the failure. The call keeps the client and the sealed request until it returns. */
static void client_and_sealed_request_during_open(void) {
    nomyo_client *client = client_of(logging(nomyo_config_new()));
    nomyo_sealed *sealed = NULL;
    nomyo_response *response = SENTINEL;
    nomyo_error *err = NULL;
    size_t len = 0;
    char *pem = fixture_text("keys/server_public.pem", &len);
    CHECK_OK(nomyo_seal(client, (uint8_t *)pem, len, (const uint8_t *)ASK, sizeof ASK - 1, NULL, &sealed, &err), &err);
    at_next_line.client = client;
    at_next_line.sealed = sealed;
    CHECK_INT(nomyo_open(client, sealed, (const uint8_t *)"{}", 2, &response, &err), NOMYO_ERR_PROTOCOL);
    CHECK(at_next_line.sealed == NULL && response == SENTINEL);
    nomyo_error_free(err);
    free(pem);
}

/* Each function with a client that blocks fails here, and logs that. */
static void the_client_during_every_blocking_call(void) {
    const struct places places = {"/nonexistent/parent/folder", "/nonexistent/file", "not a key"};
    for (const struct blocking *function = blocking; function < blocking + BLOCKING; function++) {
        if (function->call == call_generate_in_memory) { /* nothing can fail */
            continue;
        }
        nomyo_config *config = logging(nomyo_config_new());
        nomyo_error *err = NULL;
        CHECK_INT(nomyo_config_set_base_url(config, "https://127.0.0.1:1", NULL), NOMYO_OK);
        CHECK_INT(nomyo_config_set_key_dir(config, "/nonexistent/parent/keys", NULL), NOMYO_OK);
        CHECK_INT(nomyo_config_set_max_retries(config, 0, NULL), NOMYO_OK);
        nomyo_client *client = client_of(config);
        at_next_line.client = client;
        CHECK(function->call(client, &places, &err) != NOMYO_OK);
        if (!CHECK(at_next_line.client == NULL)) {
            fprintf(stderr, "    %s logs nothing\n", function->name);
            nomyo_client_free(client);
            at_next_line.client = NULL;
        }
        nomyo_error_free(err);
    }
}

int main(void) {
    the_configuration_during_client_new();
    client_options_and_cancel_during_create();
    client_and_sealed_request_during_open();
    the_client_during_every_blocking_call();
    return check_summary("log_frees");
}
