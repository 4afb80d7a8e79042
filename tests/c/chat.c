/*
 * Answers: what comes back, what each getter says of it, and how long that stays true.
 */
#include "endpoint.h"

#define ASK "\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello, enclave\"}]"

/* A getter's text: as expected, NUL-terminated, and with the length that it says. */
#define CHECK_GETTER(wanted, length_wanted, function, ...)                                        \
    do {                                                                                          \
        size_t len_ = 77;                                                                         \
        const char *got_ = function(__VA_ARGS__, &len_);                                          \
        CHECK(got_ != NULL && len_ == (length_wanted) && memcmp(got_, wanted, len_ + 1) == 0);    \
        CHECK(function(__VA_ARGS__, NULL) == got_);                                               \
    } while (0)
#define CHECK_ABSENT(function, ...)                                                               \
    do {                                                                                          \
        size_t len_ = 77;                                                                         \
        CHECK(function(__VA_ARGS__, &len_) == NULL && len_ == 0);                                 \
        CHECK(function(__VA_ARGS__, NULL) == NULL);                                               \
    } while (0)

static void an_echo_and_every_getter(const nomyo_client *client) {
    nomyo_response *r = answer_to(client, "{" ASK "}", NULL);
    size_t len = 0;
    CHECK_INT(nomyo_response_choices(r), 1);
    CHECK_GETTER("Hello, enclave", 14, nomyo_response_content, r, 0);
    CHECK_GETTER("stop", 4, nomyo_response_finish_reason, r, 0);
    CHECK_ABSENT(nomyo_response_reasoning, r, 0);
    CHECK_ABSENT(nomyo_response_tool_calls, r, 0);
    CHECK_ABSENT(nomyo_response_content, r, 1);
    CHECK_ABSENT(nomyo_response_content, r, SIZE_MAX);
    CHECK_ABSENT(nomyo_response_finish_reason, r, 1);
    const char *json = nomyo_response_json(r, &len);
    CHECK(json != NULL && strlen(json) == len && json[0] == '{');
    const char *id = nomyo_response_payload_id(r);
    CHECK_INT(id ? strlen(id) : 0, 36);
    CHECK_HAS(json, id ? id : "?");
    CHECK_GETTER("true", 4, nomyo_response_pointer, r, "/_metadata/is_encrypted");
    CHECK_GETTER("\"hybrid-aes256-rsa4096\"", 23, nomyo_response_pointer, r, "/_metadata/encryption_algorithm");
    nomyo_response_free(r);
}

/* A header for a gateway goes out, and the id that the gateway gives the request comes back. */
static void through_a_gateway(void) {
    size_t len = 0;
    nomyo_config *config = endpoint_config();
    ACCEPTED(nomyo_config_set_header, config, "X-Request-ID", (const uint8_t *)"r-7", 3);
    nomyo_client *client = client_of(config);
    nomyo_response *response = answer_to(client, "{" ASK "}", NULL);
    CHECK_TEXT(nomyo_response_request_id(response), "r-7");
    CHECK_TEXT(nomyo_response_header(response, "x-REQUEST-id"), "r-7");
    CHECK_TEXT(nomyo_response_header(response, "content-type"), "application/json");
    CHECK_HAS(nomyo_response_headers(response, &len), "\"x-request-id\":\"r-7\"");
    CHECK_INT(strlen(nomyo_response_headers(response, NULL)), len);
    CHECK(nomyo_response_header(response, "x-absent") == NULL && nomyo_response_header(response, NULL) == NULL);
    nomyo_response_free(response);
    nomyo_error *error = error_of(client, "{" ASK ",\"nomyo_test\":{\"status\":400}}", NULL);
    CHECK_TEXT(nomyo_error_request_id(error), "r-7");
    CHECK_TEXT(nomyo_error_header(error, "X-Request-Id"), "r-7");
    CHECK_HAS(nomyo_error_headers(error, &len), "\"x-request-id\":\"r-7\"");
    CHECK_INT(strlen(nomyo_error_headers(error, NULL)), len);
    CHECK(nomyo_error_header(error, "x-absent") == NULL && nomyo_error_header(error, NULL) == NULL);
    nomyo_error_free(error);
    nomyo_client_free(client);
    client = client_of(endpoint_config());
    response = answer_to(client, "{" ASK "}", NULL);
    CHECK(nomyo_response_request_id(response) == NULL);
    nomyo_response_free(response);
    nomyo_client_free(client);
}

