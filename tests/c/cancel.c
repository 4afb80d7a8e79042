/*
 * Cancelling, of every function that blocks, in every phase of a call and at random moments: the call ends soon, and the
 * client goes on.
 *
 * How soon is printed; what is asserted is only that no call goes on to its natural end, which is a minute away, and
 * with a silent name server ten seconds. The phases before there is a connection want a network namespace of their own:
 * tests/faults/namespace.sh.
 */
#include "blocking.h"

enum { LANES = 8, CANCELS = 500, BOUND = 5000 /* ms */, SHORTLY = 300000 /* µs */, LARGE = 8 << 20 };

#define CHAT "\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]"
#define ENDS "\"nomyo_test\":{\"headers\":{\"Connection\":\"close\"}}"

struct call {
    const nomyo_client *client;
    const char *json;
    nomyo_cancel *cancel;
    int32_t status;
    struct timespec begun, ended;
};

static char *large;
static double latencies[CANCELS]; /* of calls that were under way, in ms */
static _Atomic int under_way, left = CANCELS;

static void *run(void *argument) {
    struct call *call = argument;
    nomyo_call_options *options = nomyo_call_options_new();
    nomyo_response *response = NULL;
    CHECK_INT(nomyo_call_options_set_cancel(options, call->cancel, NULL), NOMYO_OK);
    call->begun = clock_now();
    call->status = create_text(call->client, call->json, options, &response, NULL);
    call->ended = clock_now();
    nomyo_call_options_free(options);
    nomyo_response_free(response);
    return NULL;
}

/* Cancels a call `after` so many microseconds; how many milliseconds later it ended, negative when it had before. */
static double cancelled_after(struct call *call, useconds_t after) {
    pthread_t thread;
    call->cancel = nomyo_cancel_new();
    CHECK(pthread_create(&thread, NULL, run, call) == 0);
    usleep(after);
    struct timespec triggered = clock_now();
    nomyo_cancel_trigger(call->cancel);
    pthread_join(thread, NULL);
    nomyo_cancel_free(call->cancel);
    return ms_between(triggered, call->ended);
}

static void works(const nomyo_client *client) {
    nomyo_response *response = answer_to(client, "{" CHAT "}", NULL);
    CHECK_TEXT(nomyo_response_content(response, 0, NULL), "x");
    nomyo_response_free(response);
}

/* One call that would stay in `phase`. */
static void aimed(const char *phase, const nomyo_client *client, const char *json) {
    struct call call = {.client = client, .json = json};
    double ms = cancelled_after(&call, SHORTLY);
    printf("cancel: %-26s %7.1f ms\n", phase, ms);
    CHECK_INT(call.status, NOMYO_ERR_CANCELLED);
    if (!CHECK(ms > 0 && ms < BOUND)) {
        fprintf(stderr, "    %s: %.1f ms\n", phase, ms);
    }
}

/* The next connection is a new one, and this happens to it. */
static void on_the_next_connection(const nomyo_client *client, const char *faults) {
    nomyo_response_free(answer_to(client, "{" CHAT "," ENDS "}", NULL));
    CHECK_INT(control("/control/faults", faults), 200);
}

static void in_each_phase(const nomyo_client *client) {
    works(client);
    on_the_next_connection(client, "{\"accept\":\"stall\",\"accept_times\":1}");
    aimed("handshake", client, "{" CHAT "}");
    works(client);
    CHECK_INT(control("/control/faults", "{\"read_request\":\"stall_midway\",\"read_times\":1}"), 200);
    aimed("sending", client, large);
    works(client);
    aimed("waiting", client, "{" CHAT ",\"nomyo_test\":{\"delay_before_headers_ms\":60000}}");
    works(client);
    aimed("reading", client, "{" CHAT ",\"nomyo_test\":{\"delay_in_body_ms\":60000}}");
    works(client);
    aimed("sleeping", client, "{" CHAT ",\"nomyo_test\":{\"status\":429,\"headers\":{\"Retry-After\":\"60\"}}}");
    works(client);
}

