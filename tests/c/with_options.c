/*
 * Handles from nomyo_client_with_options(): everything is shared, but for the options; and any handle may be freed first.
 */
#include "blocking.h"
#include "log.h"

#define ASK "\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]"
#define BYTES(text) ((const uint8_t *)(text)), (sizeof(text) - 1)

/* The public key of the pair in use. The caller frees it. */
static nomyo_text *pair_of(const nomyo_client *client) {
    nomyo_text *pem = NULL;
    CHECK_INT(nomyo_client_public_key(client, &pem, NULL), NOMYO_OK);
    return pem;
}

static int one_pair(const nomyo_client *a, const nomyo_client *b) {
    nomyo_text *of_a = pair_of(a), *of_b = pair_of(b);
    int same = strcmp(nomyo_text_data(of_a, NULL), nomyo_text_data(of_b, NULL)) == 0;
    nomyo_text_free(of_a);
    nomyo_text_free(of_b);
    return same;
}

static void works(const nomyo_client *client) {
    CHECK_INT(call_create(client, NULL, NULL), NOMYO_OK);
}

/* The headers of a request that the handle seals. The caller frees them. */
static char *headers_from(const nomyo_client *client, const nomyo_call_options *options) {
    nomyo_sealed *sealed = NULL;
    size_t len = 0;
    char *pem = fixture_text("keys/server_public.pem", &len);
    CHECK_INT(nomyo_seal(client, (const uint8_t *)pem, len, BYTES("{" ASK "}"), options, &sealed, NULL), NOMYO_OK);
    char *headers = strdup(nomyo_sealed_headers(sealed, NULL));
    nomyo_sealed_free(sealed);
    free(pem);
    return headers;
}

static void handles_are_freed_in_any_order(void) {
    for (int order = 0; order < 3; order++) {
        nomyo_client *handles[3] = {client_of(endpoint_config()), NULL, NULL};
        handles[1] = handle_with(handles[0], NULL);
        handles[2] = handle_with(handles[1], NULL);
        nomyo_client_free(handles[order]);
        const nomyo_client *left = handles[(order + 1) % 3], *other = handles[(order + 2) % 3];
        works(left);
        CHECK(one_pair(left, other));
        nomyo_client_free(handles[(order + 1) % 3]);
        works(other);
        nomyo_client_free(handles[(order + 2) % 3]);
    }
}

static void keys_and_connections_are_shared(void) {
    static struct log_lines lines;
    nomyo_config *config = endpoint_config();
    log_to(config, &lines);
    nomyo_client *client = client_of(config), *handle = handle_with(client, NULL);
    works(handle);
    works(client);
    works(handle);
    CHECK_INT(log_count(&lines, "connection=new"), 1);
    CHECK_INT(log_count(&lines, "I GET "), 1);
    CHECK_INT(log_count(&lines, "I POST "), 3);
    CHECK(one_pair(client, handle));
    nomyo_text *before = pair_of(client);
    CHECK_INT(nomyo_client_rotate_keys(handle, NULL), NOMYO_OK);
    nomyo_text *after = pair_of(client);
    CHECK(strcmp(nomyo_text_data(before, NULL), nomyo_text_data(after, NULL)) != 0);
    CHECK(one_pair(client, handle));
    nomyo_text_free(before);
    nomyo_text_free(after);
    nomyo_client_free(client);
    works(handle);
    nomyo_client_free(handle);
}

static void the_tier_is_a_default(const nomyo_client *client) {
    nomyo_call_options *high = nomyo_call_options_new(), *standard = nomyo_call_options_new();
    CHECK_INT(nomyo_call_options_set_security_tier(high, "high", NULL), NOMYO_OK);
    CHECK_INT(nomyo_call_options_set_security_tier(standard, "standard", NULL), NOMYO_OK);
    nomyo_client *handle = handle_with(client, high);
    nomyo_response *response = answer_to(handle, "{" ASK "}", NULL);
    CHECK_TEXT(nomyo_response_pointer(response, "/_metadata/security_tier", NULL), "\"high\"");
    nomyo_response_free(response);
    nomyo_error *err = error_of(handle, "{" ASK ",\"nomyo_test\":{\"tier\":\"standard\"}}", NULL);
    check_error(err, NOMYO_ERR_SECURITY, "tier", "an answer below the default tier", __FILE__, __LINE__);
    nomyo_error_free(err);
    response = answer_to(handle, "{" ASK "}", standard);
    CHECK_TEXT(nomyo_response_pointer(response, "/_metadata/security_tier", NULL), "\"standard\"");
    nomyo_response_free(response);
    char *sealed = headers_from(handle, NULL), *chosen = headers_from(handle, standard), *plain = headers_from(client, NULL);
    CHECK_HAS(sealed, "\"X-Security-Tier\":\"high\"");
    CHECK_HAS(chosen, "\"X-Security-Tier\":\"standard\"");
    CHECK(strstr(plain, "X-Security-Tier") == NULL);
    free(sealed);
    free(chosen);
    free(plain);
    nomyo_call_options_free(standard);
    nomyo_client_free(handle);
}