static void pointers(const nomyo_client *client) {
    nomyo_response *r = answer_to(client, "{" ASK ",\"n\":2}", NULL);
    size_t len = 0, whole = 0;
    CHECK_GETTER("\"chat.completion\"", 17, nomyo_response_pointer, r, "/object");
    CHECK_GETTER("\"Hello, enclave\"", 16, nomyo_response_pointer, r, "/choices/1/message/content");
    CHECK_ABSENT(nomyo_response_pointer, r, "/choices/2");
    CHECK_ABSENT(nomyo_response_pointer, r, "/choices/-");
    CHECK_ABSENT(nomyo_response_pointer, r, "/choices/00");
    CHECK_ABSENT(nomyo_response_pointer, r, "object");
    CHECK_ABSENT(nomyo_response_pointer, r, "/~2");
    CHECK_ABSENT(nomyo_response_pointer, r, "/\xff");
    CHECK_ABSENT(nomyo_response_pointer, r, NULL);
    const char *json = nomyo_response_json(r, &len);
    const char *all = nomyo_response_pointer(r, "", &whole);
    CHECK(json != NULL && all != NULL && len == whole && memcmp(json, all, len) == 0);
    /* What was taken stays where it is and as it is while hundreds of others are taken. */
    const char *usage = nomyo_response_pointer(r, "/usage", &len);
    char *copy = usage ? strdup(usage) : NULL;
    for (int i = 0; i < 300; i++) {
        char text[64];
        snprintf(text, sizeof text, "/choices/%d/message", i % 3);
        nomyo_response_pointer(r, text, NULL);
        snprintf(text, sizeof text, "/nothing/%d", i);
        nomyo_response_pointer(r, text, NULL);
    }
    CHECK(nomyo_response_pointer(r, "/usage", NULL) == usage && nomyo_response_json(r, NULL) == json);
    CHECK(nomyo_response_pointer(r, "", NULL) == all);
    CHECK_TEXT(usage, copy);
    free(copy);
    nomyo_response_free(r);
}

static void choices_reasoning_and_tool_calls(const nomyo_client *client) {
    nomyo_response *r = answer_to(client, "{" ASK ",\"n\":3,\"nomyo_test\":{\"reasoning\":\"hm\\n\"}}", NULL);
    CHECK_INT(nomyo_response_choices(r), 3);
    for (size_t i = 0; i < 3; i++) {
        CHECK_GETTER("Hello, enclave", 14, nomyo_response_content, r, i);
        CHECK_GETTER("hm\n", 3, nomyo_response_reasoning, r, i);
    }
    CHECK_ABSENT(nomyo_response_reasoning, r, 3);
    nomyo_response_free(r);

    r = answer_to(client, "{" ASK ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"get_weather\"}}]}", NULL);
    CHECK_ABSENT(nomyo_response_content, r, 0);
    CHECK_HAS(nomyo_response_tool_calls(r, 0, NULL), "\"get_weather\"");
    CHECK_GETTER("tool_calls", 10, nomyo_response_finish_reason, r, 0);
    CHECK_GETTER("\"get_weather\"", 13, nomyo_response_pointer, r, "/choices/0/message/tool_calls/0/function/name");
    CHECK_INT(nomyo_response_tool_call_count(r, 0), 1);
    CHECK_INT(nomyo_response_tool_call_count(r, 1), 0);
    CHECK_GETTER("get_weather", 11, nomyo_response_tool_call_name, r, 0, 0);
    CHECK_GETTER("{}", 2, nomyo_response_tool_call_arguments, r, 0, 0);
    CHECK_HAS(nomyo_response_tool_call_id(r, 0, 0, NULL), "call_");
    CHECK_ABSENT(nomyo_response_tool_call_id, r, 0, 1);
    CHECK_ABSENT(nomyo_response_tool_call_name, r, 1, 0);
    CHECK_ABSENT(nomyo_response_tool_call_arguments, r, 0, SIZE_MAX);
    nomyo_response_free(r);
}

