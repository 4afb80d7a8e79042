/* Measures one small request through the C ABI, warm and sequential.
 *
 *     request N
 *
 * Prints one JSON line: the wall and CPU (user and system) time of one request in microseconds over N of them, and the
 * peak resident size. NOMYO_TEST_BASE_URL and NOMYO_TEST_CA_FILE name the endpoint (tests/with_endpoint.sh). */
#include <nomyo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "must.h"
#include "resident.h"

static const char JSON[] =
    "{\"model\":\"Qwen/Qwen3-0.6B\",\"messages\":[{\"role\":\"user\",\"content\":\"What is the capital of France?\"}],"
    "\"temperature\":0.7}";

static double wall_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double cpu_us(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

static void request(const nomyo_client *client) {
    nomyo_response *answer = NULL;
    MUST(nomyo_create, client, (const uint8_t *)JSON, sizeof JSON - 1, NULL, &answer);
    if (nomyo_response_content(answer, 0, NULL) == NULL) {
        fputs("request: the answer has no content\n", stderr);
        exit(EXIT_FAILURE);
    }
    nomyo_response_free(answer);
}

int main(int argc, char **argv) {
    int count = argc > 1 ? atoi(argv[1]) : 0;
    const char *url = getenv("NOMYO_TEST_BASE_URL"), *ca = getenv("NOMYO_TEST_CA_FILE");
    nomyo_config *config = nomyo_config_new();
    nomyo_client *client = NULL;
    if (count < 1 || url == NULL || ca == NULL) {
        fputs("usage: tests/with_endpoint.sh request N\n", stderr);
        return EXIT_FAILURE;
    }
    MUST(nomyo_config_set_base_url, config, url);
    MUST(nomyo_config_set_ca_file, config, ca);
    MUST(nomyo_client_new, config, &client);
    MUST(nomyo_client_warm_up, client);
    request(client);

    double wall = wall_us(), cpu = cpu_us();
    for (int i = 0; i < count; i++) request(client);
    cpu = (cpu_us() - cpu) / count;
    wall = (wall_us() - wall) / count;
    printf("{\"wall_us\": %.0f, \"cpu_us\": %.0f, \"peak_kb\": %ld}\n", wall, cpu, peak_kb());
    nomyo_client_free(client);
    nomyo_config_free(config);
    return EXIT_SUCCESS;
}
