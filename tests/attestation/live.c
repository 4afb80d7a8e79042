/*
 * Attestation, live: genuine quotes of a real TPM stack, and every lie about one that a server can tell.
 *
 * Beside two endpoints that attest, each with a software TPM of its own (run.sh).
 */
#include "endpoint.h"

#define HELLO "Hello, enclave"
#define ASK "\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"" HELLO "\"}]"
/* The cheapest key, for the tests that are not about keys. */
#define P256 "\"tpm_scheme\":\"ecdsa-p256\""
#define BLOCK "/_metadata/tpm_attestation"

enum { REQUEST_MAX = 16384, OWNER = 0x40000001 };

/* A register and a value for it. */
struct pcr {
    uint32_t index;
    char hex[65];
};

/* The request with these members of `nomyo_test`. Valid until the next call. */
static const char *request_with(const char *format, ...) {
    static char json[REQUEST_MAX];
    va_list arguments;
    int head = snprintf(json, sizeof json, "{" ASK ",\"nomyo_test\":{");
    va_start(arguments, format);
    int test = vsnprintf(json + head, sizeof json - (size_t)head, format, arguments);
    va_end(arguments);
    int tail = snprintf(json + head + test, sizeof json - (size_t)(head + test), "}}");
    CHECK(head + test + tail < REQUEST_MAX);
    return json;
}

/* A policy that requires `level`, with `n` allowed values. */
static nomyo_attestation_policy *policy_of(int32_t level, const struct pcr *allowed, size_t n) {
    nomyo_attestation_policy *policy = nomyo_attestation_policy_new();
    nomyo_error *err = NULL;
    CHECK_OK(nomyo_attestation_policy_require(policy, level, &err), &err);
    for (size_t i = 0; i < n; i++) {
        CHECK_OK(nomyo_attestation_policy_allow_pcr(policy, "sha256", allowed[i].index, allowed[i].hex, &err), &err);
    }
    return policy;
}

/* A client with this policy, which is freed. NULL is the default: to report. */
static nomyo_client *client_with(nomyo_attestation_policy *policy) {
    nomyo_config *config = endpoint_config();
    nomyo_error *err = NULL;
    if (policy != NULL) {
        CHECK_OK(nomyo_config_set_attestation(config, policy, &err), &err);
        nomyo_attestation_policy_free(policy);
    }
    return client_of(config);
}

/* The verdict on an answer; level -1 when there is none. */
static nomyo_attestation verdict(const nomyo_response *r) {
    nomyo_attestation out = {.level = -1};
    CHECK(r != NULL && nomyo_response_attestation(r, &out, sizeof out) == NOMYO_OK);
    return out;
}

/* A part of an answer, as JSON, for the caller to free. */
static char *part_of(const nomyo_response *r, const char *pointer) {
    const char *part = r ? nomyo_response_pointer(r, pointer, NULL) : NULL;
    CHECK(part != NULL);
    return strdup(part ? part : "null");
}

/* A quote that holds is delivered, with the verdict, also where it is required. */
static void consistent(const nomyo_client *client, const char *json, uint32_t hierarchy) {
    nomyo_response *r = answer_to(client, json, NULL);
    nomyo_attestation out = verdict(r);
    CHECK_INT(out.level, NOMYO_ATTESTATION_CONSISTENT);
    CHECK_INT(out.failed_check, 0);
    CHECK_INT(out.warnings, 0);
    CHECK_INT(out.pcr_count, 3);
    CHECK_INT(out.hierarchy, hierarchy);
    CHECK_TEXT(nomyo_response_content(r, 0, NULL), HELLO);
    nomyo_response_free(r);
}

static void every_kind_of_key_is_consistent(const nomyo_client *reporting, const nomyo_client *requiring) {
    static const char *const schemes[] = {"rsassa", "rsapss", "ecdsa-p256", "ecdsa-p384"};
    static const struct {
        const char *name;
        uint32_t handle;
    } hierarchies[] = {{"owner", OWNER}, {"endorsement", 0x4000000B}, {"platform", 0x4000000C}, {"null", 0x40000007}};
    for (size_t i = 0; i < 4; i++) {
        consistent(reporting, request_with("\"tpm_scheme\":\"%s\"", schemes[i]), OWNER);
        consistent(requiring, request_with("\"tpm_scheme\":\"%s\",\"tpm_sized_quote\":true", schemes[i]), OWNER);
        consistent(requiring, request_with(P256 ",\"tpm_hierarchy\":\"%s\"", hierarchies[i].name),
                   hierarchies[i].handle);
    }
}

