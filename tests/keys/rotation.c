/*
 * Keys that are replaced as fast as they can be made, by force and by time, under threads that send requests meanwhile.
 *
 *     rotation SECONDS DIRECTORY
 *
 * The directory holds a pair, and at the end another one. NOMYO_TEST_BASE_URL and NOMYO_TEST_CA_FILE name
 * the endpoint.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "endpoint.h"
#include "proc.h"

enum { THREADS = 8, KEY_MAX = 1024, ROTATION_MS = 300 };

static const nomyo_client *client;
static atomic_int over;
static atomic_long requests, rotated_meanwhile, rotations;

static void public_key(char pem[KEY_MAX]) {
    nomyo_text *text = NULL;
    nomyo_error *err = NULL;
    if (CHECK_OK(nomyo_client_public_key(client, &text, &err), &err)) {
        size_t len = 0;
        const char *data = nomyo_text_data(text, &len);
        CHECK(data != NULL && len < KEY_MAX);
        snprintf(pem, KEY_MAX, "%s", data);
    }
    nomyo_text_free(text);
}

/* Requests that are answered at once, and after so long that the pair that they named has been replaced meanwhile. */
static void *ask(void *number) {
    int thread = *(int *)number;
    for (long i = 0; !over; i++) {
        char json[256], wanted[64];
        int delay = i % 4 == 3 ? 1500 : 10 * thread;
        snprintf(wanted, sizeof wanted, "thread %d, request %ld", thread, i);
        snprintf(json, sizeof json,
                 "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}],"
                 "\"nomyo_test\":{\"delay_before_headers_ms\":%d}}",
                 wanted, delay);
        long before = rotations;
        nomyo_response *response = answer_to(client, json, NULL);
        CHECK_TEXT(nomyo_response_content(response, 0, NULL), wanted);
        nomyo_response_free(response);
        requests++;
        rotated_meanwhile += rotations > before;
    }
    return NULL;
}

/* Rotates without a pause; each pair is another. */
static void *rotate(void *unused) {
    char before[KEY_MAX] = "", now[KEY_MAX];
    while (!over) {
        nomyo_error *err = NULL;
        CHECK_OK(nomyo_client_rotate_keys(client, &err), &err);
        rotations++;
        public_key(now);
        CHECK(strcmp(before, now) != 0);
        memcpy(before, now, sizeof before);
    }
    return unused;
}

static void rotate_under_requests(int seconds, const char *directory) {
    pthread_t threads[THREADS], rotator;
    int numbers[THREADS];
    nomyo_error *err = NULL;
    nomyo_config *config = endpoint_config();
    CHECK_OK(nomyo_config_set_key_dir(config, directory, &err), &err);
    CHECK_OK(nomyo_config_set_key_rotation_ms(config, ROTATION_MS, &err), &err);
    nomyo_client *own = client_of(config);
    client = own;
    CHECK_OK(nomyo_client_warm_up(client, &err), &err);
    CHECK(pthread_create(&rotator, NULL, rotate, NULL) == 0);
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        CHECK(pthread_create(&threads[i], NULL, ask, &numbers[i]) == 0);
    }
    nanosleep(&(struct timespec){.tv_sec = seconds / 3}, NULL);
    uint64_t mapped = memory_info().mapped;
    nanosleep(&(struct timespec){.tv_sec = seconds - seconds / 3}, NULL);
    over = 1;
    CHECK(pthread_join(rotator, NULL) == 0);
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
    uint64_t later = memory_info().mapped;
    printf("%ld requests, %ld of them with a rotation meanwhile; %ld rotations by force; %llu KiB mapped, then %llu\n",
           (long)requests, (long)rotated_meanwhile, (long)rotations, (unsigned long long)mapped / 1024,
           (unsigned long long)later / 1024);
    CHECK(requests > THREADS);
    CHECK(rotated_meanwhile > 0);
    CHECK(rotations > 1);
    CHECK(later <= mapped + 1024 * 1024); /* the pairs that were replaced do not stay */
    nomyo_client_free(own);
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: rotation SECONDS DIRECTORY\n");
        return EXIT_FAILURE;
    }
    rotate_under_requests(atoi(argv[1]), argv[2]);
    return check_summary("rotation");
}
