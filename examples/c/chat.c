/* Sends a prompt from standard input, encrypted end to end, and prints the answer.
 *
 *     echo "Hello" | chat [--url URL] [--ca FILE] [--tier TIER] [--model MODEL]
 *
 * The API key is read from NOMYO_API_KEY. */
#include <nomyo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROMPT_MAX = 64 * 1024 };

/* Writes `text` as a JSON string; returns the end of what was written. Six bytes for each of `text` are enough. */
static char *json_string(char *out, const char *text) {
    *out++ = '"';
    for (; *text != '\0'; text++)
        out += sprintf(out, (unsigned char)*text < ' ' || strchr("\"\\", *text) ? "\\u%04x" : "%c", (unsigned char)*text);
    *out++ = '"';
    return out;
}

int main(int argc, char **argv) {
    const char *url = NULL, *ca = NULL, *tier = NULL, *model = "Qwen/Qwen3-0.6B", *text;
    nomyo_config *config = nomyo_config_new();
    nomyo_request *options = nomyo_request_new();
    nomyo_client *client = NULL;
    nomyo_response *answer = NULL;
    nomyo_error *err = NULL;
    char *prompt = calloc(PROMPT_MAX + 1, 1), *json = malloc(6 * PROMPT_MAX + 1024), *end = json;
    size_t len = 0, used = 0;

    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--url") == 0) url = argv[i + 1];
        else if (strcmp(argv[i], "--ca") == 0) ca = argv[i + 1];
        else if (strcmp(argv[i], "--tier") == 0) tier = argv[i + 1];
        else if (strcmp(argv[i], "--model") == 0 && strlen(argv[i + 1]) < 128) model = argv[i + 1];
    }
    if (config == NULL || options == NULL || prompt == NULL || json == NULL) return EXIT_FAILURE;
    used = fread(prompt, 1, PROMPT_MAX, stdin);
    prompt[used] = '\0';
    end += sprintf(end, "{\"model\":");
    end = json_string(end, model);
    end += sprintf(end, ",\"messages\":[{\"role\":\"user\",\"content\":");
    end = json_string(end, prompt);
    end += sprintf(end, "}]}");

    if (nomyo_config_load_env(config, &err) == NOMYO_OK &&
        (url == NULL || nomyo_config_set_base_url(config, url, &err) == NOMYO_OK) &&
        (ca == NULL || nomyo_config_set_ca_file(config, ca, &err) == NOMYO_OK) &&
        (tier == NULL || nomyo_request_set_security_tier(options, tier, &err) == NOMYO_OK) &&
        nomyo_client_new(config, &client, &err) == NOMYO_OK &&
        nomyo_create(client, (const uint8_t *)json, (size_t)(end - json), options, &answer, &err) == NOMYO_OK) {
        nomyo_memory_info memory;
        nomyo_memory_info_get(&memory, sizeof memory);
        text = nomyo_response_content(answer, 0, &len);
        printf("reply:      %.*s\n", (int)len, text ? text : "");
        text = nomyo_response_pointer(answer, "/_metadata/security_tier", NULL);
        printf("tier:       %s\n", text ? text : "not said");
        text = nomyo_response_pointer(answer, "/_metadata/encryption_algorithm", NULL);
        printf("protection: %s on the wire; in memory here: %s\n", text ? text : "?",
               memory.level == NOMYO_MEMORY_LEVEL_FULL      ? "locked, undumpable, wiped"
               : memory.level == NOMYO_MEMORY_LEVEL_PARTIAL ? "locked in part, wiped"
                                                            : "wiped, not locked");
    } else {
        fprintf(stderr, "%s: %s\n", nomyo_status_name(nomyo_error_status(err)), nomyo_error_message(err));
    }
    int failed = err != NULL;
    if (prompt) memset(prompt, 0, PROMPT_MAX);
    nomyo_response_free(answer); /* wipes the answer; every _free accepts NULL */
    nomyo_error_free(err);
    nomyo_client_free(client); /* wipes the keys */
    nomyo_request_free(options);
    nomyo_config_free(config);
    free(json);
    free(prompt);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
