/* The promises of EVENT_LOOPS.md that its pieces do not show. Prints one line for each that holds.
 *
 *     loops_promises DIRECTORY */
#define _POSIX_C_SOURCE 200809L
#include "your_http.h"

#include <time.h>

static const char REQUEST[] = "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}";

static void holds(int yes, const char *promise) {
    if (!yes) give_up(promise);
    printf("%s\n", promise);
}

/* Frees the configuration. */
static nomyo_client *client_of(nomyo_config *config) {
    nomyo_client *client = NULL;
    if (nomyo_client_new(config, &client, NULL) != NOMYO_OK) give_up("no client");
    nomyo_config_free(config);
    return client;
}

static struct response sent(const nomyo_sealed *sealed) {
    size_t len = 0;
    const uint8_t *body = nomyo_sealed_body(sealed, &len);
    return your_http("POST", "/v1/chat/secure_completion", nomyo_sealed_headers(sealed, NULL), body, len);
}

static char *public_key_of(const nomyo_client *client) {
    nomyo_sealed *sealed = seal(client, REQUEST);
    cJSON *headers = cJSON_Parse(nomyo_sealed_headers(sealed, NULL));
    char *key = strdup(cJSON_GetStringValue(cJSON_GetObjectItem(headers, "X-Public-Key")));
    cJSON_Delete(headers);
    nomyo_sealed_free(sealed);
    return key;
}

static int pair_is_replaced_with_rotation(uint64_t ms) {
    nomyo_config *config = nomyo_config_new();
    if (nomyo_config_set_key_rotation_ms(config, ms, NULL) != NOMYO_OK) give_up("no rotation");
    nomyo_client *client = client_of(config);
    char *first = public_key_of(client);
    nanosleep(&(struct timespec){0, 20 * 1000 * 1000}, NULL); /* a pair of 1 ms is due then */
    char *second = public_key_of(client);
    int replaced = strcmp(first, second) != 0;
    free(first);
    free(second);
    nomyo_client_free(client);
    return replaced;
}

static void the_headers_are_the_ones_of_the_table(const nomyo_client *client) {
    nomyo_sealed *sealed = seal(client, "{\"model\":\"m\",\"security_tier\":\"high\"}");
    cJSON *headers = cJSON_Parse(nomyo_sealed_headers(sealed, NULL)), *header;
    const char *names[] = {"X-Payload-ID", "X-Public-Key", "Content-Type", "X-Security-Tier"};
    int known = cJSON_GetArraySize(headers) == 4;
    for (int i = 0; i < 4; i++) known = known && cJSON_GetObjectItemCaseSensitive(headers, names[i]);
    cJSON_ArrayForEach(header, headers) for (const char *c = header->valuestring; *c; c++) known = known && *c > ' ' && *c <= '~';
    known = known && strcmp(cJSON_GetStringValue(cJSON_GetObjectItem(headers, "Content-Type")), "application/octet-stream") == 0;
    holds(known, "the headers are those of the table, and can be sent as they are");
    cJSON_Delete(headers);
    nomyo_sealed_free(sealed);
}

static void the_api_key_is_the_callers_to_send(const nomyo_client *client) {
    nomyo_sealed *sealed = seal(client, REQUEST);
    char *key = strdup(getenv("NOMYO_API_KEY"));
    unsetenv("NOMYO_API_KEY");
    struct response without = sent(sealed);
    setenv("NOMYO_API_KEY", key, 1);
    struct response with = sent(sealed);
    holds(without.status == 401 && with.status == 200, "the API key is the caller's to send");
    free(without.body);
    free(with.body);
    free(key);
    nomyo_sealed_free(sealed);
}

static void sealing_remembers_no_server(const char *directory) {
    char file[4096];
    nomyo_config *config = nomyo_config_new();
    snprintf(file, sizeof file, "%s/known_servers", directory);
    if (nomyo_config_set_known_servers(config, file, NULL) != NOMYO_OK) give_up("no known servers");
    nomyo_client *client = client_of(config);
    nomyo_sealed_free(seal(client, REQUEST));
    holds(access(file, F_OK) != 0, "nomyo_seal() remembers no server");
    FILE *out = fopen(file, "w");
    if (!out) give_up("no file");
    fprintf(out, "https://api.nomyo.ai %064d\n", 0);
    fclose(out);
    nomyo_sealed *sealed = NULL;
    struct response key = your_http("GET", "/pki/public_key", NULL, NULL, 0);
    int32_t status = nomyo_seal(client, key.body, key.len, (const uint8_t *)REQUEST, strlen(REQUEST), NULL, &sealed, NULL);
    holds(status == NOMYO_ERR_PIN, "nomyo_seal() compares with the line of the base URL");
    free(key.body);
    nomyo_client_free(client);
}

static void the_policy_withholds_the_answer(void) {
    nomyo_attestation_policy *policy = nomyo_attestation_policy_new();
    nomyo_config *config = nomyo_config_new();
    if (nomyo_attestation_policy_require(policy, NOMYO_ATTESTATION_CONSISTENT, NULL) != NOMYO_OK ||
        nomyo_config_set_attestation(config, policy, NULL) != NOMYO_OK)
        give_up("no policy");
    nomyo_client *client = client_of(config);
    nomyo_sealed *sealed = seal(client, REQUEST);
    struct response package = sent(sealed);
    nomyo_response *answer = NULL;
    int32_t status = nomyo_open(client, sealed, package.body, package.len, &answer, NULL);
    holds(package.status == 200 && status == NOMYO_ERR_ATTESTATION && !answer, "nomyo_open() applies the attestation policy");
    free(package.body);
    nomyo_sealed_free(sealed);
    nomyo_client_free(client);
    nomyo_attestation_policy_free(policy);
}

static void an_answer_outlives_its_client_and_its_request(void) {
    nomyo_client *client = client_of(nomyo_config_new());
    nomyo_sealed *sealed = seal(client, REQUEST);
    struct response package = sent(sealed);
    nomyo_response *answer = NULL;
    if (nomyo_open(client, sealed, package.body, package.len, &answer, NULL) != NOMYO_OK) give_up("no answer");
    nomyo_sealed_free(sealed);
    nomyo_client_free(client);
    free(package.body);
    holds(strcmp(nomyo_response_content(answer, 0, NULL), "Hello") == 0, "an answer outlives its client and its sealed request");
    nomyo_response_free(answer);
}

int main(int argc, char **argv) {
    if (argc != 2) give_up("usage: loops_promises DIRECTORY");
    nomyo_client *client = client_of(nomyo_config_new());
    the_headers_are_the_ones_of_the_table(client);
    the_api_key_is_the_callers_to_send(client);
    nomyo_client_free(client);
    sealing_remembers_no_server(argv[1]);
    the_policy_withholds_the_answer();
    an_answer_outlives_its_client_and_its_request();
    holds(pair_is_replaced_with_rotation(1), "nomyo_seal() replaces a pair that is due");
    holds(!pair_is_replaced_with_rotation(0), "without rotation nomyo_seal() keeps the pair");
    return EXIT_SUCCESS;
}