/* The struct is the caller's: members that are not known here are -1, and a smaller one gets what it has room for. */
static void usage_in_numbers(const nomyo_client *client) {
    struct {
        nomyo_usage known;
        int64_t later;
    } usage = {{0}, 77};
    nomyo_response *r = answer_to(client,
        "{" ASK ",\"nomyo_test\":{\"answer\":{\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":8,\"total_tokens\":17,"
        "\"completion_tokens_details\":{\"reasoning_tokens\":6}}}}}", NULL);
    CHECK_INT(nomyo_response_usage(r, &usage.known, sizeof usage), NOMYO_OK);
    CHECK_INT(usage.known.prompt_tokens, 9);
    CHECK_INT(usage.known.completion_tokens, 8);
    CHECK_INT(usage.known.total_tokens, 17);
    CHECK_INT(usage.known.cached_tokens, -1);
    CHECK_INT(usage.known.reasoning_tokens, 6);
    CHECK_INT(usage.later, -1);
    usage.known.completion_tokens = 77;
    CHECK_INT(nomyo_response_usage(r, &usage.known, sizeof usage.known.prompt_tokens), NOMYO_OK);
    CHECK_INT(usage.known.completion_tokens, 77);
    CHECK_INT(nomyo_response_usage(r, NULL, sizeof usage), NOMYO_ERR_ARGUMENT);
    nomyo_response_free(r);
}

static void text_that_c_finds_hard(const nomyo_client *client) {
    nomyo_response *r = answer_to(client, "{" ASK ",\"nomyo_test\":{\"reply\":\"a\\u0000b\\ud83d\\ude00\xc3\xa9\"}}", NULL);
    CHECK_GETTER("a\0b\xf0\x9f\x98\x80\xc3\xa9", 9, nomyo_response_content, r, 0);
    nomyo_response_free(r);
    r = answer_to(client, "{" ASK ",\"nomyo_test\":{\"reply\":\"\"}}", NULL);
    CHECK_GETTER("", 0, nomyo_response_content, r, 0);
    nomyo_response_free(r);
}

/* An answer of a shape that no getter knows is an answer all the same. */
static void strange_answers(const nomyo_client *client) {
    static const char *const answers[] = {"{}", "{\"choices\":null}", "{\"choices\":[]}", "{\"choices\":{\"0\":{}}}"};
    char json[256];
    for (size_t i = 0; i < 4; i++) {
        snprintf(json, sizeof json, "{" ASK ",\"nomyo_test\":{\"answer\":%s}}", answers[i]);
        nomyo_response *r = answer_to(client, json, NULL);
        CHECK_INT(nomyo_response_choices(r), 0);
        CHECK_ABSENT(nomyo_response_content, r, 0);
        CHECK(nomyo_response_pointer(r, "/_metadata/payload_id", NULL) != NULL);
        nomyo_response_free(r);
    }
    nomyo_response *r = answer_to(client,
        "{" ASK ",\"nomyo_test\":{\"answer\":{\"choices\":[1,{\"message\":null},{\"message\":{\"content\":[]},"
        "\"finish_reason\":null}]}}}", NULL);
    CHECK_INT(nomyo_response_choices(r), 3);
    for (size_t i = 0; i < 3; i++) {
        CHECK_ABSENT(nomyo_response_content, r, i);
        CHECK_ABSENT(nomyo_response_tool_calls, r, i);
        CHECK_ABSENT(nomyo_response_finish_reason, r, i);
    }
    nomyo_response_free(r);
}

