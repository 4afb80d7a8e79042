/*
 * The crypto core alone: what nomyo_seal() gives to an HTTP stack, and what nomyo_open() refuses from one.
 */
#include "scratch.h"

#define REQUEST "{\"model\":\"m\",\"messages\":[]}"
#define BYTES(text) ((const uint8_t *)(text)), (sizeof(text) - 1)

static uint8_t *fixture(const char *name, size_t *len) {
    return (uint8_t *)fixture_text(name, len);
}

static void body_and_headers(const nomyo_client *client, const uint8_t *pem, size_t pem_len) {
    nomyo_call_options *options = nomyo_call_options_new();
    nomyo_sealed *sealed = NULL;
    nomyo_error *err = SENTINEL;
    size_t len = 0;
    CHECK_INT(nomyo_call_options_set_security_tier(options, "high", NULL), NOMYO_OK);
    CHECK_INT(nomyo_call_options_set_api_key(options, BYTES("never-in-headers"), NULL), NOMYO_OK);
    CHECK_INT(nomyo_seal(client, pem, pem_len, BYTES(REQUEST), options, &sealed, &err), NOMYO_OK);
    CHECK(err == SENTINEL);
    nomyo_call_options_free(options);

    const char *headers = nomyo_sealed_headers(sealed, &len);
    CHECK(headers != NULL && strlen(headers) == len && headers[0] == '{' && headers[len - 1] == '}');
    CHECK_HAS(headers, "\"X-Payload-ID\":\"");
    CHECK_HAS(headers, "\"X-Public-Key\":\"-----BEGIN%20PUBLIC%20KEY-----%0A");
    CHECK_HAS(headers, "\"X-Security-Tier\":\"high\"");
    CHECK_HAS(headers, "\"Content-Type\":\"application/octet-stream\"");
    CHECK(strstr(headers, "never-in-headers") == NULL && strstr(headers, "Authorization") == NULL);
    CHECK(nomyo_sealed_headers(sealed, NULL) == headers);

    const uint8_t *body = nomyo_sealed_body(sealed, &len);
    char *text = calloc(1, len + 1);
    memcpy(text, body, len);
    CHECK(len > 700 && strlen(text) == len && text[0] == '{' && text[len - 1] == '}');
    CHECK_HAS(text, "\"encrypted_aes_key\":\"");
    CHECK_HAS(text, "\"encrypted_payload\":{");
    CHECK_HAS(text, "\"ciphertext\":\"");
    CHECK_HAS(text, "\"hybrid-aes256-rsa4096\"");
    CHECK(strstr(text, "messages") == NULL);
    CHECK(nomyo_sealed_body(sealed, NULL) == body);
    free(text);
    nomyo_sealed_free(sealed);
}

/* Nothing repeats between two requests but the client's key. */
static void two_requests_differ(const nomyo_client *client, const uint8_t *pem, size_t pem_len) {
    nomyo_sealed *a = NULL, *b = NULL;
    size_t a_len = 0, b_len = 0;
    CHECK_INT(nomyo_seal(client, pem, pem_len, BYTES(REQUEST), NULL, &a, NULL), NOMYO_OK);
    CHECK_INT(nomyo_seal(client, pem, pem_len, BYTES(REQUEST), NULL, &b, NULL), NOMYO_OK);
    const uint8_t *a_body = nomyo_sealed_body(a, &a_len), *b_body = nomyo_sealed_body(b, &b_len);
    CHECK(a_len == b_len && memcmp(a_body, b_body, a_len) != 0);
    CHECK(strcmp(nomyo_sealed_headers(a, NULL), nomyo_sealed_headers(b, NULL)) != 0);
    CHECK(strstr(nomyo_sealed_headers(a, NULL), "X-Security-Tier") == NULL);
    nomyo_sealed_free(a);
    nomyo_sealed_free(b);
}

static void keys_that_are_refused(const nomyo_client *client) {
    static const struct {
        const char *name, *part;
    } cases[] = {
        {"keys/client2048_public.pem", "2048 bits"}, {"keys/client1024_public.pem", "1024 bits"},
        {"keys/server_private.pem", "private key"}, {"keys/ec_private.pem", "private key"},
        {"manifest.json", "not PEM"},
    };
    nomyo_sealed *sealed = SENTINEL;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t len = 0;
        uint8_t *pem = fixture(cases[i].name, &len);
        REFUSED(NOMYO_ERR_PROTOCOL, cases[i].part, nomyo_seal, client, pem, len, BYTES(REQUEST), NULL, &sealed);
        free(pem);
    }
    CHECK(sealed == SENTINEL);
}

/* The file of known servers is compared with, and not written. */
static void only_the_remembered_key_is_sealed_for(const uint8_t *pem, size_t pem_len) {
    struct scratch scratch = scratch_new();
    const char *known = scratch_path(&scratch, "known");
    const char other[] = "https://api.nomyo.ai 0000000000000000000000000000000000000000000000000000000000000000\n";
    nomyo_config *config = nomyo_config_new();
    nomyo_client *client = NULL;
    nomyo_sealed *sealed = NULL;
    nomyo_error *err = NULL;
    CHECK_INT(nomyo_config_set_known_servers(config, known, NULL), NOMYO_OK);
    CHECK_INT(nomyo_client_new(config, &client, NULL), NOMYO_OK);
    CHECK_OK(nomyo_seal(client, pem, pem_len, BYTES(REQUEST), NULL, &sealed, &err), &err);
    CHECK(access(known, F_OK) != 0);
    nomyo_sealed_free(sealed);
    sealed = SENTINEL;
    write_private(known, other, sizeof other - 1);
    REFUSED(NOMYO_ERR_PIN, "not the one remembered", nomyo_seal, client, pem, pem_len, BYTES(REQUEST), NULL, &sealed);
    CHECK(sealed == SENTINEL);
    nomyo_client_free(client);
    nomyo_config_free(config);
    scratch_remove(&scratch);
}