/* One call fetches the server's key, another waits for it. */
static void while_another_fetches_the_key(void) {
    nomyo_client *client = client_of(endpoint_config());
    struct call fetching = {.client = client, .json = "{" CHAT "}", .cancel = nomyo_cancel_new()};
    pthread_t thread;
    CHECK_INT(control("/control/faults", "{\"key_fetch\":{\"delay_before_headers_ms\":60000,\"times\":1}}"), 200);
    CHECK(pthread_create(&thread, NULL, run, &fetching) == 0);
    sleep(3); /* its key pair is made by then; if not, the other only waits for that first */
    aimed("another's key fetch", client, "{" CHAT "}");
    nomyo_cancel_trigger(fetching.cancel);
    pthread_join(thread, NULL);
    CHECK_INT(fetching.status, NOMYO_ERR_CANCELLED);
    nomyo_cancel_free(fetching.cancel);
    works(client);
    nomyo_client_free(client);
}

/* One function that would stay blocked for long, cancelled by the options of its handle. */
struct blocked_call {
    const struct blocking *function;
    const nomyo_client *handle;
    const struct places *places;
    int32_t status, sent;
    struct timespec ended;
};

static void *run_blocked(void *argument) {
    struct blocked_call *call = argument;
    nomyo_error *err = NULL;
    call->status = call->function->call(call->handle, call->places, &err);
    call->ended = clock_now();
    call->sent = nomyo_error_sent(err);
    nomyo_error_free(err);
    return NULL;
}

static void cancelled_while_blocked(const char *situation, const struct blocking *function, const nomyo_client *client,
                                    const struct places *places, unsigned ms) {
    nomyo_cancel *cancel = nomyo_cancel_new();
    nomyo_call_options *options = nomyo_call_options_new();
    CHECK_INT(nomyo_call_options_set_cancel(options, cancel, NULL), NOMYO_OK);
    nomyo_client *handle = handle_with(client, options);
    struct blocked_call call = {.function = function, .handle = handle, .places = places};
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, run_blocked, &call) == 0);
    usleep(1000 * ms);
    struct timespec triggered = clock_now();
    nomyo_cancel_trigger(cancel);
    pthread_join(thread, NULL);
    double after = ms_between(triggered, call.ended);
    printf("cancel: %-24s %-24s %7.1f ms\n", function->name, situation, after);
    int good = CHECK_INT(call.status, NOMYO_ERR_CANCELLED) & CHECK_INT(call.sent, NOMYO_SENT_NO);
    if (!(good & CHECK(after > 0 && after < BOUND))) {
        fprintf(stderr, "    %s, %s: %s after %.1f ms\n", function->name, situation, nomyo_status_name(call.status), after);
    }
    nomyo_client_free(handle);
    nomyo_cancel_free(cancel);
}

static void name_is(const char *address) {
    FILE *hosts = fopen("/etc/hosts", "w");
    CHECK(hosts != NULL && fprintf(hosts, "%s endpoint.test\n", address) > 0 && fclose(hosts) == 0);
}

static struct sockaddr_in at(const char *address, int port) {
    struct sockaddr_in made = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    CHECK(inet_pton(AF_INET, address, &made.sin_addr) == 1);
    return made;
}

/* A name server that says nothing, and then an address whose listener has a queue that is full. */
static void before_there_is_a_connection(void) {
    const char *namespace = getenv("NOMYO_TEST_NAMESPACE");
    if (namespace == NULL || strcmp(namespace, "yes") != 0) {
        printf("cancel: skipped: resolving, connecting: %s\n", namespace ? namespace : "no namespace of our own");
        return;
    }
    int port = atoi(strrchr(endpoint_variable("NOMYO_TEST_BASE_URL"), ':') + 1);
    struct sockaddr_in names = at("127.0.0.1", 53), full = at("127.0.0.2", port);
    int silent = socket(AF_INET, SOCK_DGRAM, 0), listener = socket(AF_INET, SOCK_STREAM, 0), fillers[4];
    CHECK(bind(silent, (struct sockaddr *)&names, sizeof names) == 0);
    CHECK(bind(listener, (struct sockaddr *)&full, sizeof full) == 0 && listen(listener, 0) == 0);
    for (int i = 0; i < 4; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(fillers[i], (struct sockaddr *)&full, sizeof full);
    }
    char url[64];
    snprintf(url, sizeof url, "https://endpoint.test:%d", port);
    nomyo_config *config = endpoint_config();
    CHECK_INT(nomyo_config_set_base_url(config, url, NULL), NOMYO_OK);
    CHECK_INT(nomyo_config_set_connect_timeout_ms(config, 60000, NULL), NOMYO_OK);
    nomyo_client *client = client_of(config);
    nomyo_sealed *sealed = NULL; /* makes the key pair, which is no phase of the network */
    size_t len = 0;
    static char pem[4096];
    int file = open(NOMYO_FIXTURES "/keys/server_public.pem", O_RDONLY);
    CHECK(file >= 0 && (len = (size_t)read(file, pem, sizeof pem)) > 0);
    close(file);
    CHECK_INT(nomyo_seal(client, (uint8_t *)pem, len, (const uint8_t *)"{" CHAT "}", strlen("{" CHAT "}"), NULL,
                         &sealed, NULL), NOMYO_OK);
    nomyo_sealed_free(sealed);

    aimed("resolving", client, "{" CHAT "}");
    name_is("127.0.0.2");
    aimed("connecting", client, "{" CHAT "}");
    name_is("127.0.0.1");
    works(client);
    nomyo_client_free(client);
    for (int i = 0; i < 4; i++) {
        close(fillers[i]);
    }
    close(listener);
    close(silent);
}

