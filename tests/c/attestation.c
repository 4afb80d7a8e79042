/*
 * Attestation through the C boundary: genuine and forged quotes from files, policies, and the verdict in an answer of a
 * server without a TPM. (Answers with a quote are the business of tests/endpoint's own TPM.)
 */
#include <assert.h>
#include <stddef.h>

#include "endpoint.h"

#define REQUEST "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}"
#define PCR_0 "3e287e57770de15677579228044a2abe6ca7c39d61de4b8a47fd6b7209dd0bab"
#define PCR_7 "7675f8ba5eb11d7ab097b1437d6c6cde52baf26f922649146a91a7469290b3dd"

static_assert(sizeof(nomyo_attestation) == 48, "the layout is part of the ABI");
static_assert(offsetof(nomyo_attestation, level) == 0, "the layout is part of the ABI");
static_assert(offsetof(nomyo_attestation, failed_check) == 4, "the layout is part of the ABI");
static_assert(offsetof(nomyo_attestation, pcr_count) == 8, "the layout is part of the ABI");
static_assert(offsetof(nomyo_attestation, warnings) == 12, "the layout is part of the ABI");
static_assert(offsetof(nomyo_attestation, clock) == 16, "the layout is part of the ABI");
static_assert(offsetof(nomyo_attestation, firmware_version) == 24, "the layout is part of the ABI");
static_assert(offsetof(nomyo_attestation, reset_count) == 32, "the layout is part of the ABI");
static_assert(offsetof(nomyo_attestation, restart_count) == 36, "the layout is part of the ABI");
static_assert(offsetof(nomyo_attestation, clock_safe) == 40, "the layout is part of the ABI");
static_assert(offsetof(nomyo_attestation, hierarchy) == 44, "the layout is part of the ABI");

/* A line of a fixture file, with a NUL behind each text that is taken out of it. */
struct fixture {
    char line[8192];
    const char *expect, *payload_id, *block;
};

static int next(FILE *file, struct fixture *f) {
    if (fgets(f->line, sizeof f->line, file) == NULL) {
        return 0;
    }
    char *expect = strstr(f->line, "\"expect\": \""), *id = strstr(f->line, "\"payload_id\": \"");
    char *block = strstr(f->line, "\"tpm_attestation\": "), *end = strrchr(f->line, '}');
    CHECK(id != NULL && block != NULL && end != NULL);
    f->expect = expect ? expect + 11 : "CONSISTENT";
    f->payload_id = id + 15;
    f->block = block + 19;
    *end = '\0';
    f->line[(size_t)(f->payload_id - f->line) + 36] = '\0';
    if (expect) {
        expect[11 + strcspn(expect + 11, " \"")] = '\0';
    }
    return 1;
}

static int32_t verify(const struct fixture *f, const nomyo_attestation_policy *p, nomyo_attestation *out, nomyo_error **err) {
    return nomyo_attestation_verify((const uint8_t *)f->block, strlen(f->block), f->payload_id, p, out, sizeof *out, err);
}

static void every_fixture(const char *name, int wanted) {
    char path[1024];
    struct fixture f;
    int lines = 0;
    snprintf(path, sizeof path, NOMYO_FIXTURES "/../tpm/%s", name);
    FILE *file = fopen(path, "r");
    if (!CHECK(file != NULL)) {
        return;
    }
    for (; next(file, &f); lines++) {
        nomyo_attestation verdict;
        nomyo_error *err = NULL;
        int consistent = strcmp(f.expect, "CONSISTENT") == 0;
        memset(&verdict, 0xaa, sizeof verdict);
        CHECK_OK(verify(&f, NULL, &verdict, &err), &err);
        CHECK_INT(verdict.level, consistent ? NOMYO_ATTESTATION_CONSISTENT : NOMYO_ATTESTATION_INVALID);
        CHECK_TEXT(nomyo_attestation_check_name(verdict.failed_check), consistent ? "NONE" : f.expect);
        CHECK_INT(verdict.pcr_count, consistent ? 3 : 0);
        CHECK((verdict.clock != 0) == consistent);
    }
    CHECK_INT(lines, wanted);
    fclose(file);
}

