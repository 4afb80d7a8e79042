/* Prints an answer only if its TPM quote is consistent, and explains what the quote proves. With --pcr the registers must also
 * have the given values: --pcr 7=HEX,0=HEX of the bank sha256.
 *
 *     NOMYO_API_KEY=... attestation [--url URL] [--ca FILE] [--pcr INDEX=HEX,INDEX=HEX...] */
#include <nomyo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char request[] = "{\"model\":\"Qwen/Qwen3-0.6B\","
                              "\"messages\":[{\"role\":\"user\",\"content\":\"Who are you?\"}]}";

/* Allows the values in `pcrs`, and splits that text. Several values of one register are alternatives, as before and after an
 * update. */
static int allow(nomyo_attestation_policy *policy, char *pcrs, nomyo_error **err) {
    for (char *pcr = strtok(pcrs, ","); pcr; pcr = strtok(NULL, ",")) {
        char *value = pcr;
        unsigned long index = strtoul(pcr, &value, 10);
        if (value == pcr || *value != '=' || index > UINT32_MAX) {
            fprintf(stderr, "--pcr is INDEX=HEX,INDEX=HEX...\n");
            return 0;
        }
        if (nomyo_attestation_policy_allow_pcr(policy, "sha256", (uint32_t)index, value + 1, err) != NOMYO_OK) return 0;
    }
    return 1;
}

static void print(const nomyo_response *answer) {
    nomyo_attestation verdict;
    size_t len = 0;
    const char *text = nomyo_response_content(answer, 0, &len);
    printf("%.*s\n", (int)len, text ? text : "");
    nomyo_response_attestation(answer, &verdict, sizeof verdict);
    printf("%s: %s\n", nomyo_attestation_level_name(verdict.level), nomyo_attestation_level_meaning(verdict.level));
    printf("%s\n", nomyo_response_attestation_report(answer, NULL));
}

int main(int argc, char **argv) {
    const char *url = NULL, *ca = NULL;
    char *pcrs = NULL;
    nomyo_attestation_policy *policy = nomyo_attestation_policy_new();
    nomyo_config *config = nomyo_config_new();
    nomyo_client *client = NULL;
    nomyo_response *answer = NULL;
    nomyo_error *err = NULL;

    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--url") == 0) url = argv[i + 1];
        else if (strcmp(argv[i], "--ca") == 0) ca = argv[i + 1];
        else if (strcmp(argv[i], "--pcr") == 0) pcrs = argv[i + 1];
    }
    int32_t level = pcrs ? NOMYO_ATTESTATION_BASELINE : NOMYO_ATTESTATION_CONSISTENT;
    int done = policy && config && nomyo_attestation_policy_require(policy, level, &err) == NOMYO_OK &&
               (!pcrs || allow(policy, pcrs, &err)) && nomyo_config_load_env(config, &err) == NOMYO_OK &&
               (!url || nomyo_config_set_base_url(config, url, &err) == NOMYO_OK) &&
               (!ca || nomyo_config_set_ca_file(config, ca, &err) == NOMYO_OK) &&
               nomyo_config_set_attestation(config, policy, &err) == NOMYO_OK &&
               nomyo_client_new(config, &client, &err) == NOMYO_OK &&
               nomyo_create(client, (const uint8_t *)request, strlen(request), NULL, &answer, &err) == NOMYO_OK;
    if (done) print(answer);
    /* The quote comes with the answer. The prompt has been sent and processed. */
    if (nomyo_error_status(err) == NOMYO_ERR_ATTESTATION) fprintf(stderr, "the answer is withheld: ");
    if (err) fprintf(stderr, "%s: %s\n", nomyo_status_name(nomyo_error_status(err)), nomyo_error_message(err));
    nomyo_response_free(answer); /* wipes the answer; every _free accepts NULL */
    nomyo_error_free(err);
    nomyo_client_free(client); /* wipes the keys */
    nomyo_config_free(config);
    nomyo_attestation_policy_free(policy);
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