static void answers_that_are_refused(const nomyo_client *client, const uint8_t *pem, size_t pem_len) {
    nomyo_sealed *sealed = NULL;
    nomyo_response *response = SENTINEL;
    size_t len = 0;
    CHECK_INT(nomyo_seal(client, pem, pem_len, BYTES(REQUEST), NULL, &sealed, NULL), NOMYO_OK);
    REFUSED(NOMYO_ERR_ARGUMENT, "body is NULL", nomyo_open, client, sealed, NULL, 1, &response);
    REFUSED(NOMYO_ERR_ARGUMENT, "out is NULL", nomyo_open, client, sealed, BYTES("{}"), NULL);
    REFUSED(NOMYO_ERR_ARGUMENT, "client is NULL", nomyo_open, NULL, sealed, BYTES("{}"), &response);
    REFUSED(NOMYO_ERR_ARGUMENT, "length of body", nomyo_open, client, sealed, (const uint8_t *)"{}", SIZE_MAX, &response);
    REFUSED(NOMYO_ERR_PROTOCOL, "not an encrypted package", nomyo_open, client, sealed, NULL, 0, &response);
    REFUSED(NOMYO_ERR_PROTOCOL, "not an encrypted package", nomyo_open, client, sealed, BYTES("garbage"), &response);
    REFUSED(NOMYO_ERR_PROTOCOL, "not an encrypted package", nomyo_open, client, sealed, BYTES("{}"), &response);
    REFUSED(NOMYO_ERR_PROTOCOL, "not an encrypted package", nomyo_open, client, sealed, BYTES("\xff\0"), &response);
    uint8_t *other = fixture("responses/resp_01_basic_no_inner_metadata.package.json", &len);
    REFUSED(NOMYO_ERR_SECURITY, "decryption failed", nomyo_open, client, sealed, other, len, &response);
    free(other);
    size_t body_len = 0;
    const uint8_t *body = nomyo_sealed_body(sealed, &body_len);
    REFUSED(NOMYO_ERR_SECURITY, "decryption failed", nomyo_open, client, sealed, body, body_len, &response);
    CHECK(response == SENTINEL);
    nomyo_sealed_free(sealed);
}

static void ten_mebibytes_and_not_a_byte_more(const nomyo_client *client, const uint8_t *pem, size_t pem_len) {
    enum { LIMIT = 10485760 };
    nomyo_sealed *sealed = NULL;
    nomyo_error *err = NULL;
    uint8_t *json = malloc(LIMIT + 1);
    memset(json, ' ', LIMIT + 1);
    memcpy(json, REQUEST, sizeof REQUEST - 1);
    CHECK_OK(nomyo_seal(client, pem, pem_len, json, LIMIT, NULL, &sealed, &err), &err);
    nomyo_sealed_free(sealed);
    sealed = SENTINEL;
    REFUSED(NOMYO_ERR_ARGUMENT, "10485761 bytes", nomyo_seal, client, pem, pem_len, json, LIMIT + 1, NULL, &sealed);
    CHECK(sealed == SENTINEL);
    free(json);
}

/* The pair lives as long as what was sealed with it; another client may open, without a pair of its own. */
static void a_sealed_request_outlives_its_client(nomyo_client *client, const uint8_t *pem, size_t pem_len) {
    nomyo_client *other = NULL;
    nomyo_sealed *sealed = NULL;
    nomyo_response *response = SENTINEL;
    size_t len = 0;
    CHECK_INT(nomyo_seal(client, pem, pem_len, BYTES(REQUEST), NULL, &sealed, NULL), NOMYO_OK);
    const uint8_t *body = nomyo_sealed_body(sealed, &len);
    char *before = strndup((const char *)body, len), *headers = strdup(nomyo_sealed_headers(sealed, NULL));
    nomyo_client_free(client);
    CHECK(nomyo_sealed_body(sealed, &len) == body && len == strlen(before) && memcmp(body, before, len) == 0);
    CHECK_TEXT(nomyo_sealed_headers(sealed, NULL), headers);
    free(before);
    free(headers);
    CHECK_INT(nomyo_client_new(NULL, &other, NULL), NOMYO_OK);
    uint8_t *wrong = fixture("responses/resp_01_basic_no_inner_metadata.package.json", &len);
    REFUSED(NOMYO_ERR_SECURITY, "decryption failed", nomyo_open, other, sealed, wrong, len, &response);
    CHECK(response == SENTINEL);
    free(wrong);
    nomyo_sealed_free(sealed);
    nomyo_client_free(other);
}

int main(void) {
    size_t pem_len = 0;
    uint8_t *pem = fixture("keys/server_public.pem", &pem_len);
    nomyo_client *client = NULL;
    CHECK_INT(nomyo_client_new(NULL, &client, NULL), NOMYO_OK);
    body_and_headers(client, pem, pem_len);
    two_requests_differ(client, pem, pem_len);
    keys_that_are_refused(client);
    only_the_remembered_key_is_sealed_for(pem, pem_len);
    answers_that_are_refused(client, pem, pem_len);
    ten_mebibytes_and_not_a_byte_more(client, pem, pem_len);
    a_sealed_request_outlives_its_client(client, pem, pem_len);
    free(pem);
    return check_summary("sealed");
}