static void policies(void) {
    struct fixture f;
    nomyo_attestation verdict;
    nomyo_error *err = NULL;
    FILE *file = fopen(NOMYO_FIXTURES "/../tpm/swtpm.jsonl", "r");
    if (!CHECK(file != NULL && next(file, &f))) {
        return;
    }
    fclose(file);
    nomyo_attestation_policy *p = nomyo_attestation_policy_new();
    REFUSED(NOMYO_ERR_ARGUMENT, "policy is NULL", nomyo_attestation_policy_require, NULL, NOMYO_ATTESTATION_CONSISTENT);
    REFUSED(NOMYO_ERR_ARGUMENT, "lower levels", nomyo_attestation_policy_require, p, NOMYO_ATTESTATION_INVALID);
    REFUSED(NOMYO_ERR_ARGUMENT, "reserved", nomyo_attestation_policy_require, p, NOMYO_ATTESTATION_PINNED);
    REFUSED(NOMYO_ERR_ARGUMENT, "reserved", nomyo_attestation_policy_require, p, NOMYO_ATTESTATION_CERTIFIED);
    REFUSED(NOMYO_ERR_ARGUMENT, "none of the", nomyo_attestation_policy_require, p, INT32_MAX);
    REFUSED(NOMYO_ERR_ARGUMENT, "policy is NULL", nomyo_attestation_policy_allow_pcr, NULL, "sha256", 0, PCR_0);
    REFUSED(NOMYO_ERR_ARGUMENT, "bank is NULL", nomyo_attestation_policy_allow_pcr, p, NULL, 0, PCR_0);
    REFUSED(NOMYO_ERR_ARGUMENT, "hex is NULL", nomyo_attestation_policy_allow_pcr, p, "sha256", 0, NULL);
    REFUSED(NOMYO_ERR_ARGUMENT, "sha384", nomyo_attestation_policy_allow_pcr, p, "sha1", 0, PCR_0);
    REFUSED(NOMYO_ERR_ARGUMENT, "above 15", nomyo_attestation_policy_allow_pcr, p, "sha256", 16, PCR_0);
    REFUSED(NOMYO_ERR_ARGUMENT, "64 hex digits", nomyo_attestation_policy_allow_pcr, p, "sha256", 0, &PCR_0[1]);

    ACCEPTED(nomyo_attestation_policy_require, p, NOMYO_ATTESTATION_BASELINE);
    memset(&verdict, 0xaa, sizeof verdict);
    CHECK_INT(verify(&f, p, &verdict, &err), NOMYO_ERR_ARGUMENT);
    CHECK_HAS(nomyo_error_message(err), "allows no register value");
    CHECK_INT(verdict.level, (int32_t)0xaaaaaaaa);
    nomyo_error_free(err);
    err = NULL;
    nomyo_config *config = nomyo_config_new();
    REFUSED(NOMYO_ERR_ARGUMENT, "allows no register value", nomyo_config_set_attestation, config, p);
    REFUSED(NOMYO_ERR_ARGUMENT, "config is NULL", nomyo_config_set_attestation, NULL, p);

    ACCEPTED(nomyo_attestation_policy_allow_pcr, p, "sha256", 0, PCR_7);
    CHECK_INT(verify(&f, p, &verdict, &err), NOMYO_ERR_ATTESTATION);
    CHECK_HAS(nomyo_error_message(err), "TPM_PCR_BASELINE");
    CHECK_HAS(nomyo_error_message(err), "requires BASELINE");
    CHECK_INT(nomyo_error_retryable(err), 0);
    nomyo_error_free(err);
    err = NULL;
    ACCEPTED(nomyo_attestation_policy_allow_pcr, p, "sha256", 0, PCR_0);
    ACCEPTED(nomyo_attestation_policy_allow_pcr, p, "sha256", 7, PCR_7);
    CHECK_OK(verify(&f, p, &verdict, &err), &err);
    CHECK_INT(verdict.level, NOMYO_ATTESTATION_BASELINE);
    CHECK_INT(verdict.hierarchy, 0x40000001);
    CHECK_INT(verdict.clock_safe, 1);
    ACCEPTED(nomyo_config_set_attestation, config, p);
    ACCEPTED(nomyo_config_set_attestation, config, NULL);
    nomyo_config_free(config);
    nomyo_attestation_policy_free(p);
    nomyo_attestation_policy_free(NULL);
}

