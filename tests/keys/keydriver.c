/*
 * One client, and what is done with its keys, step by step, for the tests beside this file.
 *
 *     keydriver [NAME=VALUE]... STEP...
 *
 * The settings: url, ca, proxy, key (of the API), dir, password, rotation (ms), pin and tlspin (any number), known, ttl
 * (of the server's key, in ms), timeout (ms), group=1 (key_group_read), env=1 (from the environment). `-` is NULL for a
 * path, and none for a password. `hex:` is before a password whose bytes are written in hexadecimal. The steps:
 *
 *     public                  the public key
 *     server                  the server's fingerprint
 *     chain                   the certificates of the server, as JSON
 *     chat TEXT               the answer's text
 *     ask TEXT REPLY          the answer's text, which the endpoint is told to be REPLY
 *     warm                    nomyo_client_warm_up()
 *     generate DIR PASSWORD
 *     save DIR PASSWORD
 *     save-each BASE          saves into BASE/0, BASE/1, ..., without an end
 *     load PRIVATE PUBLIC PASSWORD
 *     rotate
 *     rotate-forever
 *     starts MS               loads the pair with one new client after the other for that time; how many did
 *     seal SERVER_PEM TEXT    seals a request for the key in the file, and sends nothing
 *     chdir DIR               changes the current directory
 *     pause                   says so, and waits for a line
 *
 * Each step prints one line: its name, the status, and what it returned (line breaks as `|`) or the error's sentence. A
 * failed step does not keep the later ones from being done; the exit status is the last failure, 0 when there was none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nomyo.h"

static int32_t last_failure;

/* Prints a step's line and frees its error, which must be there exactly when the step failed. */
static int report(const char *step, int32_t status, const char *text, nomyo_error *err) {
    if ((status != NOMYO_OK) != (err != NULL) || (err != NULL && nomyo_error_status(err) != status)) {
        fprintf(stderr, "%s: the error is not that of the status %d\n", step, (int)status);
        exit(100);
    }
    printf("%s %s ", step, nomyo_status_name(status));
    for (const char *c = err != NULL ? nomyo_error_message(err) : text != NULL ? text : ""; *c != '\0'; c++) {
        putchar(*c == '\n' ? '|' : *c);
    }
    putchar('\n');
    fflush(stdout);
    nomyo_error_free(err);
    last_failure = status != NOMYO_OK ? status : last_failure;
    return status == NOMYO_OK;
}

static const char *given(const char *argument) {
    return strcmp(argument, "-") == 0 ? NULL : argument;
}

static int is_hex(const char *argument) {
    return strncmp(argument, "hex:", 4) == 0;
}

static size_t length(const char *argument) {
    if (is_hex(argument)) return strlen(argument + 4) / 2;
    return given(argument) != NULL ? strlen(argument) : 0;
}

static const uint8_t *bytes(const char *argument) {
    static uint8_t decoded[1024];
    if (!is_hex(argument)) return (const uint8_t *)given(argument);
    for (size_t i = 0; i < length(argument) && i < sizeof decoded; i++) {
        unsigned byte = 0;
        sscanf(argument + 4 + 2 * i, "%2x", &byte);
        decoded[i] = (uint8_t)byte;
    }
    return decoded;
}

