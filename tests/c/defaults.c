/*
 * The defaults that the header promises, observed: server, User-Agent, timeouts, and, with a clock that jumps, ages of keys.
 */
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>

#include "endpoint.h"
#include "log.h"

#define ASK "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}"

enum { CONNECT_TIMEOUT = 10, TIMEOUT = 900, SERVER_KEY_TTL = 300, ROTATION = 86400 /* s */ };

static _Atomic long long jumped; /* s */

/* Stands before the C library's, for the library as well. */
int clock_gettime(clockid_t clock, struct timespec *time) {
    int failed = (int)syscall(SYS_clock_gettime, clock, time);
    if (failed == 0 && clock != CLOCK_REALTIME) {
        time->tv_sec += jumped;
    }
    return failed;
}

/* A server that remembers the head of one request and closes, or says nothing for as long as it is there. */
struct listener {
    int fd, port, silent;
    pthread_t thread;
    char head[4096];
};

static void *listen_once(void *argument) {
    struct listener *listener = argument;
    int fd = accept(listener->fd, NULL, NULL);
    size_t used = 0;
    for (ssize_t got; used + 1 < sizeof listener->head && (listener->silent || !strstr(listener->head, "\r\n\r\n")) &&
                      (got = recv(fd, listener->head + used, sizeof listener->head - used - 1, 0)) > 0;) {
        used += (size_t)got;
    }
    close(fd);
    return NULL;
}

static void listener_start(struct listener *listener) {
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof at;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener->fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(bind(listener->fd, (struct sockaddr *)&at, len) == 0 && listen(listener->fd, 4) == 0);
    CHECK(getsockname(listener->fd, (struct sockaddr *)&at, &len) == 0);
    listener->port = ntohs(at.sin_port);
    CHECK(pthread_create(&listener->thread, NULL, listen_once, listener) == 0);
}

static void listener_end(struct listener *listener) {
    pthread_join(listener->thread, NULL);
    close(listener->fd);
}

/* A proxy on this machine sees which server is asked for. Nothing leaves. */
static void the_server_is_api_nomyo_ai(void) {
    struct listener proxy = {0};
    char url[64];
    listener_start(&proxy);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", proxy.port);
    nomyo_config *config = nomyo_config_new();
    CHECK_INT(nomyo_config_set_proxy(config, url, NULL), NOMYO_OK);
    CHECK_INT(nomyo_config_set_max_retries(config, 0, NULL), NOMYO_OK);
    nomyo_client *client = client_of(config);
    nomyo_text *pem = NULL;
    CHECK_INT(nomyo_client_server_key(client, &pem, NULL, NULL), NOMYO_ERR_CONNECTION);
    nomyo_client_free(client);
    listener_end(&proxy);
    CHECK_HAS(proxy.head, "CONNECT api.nomyo.ai:443 HTTP/1.1\r\n");
}

static void the_user_agent_names_c(void) {
    struct listener server = {0};
    char url[64], binding[64];
    listener_start(&server);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", server.port);
    snprintf(binding, sizeof binding, "c/%s", nomyo_version());
    nomyo_config *config = nomyo_config_new();
    CHECK_INT(nomyo_config_set_base_url(config, url, NULL), NOMYO_OK);
    CHECK_INT(nomyo_config_set_allow_http(config, 1, NULL), NOMYO_OK);
    CHECK_INT(nomyo_config_set_max_retries(config, 0, NULL), NOMYO_OK);
    nomyo_client *client = client_of(config);
    nomyo_text *pem = NULL;
    CHECK_INT(nomyo_client_server_key(client, &pem, NULL, NULL), NOMYO_ERR_CONNECTION);
    nomyo_client_free(client);
    listener_end(&server);
    const char *agent = strcasestr(server.head, "\r\nUser-Agent: ");
    CHECK_HAS(agent, binding);
    CHECK(strcasestr(server.head, "\r\nAuthorization:") == NULL);
}