static const char *const kinds[] = {
    "{" CHAT "}",
    "{" CHAT "," ENDS "}",
    "{" CHAT ",\"nomyo_test\":{\"delay_before_headers_ms\":60000}}",
    "{" CHAT ",\"nomyo_test\":{\"delay_in_body_ms\":60000}}",
    "{" CHAT ",\"nomyo_test\":{\"drip_ms\":100}}",
    "{" CHAT ",\"nomyo_test\":{\"status\":429,\"headers\":{\"Retry-After\":\"60\"}}}",
    "{" CHAT ",\"nomyo_test\":{\"reset\":\"before_headers\",\"times\":2}}",
    "{" CHAT ",\"nomyo_test\":{\"close\":true,\"times\":1}}",
};

/* Random moments, of calls of all kinds. */
static void *lane(void *argument) {
    unsigned seed = (unsigned)left;
    for (int number; (number = left--) > 0;) {
        struct call call = {.client = argument, .json = kinds[(size_t)number % (sizeof kinds / sizeof *kinds)]};
        double ms = cancelled_after(&call, (useconds_t)(rand_r(&seed) % 60000));
        if (ms < 0) { /* it had ended: as it would have without */
            CHECK_INT(call.status, NOMYO_OK);
        } else {
            CHECK(call.status == NOMYO_ERR_CANCELLED || call.status == NOMYO_OK);
            CHECK(ms < BOUND);
            latencies[under_way++] = ms;
        }
        works(argument);
    }
    return NULL;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void at_random_moments(nomyo_client *client) {
    pthread_t threads[LANES];
    for (int i = 0; i < LANES; i++) {
        CHECK(pthread_create(&threads[i], NULL, lane, client) == 0);
    }
    for (int i = 0; i < LANES; i++) {
        pthread_join(threads[i], NULL);
    }
    qsort(latencies, (size_t)under_way, sizeof *latencies, compare);
    CHECK(under_way > CANCELS / 2);
    int soon = 0;
    while (soon < under_way && latencies[soon] <= 100) {
        soon++;
    }
    printf("cancel: %d at random moments, %d while under way: median %.1f ms, 90 %% %.1f, 99 %% %.1f, longest %.1f; "
           "%.1f %% within 100 ms\n", CANCELS, under_way, latencies[under_way / 2], latencies[under_way * 9 / 10],
           latencies[under_way * 99 / 100], latencies[under_way - 1], 100.0 * soon / under_way);
}

int main(void) {
    each_blocked(cancelled_while_blocked);
    large = request_of_size(LARGE);
    nomyo_client *client = client_of(endpoint_config());
    works(client);
    long files = proc_files(), threads = proc_status("Threads");
    in_each_phase(client);
    while_another_fetches_the_key();
    before_there_is_a_connection();
    at_random_moments(client);
    /* The system's resolver may still wait for the name server, until it gives up. */
    for (int i = 0; i < 1200 && proc_status("Threads") > threads; i++) {
        usleep(100000);
    }
    CHECK_INT(proc_status("Threads"), threads);
    CHECK(proc_files() <= files + LANES); /* idle connections */
    nomyo_client_free(client);
    CHECK(proc_files() < files);
    free(large);
    return check_summary("cancel");
}
