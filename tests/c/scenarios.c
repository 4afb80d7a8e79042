/*
 * The scenario table through the C ABI (tests/scenarios/README.md). The arguments are its files.
 */
#include <cjson/cJSON.h>
#include <stdarg.h>
#include <strings.h>

#include "endpoint.h"
#include "scratch.h"

enum { CLIENTS = 64, WHY = 600 };

/* A client for each configuration, or the error that there is instead of one: keys take their time. */
static struct {
    char *config;
    nomyo_client *client;
    nomyo_error *err;
} clients[CLIENTS];

static char why[WHY];

static int fails(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    return 0;
}

static char *text_of_file(const char *path) {
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    long size = 0;
    if (file != NULL && fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) >= 0 && fseek(file, 0, SEEK_SET) == 0) {
        text = calloc((size_t)size + 1, 1);
        if (text != NULL && fread(text, 1, (size_t)size, file) != (size_t)size) {
            free(text);
            text = NULL;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return text;
}

static int is(const cJSON *member, const char *name) {
    return strcmp(member->string, name) == 0;
}

#define SECRET(text) ((const uint8_t *)(text)), strlen(text)

/* Applies one setting. -1 for one that this driver does not know. */
static int32_t set(nomyo_config *config, const cJSON *m, nomyo_error **err) {
    const char *text = cJSON_IsString(m) ? m->valuestring : "";
    uint64_t number = cJSON_IsNumber(m) ? (uint64_t)m->valuedouble : 0;
    if (is(m, "base_url")) {
        const char *url = strcmp(text, "$PLAIN") == 0 ? endpoint_variable("NOMYO_TEST_PLAIN_BASE_URL") : text;
        return nomyo_config_set_base_url(config, url, err);
    }
    if (is(m, "api_key")) return nomyo_config_set_api_key(config, SECRET(text), err);
    if (is(m, "allow_http")) return nomyo_config_set_allow_http(config, cJSON_IsTrue(m), err);
    if (is(m, "max_retries")) return nomyo_config_set_max_retries(config, (uint32_t)number, err);
    if (is(m, "timeout_ms")) return nomyo_config_set_timeout_ms(config, number, err);
    if (is(m, "connect_timeout_ms")) return nomyo_config_set_connect_timeout_ms(config, number, err);
    if (is(m, "response_limit")) return nomyo_config_set_response_limit(config, number, err);
    if (is(m, "proxy")) return nomyo_config_set_proxy(config, text, err);
    if (is(m, "server_key_ttl_ms")) return nomyo_config_set_server_key_ttl_ms(config, number, err);
    if (is(m, "server_key_pin")) {
        const cJSON *pin;
        int32_t status = NOMYO_OK;
        cJSON_ArrayForEach(pin, m) {
            int own = strcmp(pin->valuestring, "$FINGERPRINT") == 0;
            const char *sha256 = own ? endpoint_variable("NOMYO_TEST_KEY_FINGERPRINT") : pin->valuestring;
            status = status == NOMYO_OK ? nomyo_config_add_server_key_pin(config, sha256, err) : status;
        }
        return status;
    }
    if (is(m, "headers")) {
        const cJSON *header;
        int32_t status = NOMYO_OK;
        cJSON_ArrayForEach(header, m) {
            const char *value = header->valuestring;
            status = status == NOMYO_OK ? nomyo_config_set_header(config, header->string, SECRET(value), err) : status;
        }
        return status;
    }
    if (is(m, "tls_pin")) {
        const cJSON *pin;
        int32_t status = NOMYO_OK;
        cJSON_ArrayForEach(pin, m) {
            status = status == NOMYO_OK ? nomyo_config_add_tls_pin(config, pin->valuestring, err) : status;
        }
        return status;
    }
    if (is(m, "key_dir") && strcmp(text, "$GROUP_KEYS") == 0) {
        return nomyo_config_set_key_dir(config, endpoint_variable("NOMYO_TEST_GROUP_KEYS"), err);
    }
    if (is(m, "key_group_read")) return nomyo_config_set_key_group_read(config, cJSON_IsTrue(m), err);
    if (is(m, "post_quantum")) return nomyo_config_set_post_quantum(config, cJSON_IsTrue(m), err);
    if (is(m, "attestation") && strcmp(text, "consistent") == 0) {
        nomyo_attestation_policy *policy = nomyo_attestation_policy_new();
        int32_t status = nomyo_attestation_policy_require(policy, NOMYO_ATTESTATION_CONSISTENT, err);
        status = status == NOMYO_OK ? nomyo_config_set_attestation(config, policy, err) : status;
        nomyo_attestation_policy_free(policy);
        return status;
    }
    return -1;
}

/* The place of the client for `settings`. -1 after fails(). */
static int client_for(const cJSON *settings) {
    char *key = settings != NULL ? cJSON_PrintUnformatted(settings) : strdup("{}");
    int i = 0;
    while (i < CLIENTS && clients[i].config != NULL && strcmp(clients[i].config, key) != 0) {
        i++;
    }
    if (i == CLIENTS) {
        fails("more than %d configurations", CLIENTS);
        free(key);
        return -1;
    }
    if (clients[i].config != NULL) {
        free(key);
        return i;
    }
    nomyo_config *config = endpoint_config();
    nomyo_error **err = &clients[i].err;
    const cJSON *member;
    int32_t status = NOMYO_OK;
    cJSON_ArrayForEach(member, settings) {
        status = status == NOMYO_OK ? set(config, member, err) : status;
        if (status == -1) {
            fails("config: %s is not known here", member->string);
            nomyo_config_free(config);
            free(key);
            return -1;
        }
    }
    if (status == NOMYO_OK) {
        status = nomyo_client_new(config, &clients[i].client, err);
    }
    nomyo_config_free(config);
    clients[i].config = key;
    return i;
}

/* The public half of the client's pair. The caller frees it. */
static nomyo_text *public_half(const nomyo_client *client) {
    nomyo_text *pem = NULL;
    return nomyo_client_public_key(client, &pem, NULL) == NOMYO_OK ? pem : NULL;
}

/* Exports the pair with a password and loads it again. -1 after fails(). */
static int32_t reload(const nomyo_client *client, const char *pw, nomyo_error **err) {
    uint8_t *pem = NULL;
    size_t len = 0;
    nomyo_text *before = public_half(client);
    int32_t status = nomyo_client_private_key_pem(client, SECRET(pw), &pem, &len, err);
    if (status == NOMYO_OK) {
        status = nomyo_client_load_keys_pem(client, pem, len, NULL, 0, SECRET(pw), err);
    }
    nomyo_secret_free(pem);
    nomyo_text *after = public_half(client);
    if (status == NOMYO_OK && strcmp(nomyo_text_data(before, NULL), nomyo_text_data(after, NULL)) != 0) {
        status = -1;
        fails("another pair is loaded than was exported");
    }
    nomyo_text_free(before);
    nomyo_text_free(after);
    return status;
}

/* Loads the pair of `keys` from memory; NOMYO_OK, an error of the library's, or -1 after fails(). */
static int32_t load(const nomyo_client *client, const cJSON *keys, nomyo_error **err) {
    const char *password = "", *again = NULL;
    char *private = NULL, *public = NULL, path[256];
    size_t private_len = 0, public_len = 0;
    const cJSON *m;
    int32_t status = NOMYO_OK;
    cJSON_ArrayForEach(m, keys) {
        snprintf(path, sizeof path, "keys/%s", m->valuestring);
        if (is(m, "private")) {
            private = fixture_text(path, &private_len);
        } else if (is(m, "public")) {
            public = fixture_text(path, &public_len);
        } else if (is(m, "password")) {
            password = m->valuestring;
        } else if (is(m, "reload")) {
            again = m->valuestring;
        } else {
            fails("keys: %s is not known here", m->string);
            status = -1;
        }
    }
    if (status == NOMYO_OK) {
        status = nomyo_client_load_keys_pem(client, (uint8_t *)private, private_len, (uint8_t *)public, public_len,
                                            SECRET(password), err);
    }
    free(private);
    free(public);
    return status == NOMYO_OK && again != NULL ? reload(client, again, err) : status;
}

/* Applies the options of one call; NOMYO_OK, an error of the library's, or -1 for one that is not known here. */
static int32_t choose(nomyo_call_options *request, nomyo_cancel *cancel, const cJSON *options, nomyo_error **err) {
    const cJSON *m;
    int32_t status = NOMYO_OK;
    cJSON_ArrayForEach(m, options) {
        if (status != NOMYO_OK) {
            break;
        }
        if (is(m, "security_tier")) {
            status = nomyo_call_options_set_security_tier(request, m->valuestring, err);
        } else if (is(m, "api_key")) {
            status = nomyo_call_options_set_api_key(request, SECRET(m->valuestring), err);
        } else if (is(m, "timeout_ms")) {
            status = nomyo_call_options_set_timeout_ms(request, (uint64_t)m->valuedouble, err);
        } else if (is(m, "cancelled") && cJSON_IsTrue(m)) {
            nomyo_cancel_trigger(cancel);
            status = nomyo_call_options_set_cancel(request, cancel, err);
        } else {
            status = -1;
        }
    }
    return status;
}

static int same_text(const char *what, const cJSON *wanted, const char *got, size_t len) {
    if (cJSON_IsNull(wanted)) {
        return got == NULL || fails("%s is there", what);
    }
    /* cJSON ends a string at its NUL; what is before it can be compared, and that there is more can be seen. */
    size_t known = strlen(wanted->valuestring);
    return (got != NULL && len >= known && memcmp(got, wanted->valuestring, known) == 0 &&
            strlen(got) == known) || fails("%s is \"%.80s\"", what, got ? got : "(absent)");
}

static int same_number(const char *what, const cJSON *wanted, long long got) {
    long long number = cJSON_IsNumber(wanted) ? (long long)wanted->valuedouble : cJSON_IsTrue(wanted);
    return number == got || fails("%s is %lld instead of %lld", what, got, number);
}

static int has(const char *what, const char *text, const char *part) {
    return (text != NULL && strstr(text, part) != NULL) || fails("%s \"%.200s\" has no \"%s\"", what, text, part);
}

static int judge_pointers(const nomyo_response *r, const cJSON *pointers) {
    const cJSON *wanted;
    cJSON_ArrayForEach(wanted, pointers) {
        const char *raw = nomyo_response_pointer(r, wanted->string, NULL);
        cJSON *value = raw ? cJSON_Parse(raw) : cJSON_CreateNull();
        int same = cJSON_Compare(value, wanted, 1);
        cJSON_Delete(value);
        if (!same) {
            return fails("%s is %.80s", wanted->string, raw ? raw : "absent");
        }
    }
    return 1;
}

/* Whether `id` has the form of a payload id: five groups of hexadecimal digits. */
static int is_payload_id(const char *id) {
    return id != NULL && strlen(id) == 36 && strspn(id, "0123456789abcdef-") == 36;
}

static int same_header(const cJSON *wanted, const char *got) {
    return same_text(wanted->string, wanted, got, got ? strlen(got) : 0);
}

static int judge_usage(const nomyo_response *r, const cJSON *usage) {
    nomyo_usage got;
    const cJSON *m;
    nomyo_response_usage(r, &got, sizeof got);
    cJSON_ArrayForEach(m, usage) {
        long long number = is(m, "prompt_tokens")       ? got.prompt_tokens
                           : is(m, "completion_tokens") ? got.completion_tokens
                           : is(m, "total_tokens")      ? got.total_tokens
                           : is(m, "cached_tokens")     ? got.cached_tokens
                           : is(m, "reasoning_tokens")  ? got.reasoning_tokens
                                                        : -2;
        if (!same_number(m->string, m, number)) {
            return 0;
        }
    }
    return 1;
}

static int judge_tool_calls(const nomyo_response *r, const cJSON *calls) {
    const cJSON *call, *m;
    size_t at = 0;
    cJSON_ArrayForEach(call, calls) {
        cJSON_ArrayForEach(m, call) {
            size_t len = 0;
            const char *got = is(m, "id")          ? nomyo_response_tool_call_id(r, 0, at, &len)
                              : is(m, "name")      ? nomyo_response_tool_call_name(r, 0, at, &len)
                              : is(m, "arguments") ? nomyo_response_tool_call_arguments(r, 0, at, &len)
                                                   : NULL;
            if (!same_text(m->string, m, got, len)) {
                return 0;
            }
        }
        at++;
    }
    return nomyo_response_tool_call_count(r, 0) == at || fails("%zu tool calls", nomyo_response_tool_call_count(r, 0));
}

/* One expectation about an answer. */
static int judge_answer(const nomyo_response *r, const cJSON *m) {
    size_t len = 0;
    const char *text = NULL;
    if (is(m, "attempts")) return same_number("attempts", m, nomyo_response_attempts(r));
    if (is(m, "payload_id")) return same_number("payload_id", m, is_payload_id(nomyo_response_payload_id(r)));
    if (is(m, "choices")) return same_number("choices", m, (long long)nomyo_response_choices(r));
    if (is(m, "content")) return text = nomyo_response_content(r, 0, &len), same_text("content", m, text, len);
    if (is(m, "reasoning")) return text = nomyo_response_reasoning(r, 0, &len), same_text("reasoning", m, text, len);
    if (is(m, "finish_reason")) {
        return text = nomyo_response_finish_reason(r, 0, &len), same_text("finish_reason", m, text, len);
    }
    if (is(m, "tool_calls_has")) return has("tool_calls", nomyo_response_tool_calls(r, 0, NULL), m->valuestring);
    if (is(m, "tool_calls")) return judge_tool_calls(r, m);
    if (is(m, "usage")) return judge_usage(r, m);
    if (is(m, "request_id")) return same_header(m, nomyo_response_request_id(r));
    if (is(m, "headers")) {
        const cJSON *header;
        cJSON_ArrayForEach(header, m) {
            if (!same_header(header, nomyo_response_header(r, header->string))) {
                return 0;
            }
        }
        return 1;
    }
    if (is(m, "pointers")) return judge_pointers(r, m);
    if (is(m, "attestation")) {
        nomyo_attestation verdict = {.level = -1};
        nomyo_response_attestation(r, &verdict, sizeof verdict);
        const char *level = nomyo_attestation_level_name(verdict.level);
        return strcasecmp(level, m->valuestring) == 0 || fails("attestation is %s", level);
    }
    return fails("expect: %s is not known here", m->string);
}

/* One expectation about an error. */
static int judge_error(const nomyo_error *e, const cJSON *m) {
    static const char *const sent[] = {[NOMYO_SENT_NO] = "no", [NOMYO_SENT_MAYBE] = "maybe", [NOMYO_SENT_YES] = "yes"};
    const cJSON *part;
    if (is(m, "sent")) {
        const char *text = sent[nomyo_error_sent(e)];
        return same_text("sent", m, text, strlen(text));
    }
    if (is(m, "payload_id")) return same_number("payload_id", m, is_payload_id(nomyo_error_payload_id(e)));
    if (is(m, "request_id")) return same_header(m, nomyo_error_request_id(e));
    if (is(m, "headers")) {
        cJSON_ArrayForEach(part, m) {
            if (!same_header(part, nomyo_error_header(e, part->string))) {
                return 0;
            }
        }
        return 1;
    }
    if (is(m, "http_status")) return same_number("http_status", m, nomyo_error_http_status(e));
    if (is(m, "attempts")) return same_number("attempts", m, nomyo_error_attempts(e));
    if (is(m, "retryable")) return same_number("retryable", m, nomyo_error_retryable(e));
    if (is(m, "retry_after_ms")) return same_number("retry_after_ms", m, nomyo_error_retry_after_ms(e));
    if (is(m, "details_has")) return has("details", nomyo_error_details(e, NULL), m->valuestring);
    if (is(m, "message_has")) {
        cJSON_ArrayForEach(part, m) {
            if (!has("message", nomyo_error_message(e), part->valuestring)) {
                return 0;
            }
        }
        return 1;
    }
    return fails("expect: %s is not known here", m->string);
}

static int judge(int32_t status, const nomyo_response *r, const nomyo_error *e, const cJSON *expect) {
    const cJSON *wanted = cJSON_GetObjectItem(expect, "status"), *member;
    if (!cJSON_IsString(wanted) || strcmp(nomyo_status_name(status), wanted->valuestring) != 0) {
        return fails("%s: %s", nomyo_status_name(status), nomyo_error_message(e));
    }
    cJSON_ArrayForEach(member, expect) {
        if (member != wanted && !(status == NOMYO_OK ? judge_answer(r, member) : judge_error(e, member))) {
            return 0;
        }
    }
    return 1;
}

static int run(const cJSON *scenario) {
    static const char *const known[] = {"name", "config", "keys", "server", "request", "raw", "options", "expect"};
    const cJSON *member, *server = cJSON_GetObjectItem(scenario, "server"), *raw = cJSON_GetObjectItem(scenario, "raw");
    cJSON_ArrayForEach(member, scenario) {
        size_t i = 0;
        while (i < sizeof known / sizeof *known && !is(member, known[i])) i++;
        if (i == sizeof known / sizeof *known) {
            return fails("%s is not known here", member->string);
        }
    }
    int i = client_for(cJSON_GetObjectItem(scenario, "config"));
    if (i < 0) {
        return 0;
    }
    if (clients[i].client == NULL) {
        return judge(nomyo_error_status(clients[i].err), NULL, clients[i].err, cJSON_GetObjectItem(scenario, "expect"));
    }
    char *faults = server ? cJSON_PrintUnformatted(server) : NULL;
    if (faults != NULL && control("/control/faults", faults) != 200) {
        free(faults);
        return fails("the endpoint does not take these faults");
    }
    char *json = raw ? strdup(raw->valuestring) : cJSON_PrintUnformatted(cJSON_GetObjectItem(scenario, "request"));
    nomyo_call_options *request = nomyo_call_options_new();
    nomyo_cancel *cancel = nomyo_cancel_new();
    nomyo_response *response = NULL;
    nomyo_error *err = NULL;
    const cJSON *pair = cJSON_GetObjectItem(scenario, "keys");
    int32_t status = choose(request, cancel, cJSON_GetObjectItem(scenario, "options"), &err);
    if (status == -1) {
        fails("an option is not known here");
    }
    if (status == NOMYO_OK && pair != NULL) {
        status = load(clients[i].client, pair, &err);
    }
    if (status == NOMYO_OK) {
        status = create_text(clients[i].client, json, request, &response, &err);
    }
    int good = status != -1 && judge(status, response, err, cJSON_GetObjectItem(scenario, "expect"));
    if (faults != NULL) {
        control("/control/faults", "{}");
    }
    nomyo_response_free(response);
    nomyo_error_free(err);
    nomyo_cancel_free(cancel);
    nomyo_call_options_free(request);
    free(json);
    free(faults);
    return good;
}

int main(int argc, char **argv) {
    int passed = 0, failed = 0;
    for (int i = 1; i < argc; i++) {
        char *text = text_of_file(argv[i]);
        cJSON *table = text ? cJSON_Parse(text) : NULL;
        const cJSON *scenario;
        if (table == NULL) {
            fprintf(stderr, "%s is no table of scenarios\n", argv[i]);
            failed++;
        }
        cJSON_ArrayForEach(scenario, table) {
            const char *name = cJSON_GetObjectItem(scenario, "name")->valuestring;
            if (run(scenario)) {
                passed++;
                printf("scenario %s ok\n", name);
            } else {
                failed++;
                printf("scenario %s FAILED: %s\n", name, why);
            }
        }
        cJSON_Delete(table);
        free(text);
    }
    for (int i = 0; i < CLIENTS; i++) {
        nomyo_client_free(clients[i].client);
        nomyo_error_free(clients[i].err);
        free(clients[i].config);
    }
    printf("scenarios-c: %d passed, %d failed\n", passed, failed);
    return failed == 0 && passed >= 60 ? EXIT_SUCCESS : EXIT_FAILURE;
}
