/* Sends each line of standard input as a prompt, all at once on one thread, and prints the answers in the order of the lines.
 * The HTTP requests are this program's own: epoll, sockets that do not block, and OpenSSL. The library encrypts and decrypts.
 *
 *     NOMYO_API_KEY=... epoll [--url URL] [--ca FILE] [--pin FINGERPRINT] < prompts
 *
 * A timer of the loop counts its ticks, which shows that the loop keeps turning. bindings/c/EVENT_LOOPS.md explains the rest.
 * The program makes no retries, knows one address of the server, and gives up after ten minutes.
 *
 *     cc epoll.c $(pkg-config --cflags --libs nomyo libcjson openssl) -pthread */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <netdb.h>
#include <nomyo.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { CHATS_MAX = 64, TEXT_MAX = 64 * 1024, HEAD_MAX = 16 * 1024, ANSWER_MAX = 64 * 1024 * 1024 };
enum { PATIENCE_MS = 600 * 1000 };

/* One HTTP request and its response, on a connection of its own. */
struct exchange {
    enum { IDLE, SHAKING, SENDING, READING, DONE } state;
    int fd;
    SSL *tls;
    char *head; /* from nomyo_secret_alloc(), because the API key is in it */
    const uint8_t *body;
    size_t head_len, body_len, sent;
    char *in; /* the response: ciphertext, and no secret */
    size_t in_len, in_room;
};

struct chat {
    struct exchange http;
    const char *prompt;
    nomyo_sealed *sealed;
    nomyo_response *answer;
};

static struct {
    nomyo_client *client;
    nomyo_error *err, *pair_err;
    const char *why; /* set once: the program fails */
    char host[256], port[8], prefix[256];
    struct addrinfo *address;
    SSL_CTX *tls;
    int epoll, timer, pair_is_ready, has_pair;
    uint64_t ticks;
    struct exchange key;
    struct chat chats[CHATS_MAX];
    size_t count, in_flight, most_in_flight;
} all;

static int fail(const char *why) {
    if (!all.why) all.why = why;
    return -1;
}

/* Runs on a thread of its own, because the pair takes 0.7 s on average and several seconds at worst. It uses no network. */
static void *make_pair(void *unused) {
    nomyo_text *public_key = NULL;
    all.has_pair = nomyo_client_public_key(all.client, &public_key, &all.pair_err) == NOMYO_OK;
    nomyo_text_free(public_key);
    eventfd_write(all.pair_is_ready, 1);
    return unused;
}

static int watch(int fd, uint32_t events, void *who, int how) {
    struct epoll_event event = {.events = events, .data.ptr = who};
    return epoll_ctl(all.epoll, how, fd, &event) == 0 ? 0 : fail("epoll refuses a descriptor");
}

/* Connects, shakes hands, sends and reads, until one of these would block. 1: the response is there; 0: later; -1: failed. */
static int advance(struct exchange *x) {
    for (;;) {
        size_t moved = 0;
        int ok;
        ERR_clear_error();
        if (x->state == SHAKING) {
            if ((ok = SSL_connect(x->tls)) > 0) x->state = SENDING;
        } else if (x->state == SENDING) {
            int in_head = x->sent < x->head_len;
            const void *from = in_head ? (const void *)(x->head + x->sent) : x->body + (x->sent - x->head_len);
            size_t len = in_head ? x->head_len - x->sent : x->head_len + x->body_len - x->sent;
            if ((ok = SSL_write_ex(x->tls, from, len, &moved)) > 0) x->sent += moved;
            if (x->sent == x->head_len + x->body_len) x->state = READING;
        } else {
            if (x->in_room - x->in_len < 2) {
                size_t room = x->in_room ? x->in_room * 2 : TEXT_MAX;
                char *more = room > ANSWER_MAX ? NULL : realloc(x->in, room);
                if (!more) return fail("the response is too large");
                x->in = more, x->in_room = room;
            }
            if ((ok = SSL_read_ex(x->tls, x->in + x->in_len, x->in_room - x->in_len - 1, &moved)) > 0) x->in_len += moved;
        }
        if (ok > 0) continue;
        switch (SSL_get_error(x->tls, ok)) {
        case SSL_ERROR_WANT_READ: return watch(x->fd, EPOLLIN, x, EPOLL_CTL_MOD);
        case SSL_ERROR_WANT_WRITE: return watch(x->fd, EPOLLOUT, x, EPOLL_CTL_MOD);
        case SSL_ERROR_ZERO_RETURN:
            if (x->state != READING || x->in_len == 0) return fail("the server closed without an answer");
            x->in[x->in_len] = '\0';
            x->state = DONE;
            return watch(x->fd, 0, x, EPOLL_CTL_DEL) == 0 ? 1 : -1;
        default:
            if (SSL_get_verify_result(x->tls) != X509_V_OK) return fail("the server's certificate is refused");
            return fail("the connection failed");
        }
    }
}

