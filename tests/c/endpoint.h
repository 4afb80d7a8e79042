/*
 * The local endpoint that tests/with_endpoint.sh started: a client of it, requests to it, faults for it.
 */
#ifndef ENDPOINT_H
#define ENDPOINT_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

/* A variable of the test environment; without it there is nothing to test, and that is a failure. */
static inline const char *endpoint_variable(const char *name) {
    const char *value = getenv(name);
    if (value == NULL || *value == '\0') {
        fprintf(stderr, "%s is not set; run this through tests/with_endpoint.sh\n", name);
        exit(EXIT_FAILURE);
    }
    return value;
}

/* The key that the endpoint was told to require, or NULL when it requires none. */
static inline const char *endpoint_api_key(void) {
    return getenv("NOMYO_TEST_API_KEY");
}

/* A configuration for the endpoint over TLS, with its CA and its API key. */
static inline nomyo_config *endpoint_config(void) {
    nomyo_config *config = nomyo_config_new();
    const char *key = endpoint_api_key();
    nomyo_error *err = NULL;
    CHECK(config != NULL);
    CHECK_OK(nomyo_config_set_base_url(config, endpoint_variable("NOMYO_TEST_BASE_URL"), &err), &err);
    CHECK_OK(nomyo_config_set_ca_file(config, endpoint_variable("NOMYO_TEST_CA_FILE"), &err), &err);
    if (key != NULL) {
        CHECK_OK(nomyo_config_set_api_key(config, (const uint8_t *)key, strlen(key), &err), &err);
    }
    return config;
}

/* A client made from `config`, which is freed. */
static inline nomyo_client *client_of(nomyo_config *config) {
    nomyo_client *client = NULL;
    nomyo_error *err = NULL;
    CHECK_OK(nomyo_client_new(config, &client, &err), &err);
    nomyo_config_free(config);
    return client;
}

/* Sends `json`; the error is printed when the call should have succeeded. */
static inline int32_t create_text(const nomyo_client *client, const char *json, const nomyo_call_options *options,
                                  nomyo_response **out, nomyo_error **err) {
    return nomyo_create(client, (const uint8_t *)json, strlen(json), options, out, err);
}

/* The answer to `json`, or NULL after a failed check. */
static inline nomyo_response *answer_to(const nomyo_client *client, const char *json, const nomyo_call_options *options) {
    nomyo_response *response = NULL;
    nomyo_error *err = NULL;
    CHECK_OK(create_text(client, json, options, &response, &err), &err);
    return response;
}

/* Sends `json` and expects an error, which the caller frees. */
static inline nomyo_error *error_of(const nomyo_client *client, const char *json, const nomyo_call_options *options) {
    nomyo_response *response = SENTINEL;
    nomyo_error *err = NULL;
    CHECK(create_text(client, json, options, &response, &err) != NOMYO_OK);
    if (!CHECK(response == SENTINEL)) {
        nomyo_response_free(response);
    }
    return err;
}

/* A request that a string's content makes `n` bytes long. The caller frees it. */
static inline char *request_of_size(size_t n) {
    static const char head[] = "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"";
    static const char tail[] = "\"}]}";
    char *json = malloc(n + 1);
    if (json == NULL) {
        exit(EXIT_FAILURE);
    }
    memset(json, 'x', n);
    memcpy(json, head, sizeof head - 1);
    memcpy(json + n - (sizeof tail - 1), tail, sizeof tail);
    return json;
}

/* POSTs `body` to a control path over plain HTTP and returns the HTTP status, 0 when there was none. */
static inline int control(const char *path, const char *body) {
    const char *url = endpoint_variable("NOMYO_TEST_PLAIN_BASE_URL");
    const char *colon = strrchr(url, ':');
    char text[1024];
    int status = 0;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(colon ? colon + 1 : "0"))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int n = snprintf(text, sizeof text,
                     "POST %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s", path,
                     strlen(body), body);
    if (n > 0 && (size_t)n < sizeof text && connect(fd, (struct sockaddr *)&to, sizeof to) == 0 &&
        send(fd, text, (size_t)n, MSG_NOSIGNAL) == n) {
        ssize_t got = recv(fd, text, sizeof text - 1, 0);
        text[got > 0 ? got : 0] = '\0';
        sscanf(text, "HTTP/1.1 %d", &status);
    }
    close(fd);
    return status;
}

#endif
