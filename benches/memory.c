/* How much locked memory the library needs, and how many calls fit into a limit of it.
 *
 *     memory            prints bytes per client, per idle connection, per call and per answer
 *     memory LIMIT N    prints how many of N calls that are made at once are served under NOMYO_MEMORY_REQUIRE when
 *                       RLIMIT_MEMLOCK is LIMIT bytes, how many of 32 (or N, if less) in the next burst, and how many one by one
 *
 * Prints one JSON line. NOMYO_TEST_BASE_URL and NOMYO_TEST_CA_FILE name the endpoint (tests/with_endpoint.sh). */
#include <linux/capability.h>
#include <nomyo.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "must.h"

#define CALLS 16
#define MOST 1000
#define PROMPT 2048
#define SMALL 1024
#define LARGE (1024 * 1024)

static const nomyo_client *client;
static char json[PROMPT + 256];
static int served;
static pthread_mutex_t counting = PTHREAD_MUTEX_INITIALIZER;

static double locked(void) {
    nomyo_memory_info info;
    nomyo_memory_info_get(&info, sizeof info);
    return (double)info.locked;
}

/* A request whose answer repeats a prompt of `size` bytes, and begins after `wait_ms`. */
static void ask_for(char *out, size_t size, int wait_ms) {
    char *at = out + sprintf(out, "{\"model\":\"echo\",\"messages\":[{\"role\":\"user\",\"content\":\"");
    memset(at, 'x', size);
    sprintf(at + size, "\"}],\"nomyo_test\":{\"delay_before_headers_ms\":%d}}", wait_ms);
}

static nomyo_response *asked(const char *request) {
    nomyo_response *answer = NULL;
    MUST(nomyo_create, client, (const uint8_t *)request, strlen(request), NULL, &answer);
    return answer;
}

static void *call(void *unused) {
    nomyo_response *answer = NULL;
    (void)unused;
    if (nomyo_create(client, (const uint8_t *)json, strlen(json), NULL, &answer, NULL) == NOMYO_OK) {
        pthread_mutex_lock(&counting);
        served++;
        pthread_mutex_unlock(&counting);
    }
    nomyo_response_free(answer);
    return NULL;
}

static int burst(int calls, double *under_way) {
    pthread_t threads[MOST];
    served = 0;
    for (int i = 0; i < calls; i++) {
        if (pthread_create(&threads[i], NULL, call, NULL) != 0) exit(EXIT_FAILURE);
    }
    if (under_way != NULL) {
        usleep(1000 * 1000);
        *under_way = locked();
    }
    for (int i = 0; i < calls; i++) pthread_join(threads[i], NULL);
    return served;
}

/* The locked bytes of each answer of this size while it is kept. */
static double answers(size_t size) {
    nomyo_response *kept[100];
    char *request = malloc(size + 256);
    int count = size > SMALL ? 10 : 100;
    if (request == NULL) exit(EXIT_FAILURE);
    ask_for(request, size, 0);
    nomyo_response_free(asked(request));
    double before = locked();
    for (int i = 0; i < count; i++) kept[i] = asked(request);
    double each = (locked() - before) / count;
    for (int i = 0; i < count; i++) nomyo_response_free(kept[i]);
    free(request);
    return each;
}

int main(int argc, char **argv) {
    const char *url = getenv("NOMYO_TEST_BASE_URL"), *ca = getenv("NOMYO_TEST_CA_FILE");
    nomyo_config *config = nomyo_config_new();
    nomyo_client *first = NULL, *second = NULL;
    if (url == NULL || ca == NULL || (argc != 1 && argc != 3)) {
        fputs("usage: tests/with_endpoint.sh memory [LIMIT N]\n", stderr);
        return EXIT_FAILURE;
    }
    if (argc == 3) {
        struct rlimit limit = {strtoul(argv[1], NULL, 10), strtoul(argv[1], NULL, 10)};
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct none[2] = {0};
        /* CAP_IPC_LOCK would lift the limit. */
        if (setrlimit(RLIMIT_MEMLOCK, &limit) != 0 || syscall(SYS_capset, &header, none) != 0) return EXIT_FAILURE;
        MUST(nomyo_config_set_memory_policy, config, NOMYO_MEMORY_REQUIRE);
    }
    MUST(nomyo_config_set_base_url, config, url);
    MUST(nomyo_config_set_ca_file, config, ca);
    MUST(nomyo_client_new, config, &first);
    client = first;
    ask_for(json, PROMPT, 0);
    MUST(nomyo_client_warm_up, first);
    if (argc == 3) {
        int calls = atoi(argv[2]), fewer = calls < 32 ? calls : 32, single = 0;
        if (calls < 1 || calls > MOST) return EXIT_FAILURE;
        ask_for(json, PROMPT, 300);
        int at_once = burst(calls, NULL), again = burst(fewer, NULL);
        for (int i = 0; i < 10; i++) single += burst(1, NULL);
        printf("{\"at_once\": %d, \"again\": %d, \"of\": %d, \"one_by_one\": %d}\n", at_once, again, fewer, single);
    } else {
        nomyo_response_free(asked(json));
        double one = locked(), under_way;
        MUST(nomyo_client_new, config, &second);
        client = second;
        MUST(nomyo_client_warm_up, second);
        nomyo_response_free(asked(json));
        double two = locked();
        ask_for(json, PROMPT, 2000);
        burst(CALLS, &under_way);
        double idle = locked();
        printf("{\"first_client\": %.0f, \"another_client\": %.0f, \"call\": %.0f, \"idle_connection\": %.0f, ", one, two - one,
               (under_way - two) / CALLS, (idle - two) / (CALLS - 1));
        double small = answers(SMALL);
        printf("\"small_answer\": %.0f, \"large_answer\": %.0f}\n", small, answers(LARGE));
    }
    nomyo_client_free(first);
    nomyo_client_free(second);
    nomyo_config_free(config);
    return EXIT_SUCCESS;
}