/* Opens the connection. `name` is the method and the path, `headers` the JSON object of nomyo_sealed_headers() or NULL. */
static int begin(struct exchange *x, const char *name, const char *headers, const char *key) {
    nomyo_secret_free(x->head);
    if (!(x->head = nomyo_secret_alloc(HEAD_MAX, &all.err))) return fail("no memory for a secret");
    char *p = x->head, *end = x->head + HEAD_MAX;
    cJSON *object = headers ? cJSON_Parse(headers) : NULL, *header;
    p += snprintf(p, (size_t)(end - p), "%s HTTP/1.1\r\nHost: %s:%s\r\nConnection: close\r\n", name, all.host, all.port);
    cJSON_ArrayForEach(header, object) /* walks through objects, too */
        if (p < end) p += snprintf(p, (size_t)(end - p), "%s: %s\r\n", header->string, header->valuestring);
    cJSON_Delete(object);
    if (p < end && x->body) p += snprintf(p, (size_t)(end - p), "Content-Length: %zu\r\n", x->body_len);
    if (p < end && key && *key) p += snprintf(p, (size_t)(end - p), "Authorization: Bearer %s\r\n", key);
    if (p < end) p += snprintf(p, (size_t)(end - p), "\r\n");
    if (p >= end) return fail("the request has too large a head");
    x->head_len = (size_t)(p - x->head);

    struct in6_addr number;
    int is_number = inet_pton(AF_INET, all.host, &number) == 1 || inet_pton(AF_INET6, all.host, &number) == 1;
    x->fd = socket(all.address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (x->fd < 0) return fail("no socket");
    (void)connect(x->fd, all.address->ai_addr, all.address->ai_addrlen); /* the handshake reports a failure */
    if (!(x->tls = SSL_new(all.tls)) || !SSL_set_fd(x->tls, x->fd) || !SSL_set1_host(x->tls, all.host) ||
        (!is_number && !SSL_set_tlsext_host_name(x->tls, all.host)))
        return fail("no TLS connection");
    x->state = SHAKING;
    if (++all.in_flight > all.most_in_flight) all.most_in_flight = all.in_flight;
    return watch(x->fd, EPOLLIN | EPOLLOUT, x, EPOLL_CTL_ADD);
}

static void end(struct exchange *x) {
    if (x->state == IDLE) return;
    all.in_flight--;
    SSL_free(x->tls);
    close(x->fd);
    x->state = IDLE;
}

/* The body of a response, NUL-terminated; NULL unless the status is 200. Nothing checks that the body is whole: neither half a
 * key nor half a package can be used. */
static char *body_of(struct exchange *x, size_t *len) {
    char *head_end = strstr(x->in, "\r\n\r\n"), *body = head_end ? head_end + 4 : NULL;
    int status = strncmp(x->in, "HTTP/1.", 7) == 0 && x->in_len > 12 ? atoi(x->in + 9) : 0;
    if (status == 401) fail("HTTP 401: check the API key");
    else if (status != 200 || !body) fail("the server did not answer with HTTP 200");
    if (status != 200 || !body) return NULL;
    *head_end = '\0';
    char *to = body, *from = body, *in_end = x->in + x->in_len;
    if (strcasestr(x->in, "\ntransfer-encoding: chunked") == NULL) to = in_end;
    else
        for (size_t size; (size = strtoul(from, &from, 16)) > 0 && (from = strstr(from, "\r\n")); from += size) {
            from += 2;
            if (size > (size_t)(in_end - from)) break;
            memmove(to, from, size);
            to += size;
        }
    *to = '\0';
    *len = (size_t)(to - body);
    return body;
}

/* Seals a prompt, which takes some milliseconds of this thread, and begins to send it. */
static int ask(struct chat *chat, const char *pem, size_t pem_len) {
    static const char before[] = "{\"model\":\"Qwen/Qwen3-0.6B\",\"messages\":[{\"role\":\"user\",\"content\":";
    static const char after[] = "}]}";
    const uint8_t *prompt = (const uint8_t *)chat->prompt;
    size_t prompt_len = strlen(chat->prompt), room = 6 * prompt_len + 3 + sizeof before + sizeof after;
    char *json = nomyo_secret_alloc(room, &all.err), path[300];
    if (!json) return fail("no memory for a secret");
    strcpy(json, before);
    int is_text = nomyo_json_string(prompt, prompt_len, json + strlen(before), room - strlen(before)) > 0;
    strcat(json, after);
    int32_t status = !is_text ? NOMYO_ERR_ARGUMENT
                              : nomyo_seal(all.client, (const uint8_t *)pem, pem_len, (const uint8_t *)json, strlen(json), NULL,
                                           &chat->sealed, &all.err);
    nomyo_secret_free(json); /* wipes */
    if (!is_text) return fail("a prompt is not UTF-8");
    if (status != NOMYO_OK) return fail("the prompt is not sent");
    chat->http.body = nomyo_sealed_body(chat->sealed, &chat->http.body_len);
    snprintf(path, sizeof path, "POST %s/v1/chat/secure_completion", all.prefix);
    return begin(&chat->http, path, nomyo_sealed_headers(chat->sealed, NULL), getenv("NOMYO_API_KEY"));
}

static int ask_all(void) {
    size_t len = 0;
    char *pem = body_of(&all.key, &len);
    end(&all.key);
    for (size_t i = 0; pem && i < all.count; i++)
        if (ask(&all.chats[i], pem, len) != 0) return -1;
    return pem ? 0 : -1;
}

/* Takes some milliseconds of this thread. A large answer takes more: open it on a worker thread. */
static int answered(struct chat *chat) {
    size_t len = 0;
    const char *body = body_of(&chat->http, &len);
    end(&chat->http);
    if (!body) return -1;
    if (nomyo_open(all.client, chat->sealed, (const uint8_t *)body, len, &chat->answer, &all.err) == NOMYO_OK) return 0;
    return fail("the answer is refused");
}

static void loop(void) {
    pthread_t worker;
    char path[300];
    size_t left = all.count;
    struct itimerspec every_ms = {{0, 1000000}, {0, 1000000}};
    snprintf(path, sizeof path, "GET %s/pki/public_key", all.prefix);
    all.epoll = epoll_create1(EPOLL_CLOEXEC);
    all.timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    all.pair_is_ready = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (all.epoll < 0 || timerfd_settime(all.timer, 0, &every_ms, NULL) != 0 ||
        watch(all.timer, EPOLLIN, &all.timer, EPOLL_CTL_ADD) ||
        watch(all.pair_is_ready, EPOLLIN, &all.pair_is_ready, EPOLL_CTL_ADD) ||
        pthread_create(&worker, NULL, make_pair, NULL) != 0) {
        fail("no event loop");
        return;
    }
    uint64_t passed = 0;
    int worker_runs = 1;
    begin(&all.key, path, NULL, NULL);
    while (left > 0 && !all.why) {
        struct epoll_event events[CHATS_MAX];
        int n = epoll_wait(all.epoll, events, CHATS_MAX, -1);
        for (int i = 0; i < n && !all.why; i++) {
            void *who = events[i].data.ptr;
            uint64_t amount = 0;
            if (who == &all.timer) {
                if (read(all.timer, &amount, sizeof amount) > 0) passed += amount, all.ticks += all.in_flight > 0;
                if (passed > PATIENCE_MS) fail("there was no answer in ten minutes");
            } else if (who == &all.pair_is_ready) {
                if (eventfd_read(all.pair_is_ready, &amount) == 0) pthread_join(worker, NULL), worker_runs = 0;
                if (!worker_runs && !all.has_pair) all.err = all.pair_err, fail("there is no key pair");
            } else if (advance(who) == 1 && who != &all.key && answered(who) == 0) { /* a chat begins with its exchange */
                left--;
            }
        }
        if (all.key.state == DONE && !worker_runs && !all.why) ask_all();
    }
    if (worker_runs) pthread_join(worker, NULL); /* it uses the client */
}

/* Reads every prompt into `text`, which has TEXT_MAX bytes. stdio would keep a copy that nobody wipes. */
static int read_prompts(char *text) {
    size_t len = 0;
    ssize_t n;
    while ((n = read(STDIN_FILENO, text + len, TEXT_MAX - len)) > 0) len += (size_t)n;
    if (n < 0 || len == TEXT_MAX || memchr(text, '\0', len))
        return fail("the prompts cannot be read: at most 65535 bytes of text");
    for (char *line = text, *newline; line < text + len && all.count < CHATS_MAX; line = newline + 1) {
        all.chats[all.count++].prompt = line;
        newline = strchrnul(line, '\n');
        *newline = '\0';
        if (newline + 1 < text + len && all.count == CHATS_MAX) return fail("there are more than 64 prompts");
    }
    return 0;
}

/* Looks the name up before the loop begins, because getaddrinfo() blocks. */
static int resolve(const char *url) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    strcpy(all.port, "443");
    if (sscanf(url, "https://%255[^:/]:%7[0-9]%255s", all.host, all.port, all.prefix) < 2)
        if (sscanf(url, "https://%255[^:/]%255s", all.host, all.prefix) < 1)
            return fail("the URL is not https://HOST[:PORT][/PATH]");
    size_t len = strlen(all.prefix);
    if (len > 0 && all.prefix[len - 1] == '/') all.prefix[len - 1] = '\0';
    return getaddrinfo(all.host, all.port, &hints, &all.address) == 0 ? 0 : fail("the server's name is not known");
}

