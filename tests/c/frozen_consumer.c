/*
 * A program that was compiled with the header of version 0.1.0 (frozen/nomyo.h): it runs with this library. Its structs have the
 * size that they had then.
 */
#include "endpoint.h"

static void structs_as_they_were(const nomyo_response *response) {
    /* A byte behind each struct shows whether the library writes more than the program has. */
    struct {
        nomyo_memory_info info;
        unsigned char behind;
    } memory = {.behind = 77};
    struct {
        nomyo_attestation verdict;
        unsigned char behind;
    } attestation = {.behind = 77};
    struct {
        nomyo_usage usage;
        unsigned char behind;
    } used = {.behind = 77};
    CHECK_INT(nomyo_memory_info_get(&memory.info, sizeof memory.info), NOMYO_OK);
    CHECK(memory.info.page_size >= 4096 && memory.info.mapped > 0);
    CHECK_INT(nomyo_response_attestation(response, &attestation.verdict, sizeof attestation.verdict), NOMYO_OK);
    CHECK_INT(attestation.verdict.level, NOMYO_ATTESTATION_UNAVAILABLE);
    CHECK_INT(nomyo_response_usage(response, &used.usage, sizeof used.usage), NOMYO_OK);
    CHECK(used.usage.total_tokens == used.usage.prompt_tokens + used.usage.completion_tokens);
    CHECK(memory.behind == 77 && attestation.behind == 77 && used.behind == 77);
}

int main(void) {
    CHECK_INT(nomyo_abi_version(), NOMYO_ABI_VERSION);
    nomyo_client *client = client_of(endpoint_config());
    nomyo_call_options *options = nomyo_call_options_new();
    nomyo_error *err = NULL;
    CHECK_OK(nomyo_call_options_set_security_tier(options, "high", &err), &err);
    nomyo_response *response =
        answer_to(client, "{\"messages\":[{\"role\":\"user\",\"content\":\"still the same\"}]}", options);
    CHECK_TEXT(nomyo_response_content(response, 0, NULL), "still the same");
    structs_as_they_were(response);
    nomyo_response_free(response);
    nomyo_error *refused = error_of(client, "{\"messages\":[],\"nomyo_test\":{\"status\":429}}", options);
    CHECK_INT(nomyo_error_status(refused), NOMYO_ERR_RATE_LIMIT);
    CHECK_INT(nomyo_error_sent(refused), NOMYO_SENT_YES);
    nomyo_error_free(refused);
    nomyo_call_options_free(options);
    nomyo_client_free(client);
    return check_summary("frozen_consumer");
}