static void the_api_key_is_a_default(const nomyo_client *client) {
    const char *key = endpoint_api_key();
    if (!CHECK(key != NULL)) {
        return;
    }
    nomyo_call_options *wrong = nomyo_call_options_new(), *none = nomyo_call_options_new(), *right = nomyo_call_options_new();
    CHECK_INT(nomyo_call_options_set_api_key(wrong, BYTES("wrong"), NULL), NOMYO_OK);
    CHECK_INT(nomyo_call_options_set_api_key(none, NULL, 0, NULL), NOMYO_OK);
    CHECK_INT(nomyo_call_options_set_api_key(right, (const uint8_t *)key, strlen(key), NULL), NOMYO_OK);
    nomyo_client *handles[] = {handle_with(client, wrong), handle_with(client, none)};
    for (int i = 0; i < 2; i++) {
        CHECK_INT(call_create(handles[i], NULL, NULL), NOMYO_ERR_AUTHENTICATION);
        nomyo_response_free(answer_to(handles[i], "{" ASK "}", right));
        nomyo_client_free(handles[i]);
    }
    nomyo_call_options_free(right);
    works(client);
}

static void the_timeout_is_a_default(const nomyo_client *client) {
    nomyo_call_options *brief = nomyo_call_options_new(), *patient = nomyo_call_options_new();
    CHECK_INT(nomyo_call_options_set_timeout_ms(brief, 300, NULL), NOMYO_OK);
    CHECK_INT(nomyo_call_options_set_timeout_ms(patient, 60000, NULL), NOMYO_OK);
    nomyo_client *handle = handle_with(client, brief);
    nomyo_error *err = error_of(handle, "{" ASK ",\"nomyo_test\":{\"delay_before_headers_ms\":20000}}", NULL);
    check_error(err, NOMYO_ERR_TIMEOUT, "300 ms", "the handle's timeout", __FILE__, __LINE__);
    nomyo_error_free(err);
    nomyo_response_free(answer_to(handle, "{" ASK ",\"nomyo_test\":{\"delay_before_headers_ms\":700}}", patient));
    nomyo_response_free(answer_to(client, "{" ASK ",\"nomyo_test\":{\"delay_before_headers_ms\":700}}", NULL));
    nomyo_call_options_free(patient);
    nomyo_client_free(handle);
}

/* A handle of a handle keeps the defaults that it does not replace. */
static void options_add_up(const nomyo_client *client) {
    nomyo_call_options *high = nomyo_call_options_new(), *brief = nomyo_call_options_new();
    CHECK_INT(nomyo_call_options_set_security_tier(high, "high", NULL), NOMYO_OK);
    CHECK_INT(nomyo_call_options_set_timeout_ms(brief, 300, NULL), NOMYO_OK);
    nomyo_client *first = handle_with(client, high), *second = handle_with(first, brief), *third = handle_with(second, NULL);
    nomyo_client_free(first);
    nomyo_client_free(second);
    char *headers = headers_from(third, NULL);
    CHECK_HAS(headers, "\"X-Security-Tier\":\"high\"");
    free(headers);
    nomyo_error *err = error_of(third, "{" ASK ",\"nomyo_test\":{\"delay_before_headers_ms\":20000}}", NULL);
    check_error(err, NOMYO_ERR_TIMEOUT, "300 ms", "the inherited timeout", __FILE__, __LINE__);
    nomyo_error_free(err);
    nomyo_client_free(third);
}

/* Every function that blocks refuses a cancel that was triggered before; `client` goes on. */
static void a_triggered_cancel_ends_everything(const nomyo_client *client) {
    struct scratch scratch = scratch_new();
    char folder[PATH_MAX], file[PATH_MAX];
    snprintf(folder, sizeof folder, "%s/folder", scratch.dir);
    snprintf(file, sizeof file, "%s/private.pem", scratch.dir);
    copy_key("keys/client_private_openssl_600k.pem", file);
    const struct places places = {folder, file, "not a key"};
    nomyo_cancel *cancel = nomyo_cancel_new();
    nomyo_call_options *options = nomyo_call_options_new(), *own = nomyo_call_options_new();
    CHECK_INT(nomyo_call_options_set_cancel(options, cancel, NULL), NOMYO_OK);
    CHECK_INT(nomyo_call_options_set_cancel(own, cancel, NULL), NOMYO_OK);
    nomyo_client *handle = handle_with(client, options);
    works(handle);
    nomyo_cancel_trigger(cancel);
    nomyo_cancel_free(cancel); /* the handle has it */
    for (const struct blocking *function = blocking; function < blocking + BLOCKING; function++) {
        nomyo_error *err = NULL;
        int32_t status = function->call(handle, &places, &err);
        if (!CHECK_INT(status, NOMYO_ERR_CANCELLED)) {
            fprintf(stderr, "    %s\n", function->name);
        }
        CHECK_INT(nomyo_error_sent(err), NOMYO_SENT_NO);
        nomyo_error_free(err);
    }
    CHECK(access(folder, F_OK) != 0);
    /* As options of the call, on the client itself. */
    nomyo_sealed *sealed = SENTINEL;
    nomyo_response *response = SENTINEL;
    size_t len = 0;
    char *pem = fixture_text("keys/server_public.pem", &len);
    REFUSED(NOMYO_ERR_CANCELLED, "cancelled", nomyo_seal, client, (const uint8_t *)pem, len, BYTES("{" ASK "}"), own, &sealed);
    REFUSED(NOMYO_ERR_CANCELLED, "cancelled", nomyo_create, client, BYTES("{" ASK "}"), own, &response);
    CHECK(sealed == SENTINEL && response == SENTINEL);
    free(pem);
    nomyo_call_options_free(own);
    nomyo_client_free(handle);
    works(client);
    scratch_remove(&scratch);
}

int main(void) {
    nomyo_client *client = client_of(endpoint_config());
    handles_are_freed_in_any_order();
    keys_and_connections_are_shared();
    the_tier_is_a_default(client);
    the_api_key_is_a_default(client);
    the_timeout_is_a_default(client);
    options_add_up(client);
    a_triggered_cancel_ends_everything(client);
    nomyo_client_free(client);
    return check_summary("with_options");
}