static int32_t set(nomyo_config *config, const char *name, const char *value, nomyo_error **err) {
    if (strcmp(name, "url") == 0) {
        int32_t status = nomyo_config_set_allow_http(config, strncmp(value, "http:", 5) == 0, err);
        return status != NOMYO_OK ? status : nomyo_config_set_base_url(config, value, err);
    }
    if (strcmp(name, "ca") == 0) return nomyo_config_set_ca_file(config, value, err);
    if (strcmp(name, "proxy") == 0) return nomyo_config_set_proxy(config, value, err);
    if (strcmp(name, "key") == 0) return nomyo_config_set_api_key(config, bytes(value), length(value), err);
    if (strcmp(name, "tlspin") == 0) return nomyo_config_add_tls_pin(config, value, err);
    if (strcmp(name, "dir") == 0) return nomyo_config_set_key_dir(config, value, err);
    if (strcmp(name, "password") == 0) return nomyo_config_set_key_password(config, bytes(value), length(value), err);
    if (strcmp(name, "rotation") == 0) return nomyo_config_set_key_rotation_ms(config, strtoull(value, NULL, 10), err);
    if (strcmp(name, "pin") == 0) return nomyo_config_add_server_key_pin(config, value, err);
    if (strcmp(name, "known") == 0) return nomyo_config_set_known_servers(config, value, err);
    if (strcmp(name, "ttl") == 0) return nomyo_config_set_server_key_ttl_ms(config, strtoull(value, NULL, 10), err);
    if (strcmp(name, "timeout") == 0) return nomyo_config_set_timeout_ms(config, strtoull(value, NULL, 10), err);
    if (strcmp(name, "group") == 0) return nomyo_config_set_key_group_read(config, strcmp(value, "1") == 0, err);
    if (strcmp(name, "env") == 0) return nomyo_config_load_env(config, err);
    fprintf(stderr, "no such setting: %s\n", name);
    exit(100);
}

static void show_text(const char *step, int32_t status, nomyo_text *text, nomyo_error *err) {
    size_t len = 0;
    const char *data = nomyo_text_data(text, &len);
    if (status == NOMYO_OK && (data == NULL || strlen(data) != len)) {
        fprintf(stderr, "%s: the text's length is not its length\n", step);
        exit(100);
    }
    report(step, status, data, err);
    nomyo_text_free(text);
}

static void public_key(const nomyo_client *client) {
    nomyo_error *err = NULL;
    nomyo_text *pem = NULL;
    int32_t status = nomyo_client_public_key(client, &pem, &err);
    show_text("public", status, pem, err);
}

static void server_key(const nomyo_client *client) {
    nomyo_error *err = NULL;
    nomyo_text *pem = NULL, *sha256 = NULL;
    int32_t status = nomyo_client_server_key(client, &pem, &sha256, &err);
    show_text("server", status, sha256, err);
    nomyo_text_free(pem);
}

static void tls_chain(const nomyo_client *client) {
    nomyo_error *err = NULL;
    nomyo_text *chain = NULL;
    int32_t status = nomyo_client_tls_chain(client, &chain, &err);
    show_text("chain", status, chain, err);
}

/* Without a reply the endpoint says what it was told. */
static void chat(const nomyo_client *client, const char *text, const char *reply) {
    char json[4096], test[1024] = "";
    nomyo_error *err = NULL;
    nomyo_response *answer = NULL;
    if (reply != NULL) snprintf(test, sizeof test, ",\"nomyo_test\":{\"reply\":\"%s\"}", reply);
    int n = snprintf(json, sizeof json, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]%s}",
                     text, test);
    int32_t status = nomyo_create(client, (const uint8_t *)json, (size_t)n, NULL, &answer, &err);
    report("chat", status, nomyo_response_content(answer, 0, NULL), err);
    nomyo_response_free(answer);
}

static void seal(const nomyo_client *client, const char *path, const char *text) {
    char json[4096];
    uint8_t pem[4096];
    FILE *file = fopen(path, "rb");
    if (file == NULL) exit(100);
    size_t len = fread(pem, 1, sizeof pem, file);
    fclose(file);
    nomyo_error *err = NULL;
    nomyo_sealed *sealed = NULL;
    int n = snprintf(json, sizeof json, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]}", text);
    int32_t status = nomyo_seal(client, pem, len, (const uint8_t *)json, (size_t)n, NULL, &sealed, &err);
    report("seal", status, NULL, err);
    nomyo_sealed_free(sealed);
}

/* Makes `wanted` clients, one after the other. Ends early at the first failure. */
static void starts(const nomyo_config *config, const char *wanted) {
    nomyo_error *err = NULL;
    int32_t status = NOMYO_OK;
    char count[32];
    int done = 0;
    while (status == NOMYO_OK && done < atoi(wanted)) {
        nomyo_client *client = NULL;
        nomyo_text *pem = NULL;
        status = nomyo_client_new(config, &client, &err);
        if (status == NOMYO_OK) status = nomyo_client_public_key(client, &pem, &err);
        done += status == NOMYO_OK;
        nomyo_text_free(pem);
        nomyo_client_free(client);
    }
    snprintf(count, sizeof count, "%d", done);
    report("starts", status, count, err);
}

