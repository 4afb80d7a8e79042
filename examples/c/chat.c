/* Sends a prompt from standard input, encrypted end to end, and prints the answer.
 *
 *     echo "Hello" | chat [--url URL] [--ca FILE] [--tier TIER] [--model MODEL]
 *
 * The API key is read from NOMYO_API_KEY. The prompt is kept in memory that is excluded from core dumps and forked children,
 * and from swap if the system allows locking. */
#include <nomyo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PROMPT_MAX = 64 * 1024 };

/* Appends `text` to `out`, escaped for a JSON string: at most six bytes for each byte. */
static char *escaped(char *out, const char *text, size_t len) {
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        out += sprintf(out, c < ' ' || c == '"' || c == '\\' ? "\\u%04x" : "%c", c);
    }
    return out;
}

/* Reads all of standard input, or fails: a part of it is not the prompt. stdio would keep a copy, so read() is used. */
static int read_prompt(char *prompt, size_t *len) {
    ssize_t got = 1;
    while (*len < PROMPT_MAX && (got = read(STDIN_FILENO, prompt + *len, PROMPT_MAX - *len)) > 0) *len += (size_t)got;
    if (got < 0) perror("the prompt cannot be read");
    else if (got > 0) fprintf(stderr, "the prompt is too long\n");
    return got == 0;
}

static size_t write_request(char *json, const char *model, const char *prompt, size_t len) {
    char *end = escaped(json + sprintf(json, "{\"model\":\""), model, strlen(model));
    end = escaped(end + sprintf(end, "\",\"messages\":[{\"role\":\"user\",\"content\":\""), prompt, len);
    return (size_t)(end + sprintf(end, "\"}]}") - json);
}

int main(int argc, char **argv) {
    const char *url = NULL, *ca = NULL, *tier = NULL, *model = "Qwen/Qwen3-0.6B", *text;
    nomyo_config *config = nomyo_config_new();
    nomyo_call_options *options = nomyo_call_options_new();
    nomyo_client *client = NULL;
    nomyo_response *answer = NULL;
    nomyo_error *err = NULL;
    char *prompt = nomyo_secret_alloc(PROMPT_MAX, &err);
    char *json = prompt ? nomyo_secret_alloc(6 * PROMPT_MAX + 1024, &err) : NULL;
    size_t len = 0;

    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--url") == 0) url = argv[i + 1];
        else if (strcmp(argv[i], "--ca") == 0) ca = argv[i + 1];
        else if (strcmp(argv[i], "--tier") == 0) tier = argv[i + 1];
        else if (strcmp(argv[i], "--model") == 0 && strlen(argv[i + 1]) < 128) model = argv[i + 1];
    }
    int done = json && read_prompt(prompt, &len) && nomyo_config_load_env(config, &err) == NOMYO_OK &&
               (!url || nomyo_config_set_base_url(config, url, &err) == NOMYO_OK) &&
               (!ca || nomyo_config_set_ca_file(config, ca, &err) == NOMYO_OK) &&
               (!tier || nomyo_call_options_set_security_tier(options, tier, &err) == NOMYO_OK) &&
               nomyo_client_new(config, &client, &err) == NOMYO_OK &&
               nomyo_create(client, (uint8_t *)json, write_request(json, model, prompt, len), options, &answer, &err) ==
                   NOMYO_OK;
    if (done) {
        nomyo_memory_info memory;
        nomyo_attestation quote;
        nomyo_memory_info_get(&memory, sizeof memory);
        text = nomyo_response_content(answer, 0, &len);
        printf("reply:      %.*s\n", (int)len, text ? text : "");
        text = nomyo_response_pointer(answer, "/_metadata/security_tier", NULL);
        printf("tier:       %s\n", text ? text : "not said");
        text = nomyo_response_pointer(answer, "/_metadata/encryption_algorithm", NULL);
        printf("protection: %s on the wire; in memory here: %s\n", text ? text : "?",
               memory.level == NOMYO_MEMORY_LEVEL_FULL        ? "locked, undumpable, wiped"
               : memory.level == NOMYO_MEMORY_LEVEL_WIPE_ONLY ? "wiped, not locked (raise ulimit -l)"
               : memory.refused == 0                          ? "locked, wiped, but in core dumps"
                                                              : "locked in part, wiped (raise ulimit -l)");
        nomyo_response_attestation(answer, &quote, sizeof quote);
        printf("attestation: %s: %s\n", nomyo_attestation_level_name(quote.level),
               nomyo_attestation_level_meaning(quote.level));
    } else if (err) {
        fprintf(stderr, "%s: %s\n", nomyo_status_name(nomyo_error_status(err)), nomyo_error_message(err));
    }
    nomyo_response_free(answer); /* wipes the answer; every _free accepts NULL */
    nomyo_error_free(err);
    nomyo_client_free(client); /* wipes the keys */
    nomyo_call_options_free(options);
    nomyo_config_free(config);
    nomyo_secret_free(json); /* wipes */
    nomyo_secret_free(prompt);
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