static int make_tls(const char *ca) {
    all.tls = SSL_CTX_new(TLS_client_method());
    if (!all.tls || !(ca ? SSL_CTX_load_verify_locations(all.tls, ca, NULL) : SSL_CTX_set_default_verify_paths(all.tls)))
        return fail("there is no trust store");
    SSL_CTX_set_verify(all.tls, SSL_VERIFY_PEER, NULL); /* without it OpenSSL accepts every server */
    SSL_CTX_set_min_proto_version(all.tls, TLS1_2_VERSION);
    SSL_CTX_set_mode(all.tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_options(all.tls, SSL_OP_IGNORE_UNEXPECTED_EOF); /* body_of() says why */
    return 0;
}

int main(int argc, char **argv) {
    const char *url = "https://api.nomyo.ai", *ca = NULL;
    nomyo_config *config = nomyo_config_new();
    char *text = nomyo_secret_alloc(TEXT_MAX, &all.err);
    signal(SIGPIPE, SIG_IGN); /* OpenSSL writes to sockets that the server may have closed */
    setvbuf(stdout, NULL, _IONBF, 0); /* a buffer of stdio would keep a copy of the answers */
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--url") == 0) url = argv[i + 1];
        else if (strcmp(argv[i], "--ca") == 0) ca = argv[i + 1];
        else if (strcmp(argv[i], "--pin") == 0 && nomyo_config_add_server_key_pin(config, argv[i + 1], &all.err) != NOMYO_OK)
            fail("--pin cannot be used");
    }
    if (!text || nomyo_client_new(config, &all.client, &all.err) != NOMYO_OK) fail("no client");
    if (!all.why && read_prompts(text) == 0 && resolve(url) == 0 && make_tls(ca) == 0 && all.count > 0) loop();
    for (size_t i = 0; i < all.count; i++) {
        struct chat *chat = &all.chats[i];
        size_t len = 0;
        const char *answer = nomyo_response_content(chat->answer, 0, &len);
        if (!all.why) printf("%.*s\n", (int)len, answer ? answer : "");
        end(&chat->http);
        free(chat->http.in);
        nomyo_secret_free(chat->http.head); /* wipes the API key; every _free accepts NULL */
        nomyo_response_free(chat->answer);  /* wipes the answer */
        nomyo_sealed_free(chat->sealed);
    }
    end(&all.key);
    free(all.key.in);
    nomyo_secret_free(all.key.head);
    nomyo_secret_free(text); /* wipes the prompts */
    if (all.why) fprintf(stderr, "%s%s%s\n", all.why, all.err ? ": " : "", nomyo_error_message(all.err));
    else fprintf(stderr, "%zu chats at once, %llu ticks\n", all.most_in_flight, (unsigned long long)all.ticks);
    nomyo_error_free(all.err);
    nomyo_client_free(all.client); /* wipes the keys */
    nomyo_config_free(config);
    if (all.address) freeaddrinfo(all.address);
    SSL_CTX_free(all.tls);
    return all.why ? EXIT_FAILURE : EXIT_SUCCESS;
}
