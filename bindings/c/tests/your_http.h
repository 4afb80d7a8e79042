/* The HTTP stack of a caller, for the pieces of EVENT_LOOPS.md: one request on a connection of its own, without TLS, to
 * NOMYO_TEST_PLAIN_BASE_URL. The API key is NOMYO_API_KEY. */
#ifndef YOUR_HTTP_H
#define YOUR_HTTP_H

#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <nomyo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct response {
    int status;
    uint8_t *body;
    size_t len;
};

static void give_up(const char *why) {
    fprintf(stderr, "%s\n", why);
    exit(EXIT_FAILURE);
}

static int connected(void) {
    const char *url = getenv("NOMYO_TEST_PLAIN_BASE_URL");
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int port = 0, fd = socket(AF_INET, SOCK_STREAM, 0);
    if (!url || sscanf(url, "http://127.0.0.1:%d", &port) != 1) give_up("NOMYO_TEST_PLAIN_BASE_URL is not http://127.0.0.1:PORT");
    address.sin_port = htons((uint16_t)port);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) give_up("no connection");
    return fd;
}

static void send_all(int fd, const void *data, size_t len) {
    for (size_t sent = 0; sent < len;) {
        ssize_t n = send(fd, (const char *)data + sent, len - sent, MSG_NOSIGNAL);
        if (n <= 0) give_up("the server does not read");
        sent += (size_t)n;
    }
}

/* Exactly the headers that EVENT_LOOPS.md says. Adds Authorization to a POST. */
static struct response your_http(const char *method, const char *path, const char *headers, const uint8_t *body, size_t len) {
    char head[8192], *in = NULL;
    const char *key = strcmp(method, "POST") == 0 ? getenv("NOMYO_API_KEY") : NULL;
    size_t in_len = 0;
    cJSON *object = headers ? cJSON_Parse(headers) : NULL, *header;
    char *p = head, *limit = head + sizeof head;
    p += snprintf(p, (size_t)(limit - p), "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n", method, path);
    cJSON_ArrayForEach(header, object)
        p += snprintf(p, (size_t)(limit - p), "%s: %s\r\n", header->string, header->valuestring);
    cJSON_Delete(object);
    if (strcmp(method, "POST") == 0) p += snprintf(p, (size_t)(limit - p), "Content-Length: %zu\r\n", len);
    if (key) p += snprintf(p, (size_t)(limit - p), "Authorization: Bearer %s\r\n", key);
    p += snprintf(p, (size_t)(limit - p), "\r\n");
    int fd = connected();
    send_all(fd, head, (size_t)(p - head));
    send_all(fd, body, len);
    for (ssize_t n = 1; n > 0; in_len += n > 0 ? (size_t)n : 0) {
        in = realloc(in, in_len + 65536 + 1);
        if (!in) give_up("no memory");
        n = read(fd, in + in_len, 65536);
    }
    close(fd);
    in[in_len] = '\0';
    char *end = strstr(in, "\r\n\r\n");
    if (strncmp(in, "HTTP/1.1 ", 9) != 0 || !end) give_up("no response");
    struct response response = {atoi(in + 9), malloc(in_len + 1), in_len - (size_t)(end + 4 - in)};
    if (!response.body) give_up("no memory");
    memcpy(response.body, end + 4, response.len);
    free(in);
    return response;
}

/* The steps of the page up to nomyo_seal(). */
static nomyo_sealed *seal(const nomyo_client *client, const char *json) {
    nomyo_error *err = NULL;
    nomyo_sealed *sealed = NULL;
    struct response key = your_http("GET", "/pki/public_key", NULL, NULL, 0);
    if (nomyo_seal(client, key.body, key.len, (const uint8_t *)json, strlen(json), NULL, &sealed, &err) != NOMYO_OK)
        give_up(nomyo_error_message(err));
    free(key.body);
    return sealed;
}

#endif
