/*
 * Request JSON that cannot be sent: refused before anything goes out, with the remedy in the sentence.
 */
#include "endpoint.h"

#define REFUSED_JSON(part, text) REFUSED(NOMYO_ERR_ARGUMENT, part, create, BYTES(text))
#define BYTES(text) ((const uint8_t *)(text)), (sizeof(text) - 1)

enum { LIMIT = 10485760 };

static const nomyo_client *client;

/* nomyo_create() with an output that must stay as it was. */
static int32_t create(const uint8_t *json, size_t len, nomyo_error **err) {
    nomyo_response *response = SENTINEL;
    int32_t status = nomyo_create(client, json, len, NULL, &response, err);
    CHECK(status != NOMYO_OK && response == SENTINEL);
    return status;
}

static void null_and_length(void) {
    nomyo_response *response = SENTINEL;
    REFUSED(NOMYO_ERR_ARGUMENT, "json is NULL", create, NULL, 5);
    REFUSED(NOMYO_ERR_ARGUMENT, "empty", create, NULL, 0);
    REFUSED(NOMYO_ERR_ARGUMENT, "empty", create, (const uint8_t *)"{}", 0);
    REFUSED(NOMYO_ERR_ARGUMENT, "length of json", create, (const uint8_t *)"{}", SIZE_MAX);
    REFUSED(NOMYO_ERR_ARGUMENT, "length of json", create, (const uint8_t *)"{}", (size_t)PTRDIFF_MAX + 1);
    REFUSED(NOMYO_ERR_ARGUMENT, "client is NULL", nomyo_create, NULL, BYTES("{\"a\":1}"), NULL, &response);
    REFUSED(NOMYO_ERR_ARGUMENT, "out is NULL", nomyo_create, client, BYTES("{\"a\":1}"), NULL, NULL);
    CHECK(response == SENTINEL);
}

static void not_an_object(void) {
    REFUSED_JSON("not a JSON object", "[]");
    REFUSED_JSON("not a JSON object", "\"text\"");
    REFUSED_JSON("not a JSON object", "null");
    REFUSED_JSON("not a JSON object", "\xef\xbb\xbf{\"a\":1}");
    REFUSED_JSON("empty object", "{}");
    REFUSED_JSON("empty object", "{\"security_tier\":\"high\",\"api_key\":\"k\"}");
    REFUSED_JSON("the request is empty", " \n ");
    REFUSED_JSON("correct it", "{\"a\":1");
    REFUSED_JSON("correct it", "{\"a\":1}\"");
    REFUSED_JSON("correct it", "{\"a\":1}{}");
    REFUSED_JSON("correct it", "{\"a\":1}\0");
    REFUSED_JSON("correct it", "{a:1}");
    REFUSED_JSON("correct it", "{\"a\":NaN}");
    REFUSED_JSON("correct it", "{\"a\":\"\n\"}");
    REFUSED_JSON("encode it as UTF-8", "{\"a\":\"\xff\"}");
    REFUSED_JSON("encode it as UTF-8", "{\"a\":\"\xed\xa0\x80\"}");
}

static void the_sentence_keeps_the_prompt_to_itself(void) {
    nomyo_error *err = NULL;
    CHECK_INT(create(BYTES("{\"prompt\": hunter2}"), &err), NOMYO_ERR_ARGUMENT);
    CHECK(strstr(nomyo_error_message(err), "hunter2") == NULL);
    CHECK_INT(nomyo_error_attempts(err), 0);
    CHECK_INT(nomyo_error_http_status(err), 0);
    CHECK_INT(nomyo_error_retry_after_ms(err), -1);
    CHECK_INT(nomyo_error_retryable(err), 0);
    size_t len = 9;
    CHECK(nomyo_error_details(err, &len) == NULL && len == 0);
    CHECK(nomyo_error_details(err, NULL) == NULL);
    nomyo_error_free(err);
}

static void reserved_members(void) {
    REFUSED_JSON("wait for the whole answer", "{\"model\":\"m\",\"stream\":true}");
    REFUSED_JSON("make another client", "{\"model\":\"m\",\"base_url\":\"https://x\"}");
    REFUSED_JSON("standard, high, maximum", "{\"model\":\"m\",\"security_tier\":\"High\"}");
    REFUSED_JSON("must be a string", "{\"model\":\"m\",\"security_tier\":3}");
    REFUSED_JSON("must be a string", "{\"model\":\"m\",\"api_key\":[]}");
    REFUSED_JSON("strip it", "{\"model\":\"m\",\"api_key\":\"k\\r\\nX: y\"}");
    REFUSED_JSON("visible ASCII", "{\"model\":\"m\",\"api_key\":\"k\\u0000\"}");
}