/* The server takes the connection and says nothing. */
static void a_connection_may_take_ten_seconds(void) {
    struct listener server = {.silent = 1};
    char url[64];
    listener_start(&server);
    snprintf(url, sizeof url, "https://127.0.0.1:%d", server.port);
    nomyo_config *config = nomyo_config_new();
    CHECK_INT(nomyo_config_set_base_url(config, url, NULL), NOMYO_OK);
    CHECK_INT(nomyo_config_set_max_retries(config, 0, NULL), NOMYO_OK);
    nomyo_client *client = client_of(config);
    nomyo_text *pem = NULL;
    nomyo_error *err = NULL;
    time_t begun = time(NULL);
    CHECK_INT(nomyo_client_server_key(client, &pem, NULL, &err), NOMYO_ERR_TIMEOUT);
    CHECK(time(NULL) - begun >= CONNECT_TIMEOUT - 1);
    CHECK_HAS(nomyo_error_message(err), "connect timeout");
    nomyo_error_free(err);
    nomyo_client_free(client);
    listener_end(&server);
}

static void *trigger_shortly(void *cancel) {
    usleep(500000);
    nomyo_cancel_trigger(cancel);
    return NULL;
}

/* The status of a call that must wait `seconds` for its turn: it waits until it is cancelled, or does not begin to. */
static int32_t waits_for_a_turn(int seconds) {
    nomyo_config *config = endpoint_config();
    nomyo_cancel *cancel = nomyo_cancel_new();
    nomyo_call_options *options = nomyo_call_options_new();
    pthread_t thread;
    CHECK_INT(nomyo_config_set_rate_limit(config, 1.0 / seconds, 1, NULL), NOMYO_OK);
    nomyo_client *client = client_of(config);
    CHECK_INT(nomyo_client_warm_up(client, NULL), NOMYO_OK); /* takes the one turn that there is */
    CHECK_INT(nomyo_call_options_set_cancel(options, cancel, NULL), NOMYO_OK);
    CHECK(pthread_create(&thread, NULL, trigger_shortly, cancel) == 0);
    nomyo_response *response = NULL;
    int32_t status = create_text(client, ASK, options, &response, NULL);
    pthread_join(thread, NULL);
    nomyo_call_options_free(options);
    nomyo_cancel_free(cancel);
    nomyo_client_free(client);
    return status;
}

/* A turn that comes later than the timeout is not waited for, so it tells how long the timeout is. */
static void a_call_may_take_fifteen_minutes(void) {
    CHECK_INT(waits_for_a_turn(TIMEOUT - 20), NOMYO_ERR_CANCELLED);
    CHECK_INT(waits_for_a_turn(TIMEOUT + 20), NOMYO_ERR_TIMEOUT);
}

static int has_pair(const nomyo_client *client, const nomyo_text *pair) {
    nomyo_text *now = NULL;
    CHECK_INT(nomyo_client_public_key(client, &now, NULL), NOMYO_OK);
    int same = strcmp(nomyo_text_data(now, NULL), nomyo_text_data(pair, NULL)) == 0;
    nomyo_text_free(now);
    return same;
}

static void keys_have_an_age(void) {
    static struct log_lines lines;
    nomyo_config *config = endpoint_config();
    log_to(config, &lines);
    nomyo_client *client = client_of(config);
    nomyo_text *pair = NULL;
    nomyo_response_free(answer_to(client, ASK, NULL));
    CHECK_INT(nomyo_client_public_key(client, &pair, NULL), NOMYO_OK);
    CHECK_INT(log_count(&lines, "I GET "), 1);
    jumped += SERVER_KEY_TTL - 20;
    nomyo_response_free(answer_to(client, ASK, NULL));
    CHECK_INT(log_count(&lines, "I GET "), 1);
    jumped += 30;
    nomyo_response_free(answer_to(client, ASK, NULL));
    CHECK_INT(log_count(&lines, "I GET "), 2);
    jumped += ROTATION - SERVER_KEY_TTL - 60;
    nomyo_response_free(answer_to(client, ASK, NULL));
    CHECK(has_pair(client, pair));
    jumped += 120;
    nomyo_response_free(answer_to(client, ASK, NULL));
    CHECK(!has_pair(client, pair));
    nomyo_text_free(pair);
    nomyo_client_free(client);
}

int main(void) {
    the_server_is_api_nomyo_ai();
    the_user_agent_names_c();
    a_connection_may_take_ten_seconds();
    a_call_may_take_fifteen_minutes();
    keys_have_an_age();
    return check_summary("defaults");
}