static void tiers(const nomyo_client *client) {
    nomyo_call_options *options = nomyo_call_options_new();
    nomyo_error *err = NULL;
    CHECK_OK(nomyo_call_options_set_security_tier(options, "high", &err), &err);
    nomyo_response *r = answer_to(client, "{" ASK "}", options);
    CHECK_GETTER("\"high\"", 6, nomyo_response_pointer, r, "/_metadata/security_tier");
    nomyo_response_free(r);
    r = answer_to(client, "{" ASK ",\"security_tier\":\"high\"}", options);
    CHECK_GETTER("\"high\"", 6, nomyo_response_pointer, r, "/_metadata/security_tier");
    nomyo_response_free(r);
    nomyo_call_options_free(options);
    r = answer_to(client, "{" ASK ",\"security_tier\":\"high\"}", NULL);
    CHECK_GETTER("\"high\"", 6, nomyo_response_pointer, r, "/_metadata/security_tier");
    nomyo_response_free(r);
}

static void unauthorized(const nomyo_client *client, const char *json, const nomyo_call_options *options) {
    nomyo_error *err = error_of(client, json, options);
    check_error(err, NOMYO_ERR_AUTHENTICATION, "check the API key", json, __FILE__, __LINE__);
    CHECK_INT(nomyo_error_http_status(err), 401);
    nomyo_error_free(err);
}

static void api_keys(const nomyo_client *client) {
    const char *key = endpoint_api_key();
    if (key == NULL) {
        puts("chat: NOMYO_TEST_API_KEY is not set, API keys are not tested");
        return;
    }
    nomyo_call_options *options = nomyo_call_options_new();
    nomyo_error *err = NULL;
    CHECK_OK(nomyo_call_options_set_api_key(options, NULL, 0, &err), &err);
    unauthorized(client, "{" ASK "}", options);
    CHECK_OK(nomyo_call_options_set_api_key(options, (const uint8_t *)"wrong", 5, &err), &err);
    unauthorized(client, "{" ASK "}", options);
    unauthorized(client, "{" ASK ",\"api_key\":\"\"}", NULL);
    unauthorized(client, "{" ASK ",\"api_key\":\"wrong\"}", NULL);
    nomyo_response_free(answer_to(client, "{" ASK ",\"api_key\":null}", NULL));
    CHECK_OK(nomyo_call_options_set_api_key(options, (const uint8_t *)key, strlen(key), &err), &err);
    nomyo_response_free(answer_to(client, "{" ASK "}", options));
    nomyo_call_options_free(options);
}

/* Ten mebibytes there, and the same ten mebibytes back. */
static void a_large_conversation(const nomyo_client *client) {
    char *json = request_of_size(10485760);
    nomyo_response *r = answer_to(client, json, NULL);
    size_t len = 0;
    const char *content = nomyo_response_content(r, 0, &len);
    const char *sent = strstr(json, "xxx");
    CHECK(content != NULL && len > 10000000 && memcmp(content, sent, len) == 0);
    nomyo_response_free(r);
    free(json);
}

/* Frees `client`: a key pair takes long to make, the more so under valgrind. */
static void nothing_is_kept_and_the_answer_outlives_all(nomyo_client *client) {
    nomyo_call_options *options = nomyo_call_options_new();
    char tier[] = "standard";
    char *json = strdup("{" ASK "}");
    CHECK_INT(nomyo_call_options_set_security_tier(options, tier, NULL), NOMYO_OK);
    memset(tier, 'x', sizeof tier - 1);
    nomyo_response *r = answer_to(client, json, options);
    memset(json, 'x', strlen(json));
    free(json);
    nomyo_call_options_free(options);
    nomyo_client_free(client);
    CHECK_GETTER("Hello, enclave", 14, nomyo_response_content, r, 0);
    nomyo_response_free(r);
}

int main(void) {
    nomyo_client *client = client_of(endpoint_config());
    nomyo_error *err = NULL;
    CHECK_OK(nomyo_client_warm_up(client, &err), &err);
    CHECK_OK(nomyo_client_warm_up(client, NULL), &err);
    an_echo_and_every_getter(client);
    through_a_gateway();
    pointers(client);
    choices_reasoning_and_tool_calls(client);
    usage_in_numbers(client);
    text_that_c_finds_hard(client);
    strange_answers(client);
    tiers(client);
    api_keys(client);
    a_large_conversation(client);
    nothing_is_kept_and_the_answer_outlives_all(client);
    return check_summary("chat");
}