/* Does the step at `argv` and returns how many words it took. */
static int step(const nomyo_config *config, const nomyo_client *client, char **argv, int words) {
    const char *name = argv[0];
    nomyo_error *err = NULL;
    char line[16];
    if (strcmp(name, "public") == 0) {
        public_key(client);
    } else if (strcmp(name, "server") == 0) {
        server_key(client);
    } else if (strcmp(name, "warm") == 0) {
        int32_t status = nomyo_client_warm_up(client, &err);
        report(name, status, NULL, err);
    } else if (strcmp(name, "rotate") == 0) {
        int32_t status = nomyo_client_rotate_keys(client, &err);
        report(name, status, NULL, err);
    } else if (strcmp(name, "rotate-forever") == 0) {
        while (nomyo_client_rotate_keys(client, &err) == NOMYO_OK) {
        }
        report(name, nomyo_error_status(err), NULL, err);
    } else if (strcmp(name, "starts") == 0 && words > 1) {
        starts(config, argv[1]);
        return 2;
    } else if (strcmp(name, "seal") == 0 && words > 2) {
        seal(client, argv[1], argv[2]);
        return 3;
    } else if (strcmp(name, "chdir") == 0 && words > 1) {
        if (chdir(argv[1]) != 0) exit(100);
        report(name, NOMYO_OK, NULL, NULL);
        return 2;
    } else if (strcmp(name, "pause") == 0) {
        report(name, NOMYO_OK, NULL, NULL);
        if (fgets(line, sizeof line, stdin) == NULL) exit(100);
    } else if (strcmp(name, "chat") == 0 && words > 1) {
        chat(client, argv[1], NULL);
        return 2;
    } else if (strcmp(name, "ask") == 0 && words > 2) {
        chat(client, argv[1], argv[2]);
        return 3;
    } else if (strcmp(name, "chain") == 0) {
        tls_chain(client);
    } else if (strcmp(name, "generate") == 0 && words > 2) {
        int32_t status = nomyo_client_generate_keys(client, given(argv[1]), bytes(argv[2]), length(argv[2]), &err);
        report(name, status, NULL, err);
        return 3;
    } else if (strcmp(name, "save") == 0 && words > 2) {
        int32_t status = nomyo_client_save_keys(client, given(argv[1]), bytes(argv[2]), length(argv[2]), &err);
        report(name, status, NULL, err);
        return 3;
    } else if (strcmp(name, "save-each") == 0 && words > 1) {
        int32_t status = NOMYO_OK;
        for (int i = 0; status == NOMYO_OK; i++) {
            char directory[4096];
            snprintf(directory, sizeof directory, "%s/%d", argv[1], i);
            status = nomyo_client_save_keys(client, directory, NULL, 0, &err);
        }
        report(name, status, NULL, err);
        return 2;
    } else if (strcmp(name, "load") == 0 && words > 3) {
        int32_t status =
            nomyo_client_load_keys(client, argv[1], given(argv[2]), bytes(argv[3]), length(argv[3]), &err);
        report(name, status, NULL, err);
        return 4;
    } else {
        fprintf(stderr, "no such step, or too few arguments: %s\n", name);
        exit(100);
    }
    return 1;
}

int main(int argc, char **argv) {
    nomyo_config *config = nomyo_config_new();
    nomyo_client *client = NULL;
    nomyo_error *err = NULL;
    int at = 1, fine = 1;
    for (char *equals; fine && at < argc && (equals = strchr(argv[at], '=')) != NULL; at++) {
        *equals = '\0';
        int32_t status = set(config, argv[at], equals + 1, &err);
        fine = status == NOMYO_OK || report(argv[at], status, NULL, err);
    }
    if (fine) {
        int32_t status = nomyo_client_new(config, &client, &err);
        fine = status == NOMYO_OK || report("client", status, NULL, err);
    }
    while (fine && at < argc) {
        at += step(config, client, argv + at, argc - at);
    }
    nomyo_client_free(client);
    nomyo_config_free(config);
    return last_failure;
}