/* A lie: delivered with the verdict by the client that reports, withheld by the one that requires. */
static void lie(const nomyo_client *reporting, const nomyo_client *requiring, const char *json, int32_t reported,
                int32_t withheld, const char *check, int line) {
    nomyo_response *r = answer_to(reporting, json, NULL);
    nomyo_attestation out = verdict(r);
    check_int(out.level, reported, check, __FILE__, line);
    check_text(nomyo_attestation_check_name(out.failed_check), check, check, __FILE__, line);
    check_has(nomyo_response_attestation_report(r, NULL), check, check, __FILE__, line);
    CHECK_TEXT(nomyo_response_content(r, 0, NULL), HELLO);
    nomyo_response_free(r);

    char is[64];
    snprintf(is, sizeof is, "the answer is %s (%s: ", nomyo_attestation_level_name(withheld), check);
    nomyo_error *err = error_of(requiring, json, NULL); /* which sees that the answer is left alone */
    check_error(err, NOMYO_ERR_ATTESTATION, is, json, __FILE__, line);
    CHECK_HAS(nomyo_error_message(err), "the prompt has already been sent");
    CHECK_INT(nomyo_error_attempts(err), 1);
    CHECK_INT(nomyo_error_retryable(err), 0);
    nomyo_error_free(err);
    r = SENTINEL;
    CHECK_INT(create_text(requiring, json, NULL, &r, NULL), NOMYO_ERR_ATTESTATION);
    CHECK(r == SENTINEL);
}
#define LIE(level, check, ...)                                                                              \
    lie(reporting, requiring, request_with(__VA_ARGS__), NOMYO_ATTESTATION_##level,                         \
        NOMYO_ATTESTATION_##level, check, __LINE__)

static void no_lie_is_believed(const nomyo_client *reporting, const nomyo_client *requiring) {
    LIE(ABSENT, "TPM_ABSENT", "\"tpm\":null");
    LIE(UNAVAILABLE, "TPM_UNAVAILABLE", "\"tpm\":{\"is_available\":false}");
    LIE(UNAVAILABLE, "TPM_UNAVAILABLE", P256 ",\"tpm_patch\":{\"is_available\":false}");
    LIE(INVALID, "TPM_UNAVAILABLE", P256 ",\"tpm_patch\":{\"is_available\":\"true\"}");
    LIE(INVALID, "TPM_UNAVAILABLE", P256 ",\"tpm_patch\":{\"is_available\":1}");
    LIE(INVALID, "TPM_UNAVAILABLE", P256 ",\"tpm_patch\":{\"is_available\":null}");
    LIE(INVALID, "TPM_FIELD_MISSING", "\"tpm\":\"is_available\"");
    LIE(INVALID, "TPM_FIELD_MISSING", P256 ",\"tpm_patch\":{\"quote_b64\":null}");
    LIE(INVALID, "TPM_FIELD_MISSING", P256 ",\"tpm_patch\":{\"signature_b64\":[]}");
    LIE(INVALID, "TPM_BASE64", P256 ",\"tpm_patch\":{\"quote_b64\":\"!\"}");
    LIE(INVALID, "TPM_AIK_PARSE", P256 ",\"tpm_patch\":{\"aik_pubkey_b64\":\"\"}");
    LIE(INVALID, "TPM_SIG_PARSE", P256 ",\"tpm_patch\":{\"signature_b64\":\"\"}");
    LIE(INVALID, "TPM_PCR_BANKS_TEXT", P256 ",\"tpm_patch\":{\"pcr_banks\":\"sha256:0,7\"}");
    LIE(INVALID, "TPM_PCR_SELECT_MISMATCH", P256 ",\"tpm_patch\":{\"pcr_values\":{\"sha256\":{\"7\":null}}}");
    LIE(INVALID, "TPM_PCR_VALUE_FORMAT", P256 ",\"tpm_patch\":{\"pcr_values\":{\"sha256\":{\"7\":\"\"}}}");
    LIE(INVALID, "TPM_PCR_DIGEST_MISMATCH",
        P256 ",\"tpm_patch\":{\"pcr_values\":{\"sha256\":{\"7\":\"%064d\"}}}", 1);
}

/* What was genuine for one request says nothing of another, nor do its parts. */
static void no_quote_serves_twice(const nomyo_client *reporting, const nomyo_client *requiring,
                                  const nomyo_client *from) {
    nomyo_response *r = answer_to(from, request_with(P256), NULL);
    CHECK_INT(verdict(r).level, NOMYO_ATTESTATION_CONSISTENT);
    char *block = part_of(r, BLOCK), *quote = part_of(r, BLOCK "/quote_b64");
    char *signature = part_of(r, BLOCK "/signature_b64"), *aik = part_of(r, BLOCK "/aik_pubkey_b64");
    nomyo_response_free(r);
    LIE(INVALID, "TPM_NONCE_MISMATCH", "\"tpm\":%s", block);
    LIE(INVALID, "TPM_SIG_INVALID", P256 ",\"tpm_patch\":{\"quote_b64\":%s}", quote);
    LIE(INVALID, "TPM_SIG_INVALID", P256 ",\"tpm_patch\":{\"signature_b64\":%s}", signature);
    LIE(INVALID, "TPM_SIG_INVALID", P256 ",\"tpm_patch\":{\"aik_pubkey_b64\":%s}", aik);
    LIE(INVALID, "TPM_SIG_SCHEME_MISMATCH", "\"tpm_patch\":{\"signature_b64\":%s}", signature);
    free(block);
    free(quote);
    free(signature);
    free(aik);
}

static nomyo_client *client_of_the_other_server(void) {
    nomyo_config *config = endpoint_config();
    nomyo_error *err = NULL;
    CHECK_OK(nomyo_config_set_base_url(config, endpoint_variable("NOMYO_TEST_OTHER_BASE_URL"), &err), &err);
    return client_of(config);
}

/* The values that the endpoint's registers have. */
static void pcrs_of(const nomyo_client *client, struct pcr pcrs[3]) {
    static const uint32_t indices[] = {0, 7, 10};
    nomyo_response *r = answer_to(client, request_with(P256), NULL);
    for (size_t i = 0; i < 3; i++) {
        char pointer[64];
        snprintf(pointer, sizeof pointer, BLOCK "/pcr_values/sha256/%u", (unsigned)indices[i]);
        char *hex = part_of(r, pointer);
        CHECK_INT(sscanf(hex, "\"%64[0-9a-f]\"", pcrs[i].hex), 1);
        CHECK_INT(strlen(pcrs[i].hex), 64);
        pcrs[i].index = indices[i];
        free(hex);
    }
    nomyo_response_free(r);
}

static void a_baseline_is_met_to_the_last_digit(const nomyo_client *reporting) {
    struct pcr pcrs[4];
    pcrs_of(reporting, pcrs);
    nomyo_client *client = client_with(policy_of(NOMYO_ATTESTATION_BASELINE, pcrs, 3));
    nomyo_response *r = answer_to(client, request_with(P256), NULL);
    CHECK_INT(verdict(r).level, NOMYO_ATTESTATION_BASELINE);
    nomyo_response_free(r);
    nomyo_client_free(client);

    pcrs[3] = pcrs[1]; /* once more the right value of PCR 7, beside a wrong one */
    pcrs[1].hex[63] = pcrs[1].hex[63] == '0' ? '1' : '0';
    client = client_with(policy_of(NOMYO_ATTESTATION_BASELINE, pcrs, 4));
    r = answer_to(client, request_with(P256), NULL);
    CHECK_INT(verdict(r).level, NOMYO_ATTESTATION_BASELINE);
    nomyo_response_free(r);
    nomyo_client_free(client);

    client = client_with(policy_of(NOMYO_ATTESTATION_BASELINE, pcrs, 3));
    nomyo_error *err = error_of(client, request_with(P256), NULL);
    check_error(err, NOMYO_ERR_ATTESTATION, "TPM_PCR_BASELINE", "one digit is another", __FILE__, __LINE__);
    nomyo_error_free(err);
    nomyo_client_free(client);
}

/* The tier `maximum` is the promise of a TPM: where a quote is required, its absence is a lie. */
static void the_tier_maximum_needs_a_quote(const nomyo_client *reporting, const nomyo_client *requiring) {
    static const char maximum[] = "{" ASK ",\"security_tier\":\"maximum\",\"nomyo_test\":{%s}}";
    char json[512];
    snprintf(json, sizeof json, maximum, P256);
    consistent(reporting, json, OWNER);
    consistent(requiring, json, OWNER);
    snprintf(json, sizeof json, maximum, "\"tpm\":null");
    lie(reporting, requiring, json, NOMYO_ATTESTATION_ABSENT, NOMYO_ATTESTATION_INVALID, "TPM_ABSENT", __LINE__);
    snprintf(json, sizeof json, maximum, "\"tpm\":{\"is_available\":false}");
    lie(reporting, requiring, json, NOMYO_ATTESTATION_UNAVAILABLE, NOMYO_ATTESTATION_INVALID, "TPM_UNAVAILABLE",
        __LINE__);
}

/* The verdict on a block alone; -1 when there is none. */
static int32_t level_of(const char *block, size_t len, const char *payload_id) {
    nomyo_attestation out = {.level = -1};
    int32_t status = nomyo_attestation_verify((const uint8_t *)block, len, payload_id, NULL, &out, sizeof out, NULL);
    return status == NOMYO_OK ? out.level : -1;
}

/* Makes each character of a member's text another, one at a time. How many there are; `*believed` counts those whose
 * change was not noticed. */
static int change_each_character(char *block, const char *member, const char *payload_id, int *believed) {
    char *at = strstr(block, member);
    int changed = 0;
    for (at = at ? at + strlen(member) : NULL; at != NULL && *at != '"'; at++, changed++) {
        char right = *at;
        *at = right == '0' ? '1' : '0';
        *believed += level_of(block, strlen(block), payload_id) != NOMYO_ATTESTATION_INVALID;
        *at = right;
    }
    return changed;
}

static void no_character_can_be_changed(const nomyo_client *client, const char *scheme) {
    nomyo_response *r = answer_to(client, request_with("\"tpm_scheme\":\"%s\"", scheme), NULL);
    char *block = part_of(r, BLOCK);
    const char *id = nomyo_response_payload_id(r);
    size_t len = strlen(block);
    int believed = 0;
    CHECK(change_each_character(block, "\"quote_b64\":\"", id, &believed) > 150);
    CHECK(change_each_character(block, "\"signature_b64\":\"", id, &believed) > 90);
    CHECK(change_each_character(block, "\"aik_pubkey_b64\":\"", id, &believed) > 100);
    CHECK_INT(change_each_character(block, "\"pcr_banks\":\"", id, &believed), strlen("sha256:0,7,10"));
    CHECK_INT(change_each_character(block, "\"0\":\"", id, &believed), 64);
    CHECK_INT(change_each_character(block, "\"7\":\"", id, &believed), 64);
    CHECK_INT(change_each_character(block, "\"10\":\"", id, &believed), 64);
    for (size_t cut = 0; cut < len; cut++) {
        believed += level_of(block, cut, id) != NOMYO_ATTESTATION_INVALID;
    }
    CHECK_INT(believed, 0);
    CHECK_INT(level_of(block, len, "another id"), NOMYO_ATTESTATION_INVALID);
    CHECK_INT(level_of(block, len, id), NOMYO_ATTESTATION_CONSISTENT);
    free(block);
    nomyo_response_free(r);
}

int main(void) {
    nomyo_client *reporting = client_with(NULL);
    nomyo_client *requiring = client_with(policy_of(NOMYO_ATTESTATION_CONSISTENT, NULL, 0));
    nomyo_client *other = client_of_the_other_server();
    every_kind_of_key_is_consistent(reporting, requiring);
    a_baseline_is_met_to_the_last_digit(reporting);
    no_lie_is_believed(reporting, requiring);
    no_quote_serves_twice(reporting, requiring, reporting);
    no_quote_serves_twice(reporting, requiring, other);
    the_tier_maximum_needs_a_quote(reporting, requiring);
    no_character_can_be_changed(reporting, "rsassa");
    no_character_can_be_changed(reporting, "rsapss");
    no_character_can_be_changed(reporting, "ecdsa-p256");
    no_character_can_be_changed(reporting, "ecdsa-p384");
    nomyo_client_free(reporting);
    nomyo_client_free(requiring);
    nomyo_client_free(other);
    return check_summary("live_quotes");
}