/* A tier or a key that is given twice is a contradiction, whoever is right. */
static void an_option_and_a_member(void) {
    nomyo_call_options *options = nomyo_call_options_new();
    nomyo_response *response = SENTINEL;
    ACCEPTED(nomyo_call_options_set_api_key, options, BYTES("k"));
    REFUSED(NOMYO_ERR_ARGUMENT, "give it once", nomyo_create, client, BYTES("{\"model\":\"m\",\"api_key\":\"other\"}"),
            options, &response);
    nomyo_call_options_free(options);
    options = nomyo_call_options_new();
    ACCEPTED(nomyo_call_options_set_security_tier, options, "high");
    REFUSED(NOMYO_ERR_ARGUMENT, "give it once", nomyo_create, client,
            BYTES("{\"model\":\"m\",\"security_tier\":\"standard\"}"), options, &response);
    nomyo_call_options_free(options);
    CHECK(response == SENTINEL);
}

/* Nobody listens, so what is accepted fails at the network. */
static void size_and_depth(void) {
    char *json = request_of_size(LIMIT + 1);
    REFUSED(NOMYO_ERR_ARGUMENT, "shorten the messages", create, (const uint8_t *)json, LIMIT + 1);
    free(json);
    json = request_of_size(LIMIT);
    REFUSED(NOMYO_ERR_CONNECTION, "127.0.0.1", create, (const uint8_t *)json, LIMIT);
    enum { DEEP = 200000 };
    memcpy(json, "{\"a\":", 5);
    memset(json + 5, '[', DEEP);
    memset(json + 5 + DEEP, ']', DEEP);
    json[5 + 2 * DEEP] = '}';
    REFUSED(NOMYO_ERR_ARGUMENT, "flatten it", create, (const uint8_t *)json, 6 + 2 * DEEP);
    REFUSED(NOMYO_ERR_ARGUMENT, "flatten it", create, (const uint8_t *)json, 5 + DEEP);
    memmove(json + 5 + 127, json + 5 + DEEP, 127);
    json[5 + 254] = '}';
    REFUSED(NOMYO_ERR_CONNECTION, "127.0.0.1", create, (const uint8_t *)json, 6 + 254);
    free(json);
}

/* A prompt in a request that is put together by hand. */
static void a_text_as_a_json_string(void) {
    static const char text[] = "a\"b\\c\n\t\x01\x7f \xc3\xa9";
    static const char wanted[] = "\"a\\\"b\\\\c\\n\\t\\u0001\x7f \xc3\xa9\"";
    char out[64];
    memset(out, 'x', sizeof out);
    CHECK_INT(nomyo_json_string(BYTES(text), NULL, 0), sizeof wanted);
    CHECK_INT(nomyo_json_string(BYTES(text), out, sizeof wanted - 1), sizeof wanted);
    CHECK(out[0] == 'x');
    CHECK_INT(nomyo_json_string(BYTES(text), out, sizeof wanted), sizeof wanted);
    CHECK_TEXT(out, wanted);
    CHECK(out[sizeof wanted] == 'x');
    CHECK_INT(nomyo_json_string(NULL, 0, out, sizeof out), 3);
    CHECK_TEXT(out, "\"\"");
    CHECK_INT(nomyo_json_string(NULL, 1, out, sizeof out), 0);
    CHECK_INT(nomyo_json_string((const uint8_t *)"\xff", 1, out, sizeof out), 0);
    CHECK_INT(nomyo_json_string((const uint8_t *)"\0", 1, out, sizeof out), 9);
    CHECK_TEXT(out, "\"\\u0000\"");
}

int main(void) {
    a_text_as_a_json_string();

    nomyo_config *config = nomyo_config_new();
    ACCEPTED(nomyo_config_set_base_url, config, "https://127.0.0.1:1");
    nomyo_client *nobody = client_of(config);
    client = nobody;
    null_and_length();
    not_an_object();
    the_sentence_keeps_the_prompt_to_itself();
    reserved_members();
    an_option_and_a_member();
    size_and_depth();
    nomyo_client_free(nobody);
    return check_summary("request_json");
}
