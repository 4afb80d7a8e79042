/*
 * Seals, opens and reads one message of each size under callgrind, which counts the instructions of each operation.
 *
 *     valgrind --tool=callgrind --instr-atstart=no operations ROUNDS
 *
 * Callgrind counts between BEGIN and END only, so that loading the key pair, which is a fixture, is not counted. END writes a
 * dump of callgrind that has the operation's name; compare.py reads the dumps. A message is sealed for the client's own key, so
 * that the package is an answer that the client can open.
 */
#include <valgrind/callgrind.h>

#include "scratch.h"

/* Text as a model writes it: a line has two escaped quotes and an escaped line end. */
static const char LINE[] = "Is the capital of France \\\"Paris, the city of light\\\"? It is so.\\n";
static const char HEAD[] = "{\"model\":\"m\",\"messages\":[],\"choices\":[{\"index\":0,\"message\":{\"content\":\"";
static const char TAIL[] = "\"}}]}";
enum { LINE_LEN = sizeof LINE - 1, HEAD_LEN = sizeof HEAD - 1 };

#define BEGIN()                         \
    do {                                \
        CALLGRIND_START_INSTRUMENTATION; \
        CALLGRIND_ZERO_STATS;           \
    } while (0)

#define END(name)                       \
    do {                                \
        CALLGRIND_DUMP_STATS_AT(name);  \
        CALLGRIND_STOP_INSTRUMENTATION; \
    } while (0)

static const struct {
    size_t bytes;
    const char *seal, *open, *content;
} sizes[] = {
    {1024, "seal 1-KiB", "open 1-KiB", "content 1-KiB"},
    {1024 * 1024, "seal 1-MiB", "open 1-MiB", "content 1-MiB"},
};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* A request whose `content` takes `bytes` bytes of JSON. The caller frees it. */
static char *message(size_t bytes) {
    char *json = malloc(HEAD_LEN + bytes + sizeof TAIL), *at = json + HEAD_LEN, *end = at + bytes;
    if (json == NULL) exit(EXIT_FAILURE);
    memcpy(json, HEAD, HEAD_LEN);
    for (; end - at >= LINE_LEN; at += LINE_LEN) memcpy(at, LINE, LINE_LEN);
    memset(at, 'x', (size_t)(end - at));
    memcpy(end, TAIL, sizeof TAIL);
    return json;
}

static void count(const nomyo_client *client, const uint8_t *pem, size_t pem_len, int size) {
    char *json = message(sizes[size].bytes);
    size_t json_len = strlen(json), body_len = 0, len = 0;
    nomyo_sealed *sealed = NULL;
    nomyo_response *answer = NULL;

    BEGIN();
    int32_t status = nomyo_seal(client, pem, pem_len, (const uint8_t *)json, json_len, NULL, &sealed, NULL);
    END(sizes[size].seal);
    CHECK_INT(status, NOMYO_OK);

    const uint8_t *body = nomyo_sealed_body(sealed, &body_len);
    BEGIN();
    status = nomyo_open(client, sealed, body, body_len, &answer, NULL);
    END(sizes[size].open);
    CHECK_INT(status, NOMYO_OK);

    BEGIN();
    const char *content = nomyo_response_content(answer, 0, &len);
    END(sizes[size].content);
    CHECK(content != NULL && len > sizes[size].bytes / 10 * 9);

    nomyo_response_free(answer);
    nomyo_sealed_free(sealed);
    free(json);
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 1;
    size_t private_len = 0, pem_len = 0;
    char *private = fixture_text("keys/client_private.pem", &private_len);
    nomyo_client *client = NULL;
    nomyo_text *public = NULL;
    nomyo_error *err = NULL;
    CHECK_OK(nomyo_client_new(NULL, &client, &err), &err);
    CHECK_OK(nomyo_client_load_keys_pem(client, (uint8_t *)private, private_len, NULL, 0, NULL, 0, &err), &err);
    CHECK_OK(nomyo_client_public_key(client, &public, &err), &err);
    const uint8_t *pem = (const uint8_t *)nomyo_text_data(public, &pem_len);
    for (int round = 0; round < rounds; round++) {
        for (int size = 0; size < SIZES; size++) count(client, pem, pem_len, size);
    }
    nomyo_text_free(public);
    nomyo_client_free(client);
    free(private);
    return check_summary("operations");
}
