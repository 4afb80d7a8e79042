/* Lets the model call a function of this program: the model asks for the document on standard input, and answers.
 *
 *     NOMYO_API_KEY=... tools [--url URL] [--ca FILE] < document
 *
 * cJSON writes and reads the JSON: cc tools.c $(pkg-config --cflags --libs nomyo libcjson) */
#include <cjson/cJSON.h>
#include <nomyo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The functions on offer, in OpenAI's form. */
static const char request_json[] =
    "{\"model\":\"Qwen/Qwen3-0.6B\","
    "\"messages\":[{\"role\":\"user\",\"content\":\"What is the document about?\"}],"
    "\"tools\":[{\"type\":\"function\",\"function\":{"
    "\"name\":\"read_document\","
    "\"description\":\"The text that the user is looking at\","
    "\"parameters\":{\"type\":\"object\",\"properties\":{}}}}]}";

enum { DOCUMENT_MAX = 64 * 1024 };
static char document[DOCUMENT_MAX];

/* Reads the whole document, or fails: the model must not mistake a part for the whole. */
static int read_document(void) {
    size_t len = fread(document, 1, DOCUMENT_MAX, stdin);
    int whole = len < DOCUMENT_MAX && !ferror(stdin) && strlen(document) == len;
    if (!whole) fprintf(stderr, "the document cannot be read: text of less than %d bytes is what we take\n", DOCUMENT_MAX);
    return whole;
}

/* The result of a call: a text, which may also tell the model that the call is wrong. Do not trust `arguments` (a JSON object,
 * as a string): the model wrote them. */
static const char *result(const cJSON *call) {
    const cJSON *name = cJSON_GetObjectItem(cJSON_GetObjectItem(call, "function"), "name");
    if (!cJSON_IsString(name) || strcmp(name->valuestring, "read_document") != 0) return "there is no such function";
    return document;
}

/* Appends the model's message and the result of each of its calls to the conversation. */
static void answer_calls(cJSON *messages, const char *message_json) {
    cJSON *message = cJSON_Parse(message_json);
    const cJSON *call;
    cJSON_AddItemToArray(messages, message);
    cJSON_ArrayForEach(call, cJSON_GetObjectItem(message, "tool_calls")) {
        cJSON *told = cJSON_CreateObject();
        cJSON_AddStringToObject(told, "role", "tool");
        cJSON_AddItemToObject(told, "tool_call_id", cJSON_Duplicate(cJSON_GetObjectItem(call, "id"), 1));
        cJSON_AddStringToObject(told, "content", result(call));
        cJSON_AddItemToArray(messages, told);
    }
}

/* Answers the model's calls until there are no more, and prints the final text. */
static int converse(const nomyo_client *client, cJSON *request, nomyo_error **err) {
    for (int turn = 0; turn < 5; turn++) {
        nomyo_response *answer = NULL;
        char *json = cJSON_PrintUnformatted(request);
        int32_t status = nomyo_create(client, (uint8_t *)json, json ? strlen(json) : 0, NULL, &answer, err);
        cJSON_free(json);
        if (status != NOMYO_OK) return 0;
        int calls = nomyo_response_tool_calls(answer, 0, NULL) != NULL, choices = nomyo_response_choices(answer) > 0;
        if (calls) {
            answer_calls(cJSON_GetObjectItem(request, "messages"),
                         nomyo_response_pointer(answer, "/choices/0/message", NULL));
        } else if (choices) {
            size_t len = 0;
            const char *text = nomyo_response_content(answer, 0, &len);
            printf("%.*s\n", (int)len, text ? text : "");
        } else {
            fprintf(stderr, "the answer has no choice\n");
        }
        nomyo_response_free(answer); /* wipes the answer */
        if (!calls) return choices;
    }
    fprintf(stderr, "the model calls functions without end\n");
    return 0;
}

int main(int argc, char **argv) {
    const char *url = NULL, *ca = NULL;
    cJSON *request = cJSON_Parse(request_json);
    nomyo_config *config = nomyo_config_new();
    nomyo_client *client = NULL;
    nomyo_error *err = NULL;

    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--url") == 0) url = argv[i + 1];
        else if (strcmp(argv[i], "--ca") == 0) ca = argv[i + 1];
    }
    int done = read_document() && nomyo_config_load_env(config, &err) == NOMYO_OK &&
               (!url || nomyo_config_set_base_url(config, url, &err) == NOMYO_OK) &&
               (!ca || nomyo_config_set_ca_file(config, ca, &err) == NOMYO_OK) &&
               nomyo_client_new(config, &client, &err) == NOMYO_OK && converse(client, request, &err);
    if (err) fprintf(stderr, "%s: %s\n", nomyo_status_name(nomyo_error_status(err)), nomyo_error_message(err));
    nomyo_error_free(err);     /* every _free accepts NULL */
    nomyo_client_free(client); /* wipes the keys */
    nomyo_config_free(config);
    cJSON_Delete(request);
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
