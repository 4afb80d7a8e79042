/*
 * One client and one answer, sixteen threads at once. The argument is how many requests each thread sends.
 */
#include <pthread.h>

#include "endpoint.h"

enum { THREADS = 16 };

static pthread_barrier_t start;
static const nomyo_client *client;
static const nomyo_response *shared;
static int requests = 2;

/* Each asks for something of its own, and gets that; the first of all find neither pair nor server key. */
static void *ask(void *number) {
    int thread = *(int *)number;
    pthread_barrier_wait(&start);
    for (int i = 0; i < requests; i++) {
        char json[256], wanted[64];
        snprintf(wanted, sizeof wanted, "thread %d, request %d", thread, i);
        snprintf(json, sizeof json, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]}", wanted);
        nomyo_response *response = answer_to(client, json, NULL);
        CHECK_TEXT(nomyo_response_content(response, 0, NULL), wanted);
        nomyo_response_free(response);
    }
    return NULL;
}

struct views {
    const char *content, *reasoning, *finish_reason, *json, *payload_id, *pointer[50];
};

static void *look(void *out) {
    struct views *seen = out;
    pthread_barrier_wait(&start);
    seen->content = nomyo_response_content(shared, 0, NULL);
    seen->reasoning = nomyo_response_reasoning(shared, 0, NULL);
    seen->finish_reason = nomyo_response_finish_reason(shared, 0, NULL);
    seen->json = nomyo_response_json(shared, NULL);
    seen->payload_id = nomyo_response_payload_id(shared);
    for (int i = 0; i < 50; i++) {
        char pointer[64];
        snprintf(pointer, sizeof pointer, "/choices/%d/message/content", i);
        seen->pointer[i] = nomyo_response_pointer(shared, pointer, NULL);
    }
    return NULL;
}

static void on_all_threads(void *(*body)(void *), void *arguments, size_t size) {
    pthread_t threads[THREADS];
    pthread_barrier_init(&start, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&threads[i], NULL, body, (char *)arguments + (size_t)i * size) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    pthread_barrier_destroy(&start);
}

/* All see the same text at the same place. */
static void one_answer(void) {
    static struct views seen[THREADS];
    nomyo_response *response = answer_to(client,
        "{\"model\":\"m\",\"n\":50,\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"nomyo_test\":{\"reasoning\":\"y\"}}",
        NULL);
    shared = response;
    on_all_threads(look, seen, sizeof *seen);
    CHECK_TEXT(seen[0].content, "x");
    CHECK_TEXT(seen[0].reasoning, "y");
    CHECK_TEXT(seen[0].pointer[49], "\"x\"");
    for (int i = 1; i < THREADS; i++) {
        CHECK(memcmp(&seen[i], &seen[0], sizeof *seen) == 0);
    }
    nomyo_response_free(response);
}

int main(int argc, char **argv) {
    int numbers[THREADS];
    requests = argc > 1 ? atoi(argv[1]) : requests;
    nomyo_client *made = client_of(endpoint_config());
    client = made;
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
    }
    on_all_threads(ask, numbers, sizeof *numbers);
    one_answer();
    nomyo_client_free(made);
    return check_summary("threads");
}