static void arguments(void) {
    nomyo_attestation out;
    const uint8_t *block = (const uint8_t *)"{}";
    REFUSED(NOMYO_ERR_ARGUMENT, "out is NULL", nomyo_attestation_verify, block, 2, "id", NULL, NULL, sizeof out);
    REFUSED(NOMYO_ERR_ARGUMENT, "block_json is NULL", nomyo_attestation_verify, NULL, 2, "id", NULL, &out, sizeof out);
    REFUSED(NOMYO_ERR_ARGUMENT, "payload_id is NULL", nomyo_attestation_verify, block, 2, NULL, NULL, &out, sizeof out);
    REFUSED(NOMYO_ERR_ARGUMENT, "UTF-8", nomyo_attestation_verify, (const uint8_t *)"\xff", 1, "id", NULL, &out, sizeof out);
    ACCEPTED(nomyo_attestation_verify, NULL, 0, "", NULL, &out, sizeof out);
    CHECK_INT(out.level, NOMYO_ATTESTATION_INVALID);
    unsigned char area[64];
    memset(area, 0xaa, sizeof area);
    ACCEPTED(nomyo_attestation_verify, block, 2, "id", NULL, (nomyo_attestation *)(void *)area, 4);
    CHECK(area[0] == NOMYO_ATTESTATION_INVALID && area[4] == 0xaa);
    ACCEPTED(nomyo_attestation_verify, block, 2, "id", NULL, (nomyo_attestation *)(void *)area, 60);
    CHECK(area[59] == 0 && area[60] == 0xaa);
    CHECK_TEXT(nomyo_attestation_level_name(NOMYO_ATTESTATION_CONSISTENT), "CONSISTENT");
    CHECK_HAS(nomyo_attestation_level_meaning(NOMYO_ATTESTATION_CONSISTENT), "does not prove that a TPM exists");
    CHECK_HAS(nomyo_attestation_level_meaning(NOMYO_ATTESTATION_BASELINE), "does not prove that a TPM exists");
    CHECK_TEXT(nomyo_attestation_level_name(NOMYO_ATTESTATION_CERTIFIED), "UNKNOWN");
    CHECK_TEXT(nomyo_attestation_level_meaning(-1), "UNKNOWN");
    CHECK_TEXT(nomyo_attestation_check_name(7018), "TPM_NONCE_MISMATCH");
    CHECK_TEXT(nomyo_attestation_check_name(1), "UNKNOWN");
}

/* The verdict is in the answer, and a policy withholds the answer. */
static void answers(void) {
    nomyo_client *client = client_of(endpoint_config());
    nomyo_response *answer = answer_to(client, REQUEST, NULL);
    nomyo_attestation verdict;
    size_t len = 0;
    CHECK_INT(nomyo_response_attestation(answer, &verdict, sizeof verdict), NOMYO_OK);
    CHECK_INT(verdict.level, NOMYO_ATTESTATION_UNAVAILABLE);
    CHECK_TEXT(nomyo_attestation_check_name(verdict.failed_check), "TPM_UNAVAILABLE");
    const char *report = nomyo_response_attestation_report(answer, &len);
    CHECK(report != NULL && strlen(report) == len);
    CHECK_HAS(report, "\"level\":\"UNAVAILABLE\"");
    CHECK_HAS(report, "\"hardware_rooted\":false");
    CHECK(nomyo_response_attestation_report(answer, NULL) == report);
    CHECK(nomyo_response_attestation_report(NULL, &len) == NULL && len == 0);
    CHECK_INT(nomyo_response_attestation(NULL, &verdict, sizeof verdict), NOMYO_ERR_ARGUMENT);
    CHECK_INT(nomyo_response_attestation(answer, NULL, sizeof verdict), NOMYO_ERR_ARGUMENT);
    nomyo_response_free(answer);
    nomyo_client_free(client);

    nomyo_attestation_policy *p = nomyo_attestation_policy_new();
    nomyo_config *config = endpoint_config();
    ACCEPTED(nomyo_attestation_policy_require, p, NOMYO_ATTESTATION_CONSISTENT);
    ACCEPTED(nomyo_config_set_attestation, config, p);
    nomyo_attestation_policy_free(p);
    client = client_of(config);
    nomyo_error *err = error_of(client, REQUEST, NULL);
    CHECK_INT(nomyo_error_status(err), NOMYO_ERR_ATTESTATION);
    CHECK_HAS(nomyo_error_message(err), "UNAVAILABLE (TPM_UNAVAILABLE");
    CHECK_HAS(nomyo_error_message(err), "the prompt has already been sent");
    CHECK_INT(nomyo_error_http_status(err), 200);
    CHECK_INT(nomyo_error_attempts(err), 1);
    CHECK_INT(nomyo_error_retryable(err), 0);
    nomyo_error_free(err);
    nomyo_client_free(client);
}

int main(void) {
    every_fixture("swtpm.jsonl", 5);
    every_fixture("forged.jsonl", 25);
    policies();
    arguments();
    answers();
    return check_summary("attestation");
}
