/*
 * Every function with a client logs its failure once, as an ERROR line with the words of the error. A cancelled call is no
 * error: it is an INFO line.
 */
#include "blocking.h"
#include "log.h"

static struct log_lines lines;

static void log_clear(void) {
    pthread_mutex_lock(&lines.lock);
    memset(lines.text, 0, sizeof lines.text);
    pthread_mutex_unlock(&lines.lock);
}

/* A client without a server, whose key directory cannot be made. */
static nomyo_client *client_that_fails(void) {
    nomyo_config *config = nomyo_config_new();
    log_to(config, &lines);
    CHECK_INT(nomyo_config_set_base_url(config, "https://127.0.0.1:1", NULL), NOMYO_OK);
    CHECK_INT(nomyo_config_set_key_dir(config, "/nonexistent/parent/keys", NULL), NOMYO_OK);
    CHECK_INT(nomyo_config_set_max_retries(config, 0, NULL), NOMYO_OK);
    return client_of(config);
}

static void is_logged(const char *name, int32_t status, nomyo_error *err) {
    char line[2048];
    snprintf(line, sizeof line, "%s\n", nomyo_error_message(err));
    if (!(CHECK(status != NOMYO_OK && status != NOMYO_ERR_CANCELLED) & CHECK_INT(log_count(&lines, "E "), 1) &
          CHECK(log_count(&lines, line) == 1))) {
        fprintf(stderr, "    %s: %s, and the log is\n%s", name, line, lines.text);
    }
    nomyo_error_free(err);
    log_clear();
}

static void failures(void) {
    nomyo_client *client = client_that_fails();
    const struct places places = {"/nonexistent/parent/folder", "/nonexistent/file", "not a key"};
    log_clear();
    for (const struct blocking *function = blocking; function < blocking + BLOCKING; function++) {
        nomyo_error *err = NULL;
        if (function->call == call_generate_in_memory) { /* nothing can fail */
            continue;
        }
        int32_t status = function->call(client, &places, &err);
        is_logged(function->name, status, err);
    }
    nomyo_client_free(client);
}

static void what_is_opened(void) {
    nomyo_config *config = nomyo_config_new();
    log_to(config, &lines);
    nomyo_client *client = client_of(config);
    nomyo_sealed *sealed = NULL;
    nomyo_response *response = NULL;
    nomyo_error *err = NULL;
    size_t len = 0;
    char *pem = fixture_text("keys/server_public.pem", &len);
    CHECK_INT(nomyo_seal(client, (const uint8_t *)pem, len, (const uint8_t *)BLOCKING_ASK, strlen(BLOCKING_ASK), NULL, &sealed,
                         NULL), NOMYO_OK);
    log_clear();
    int32_t status = nomyo_open(client, sealed, (const uint8_t *)"{}", 2, &response, &err);
    is_logged("open", status, err);
    free(pem);
    nomyo_sealed_free(sealed);
    nomyo_client_free(client);
}

static void cancelled_calls(void) {
    nomyo_client *client = client_that_fails();
    const struct places places = {"/nonexistent/parent/folder", "/nonexistent/file", "not a key"};
    nomyo_cancel *cancel = nomyo_cancel_new();
    nomyo_call_options *options = nomyo_call_options_new();
    nomyo_cancel_trigger(cancel);
    CHECK_INT(nomyo_call_options_set_cancel(options, cancel, NULL), NOMYO_OK);
    nomyo_client *handle = handle_with(client, options);
    log_clear();
    for (const struct blocking *function = blocking; function < blocking + BLOCKING; function++) {
        CHECK_INT(function->call(handle, &places, NULL), NOMYO_ERR_CANCELLED);
        if (!(CHECK_INT(log_count(&lines, "E "), 0) & CHECK_INT(log_count(&lines, "I "), 1))) {
            fprintf(stderr, "    %s: the log is\n%s", function->name, lines.text);
        }
        log_clear();
    }
    nomyo_client_free(handle);
    nomyo_cancel_free(cancel);
    nomyo_client_free(client);
}

int main(void) {
    failures();
    what_is_opened();
    cancelled_calls();
    return check_summary("errors_logged");
}
