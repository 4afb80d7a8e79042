/* Sends each line of standard input as a prompt, several at once through one client, and prints the answers in the order of
 * the lines.
 *
 *     NOMYO_API_KEY=... parallel [--url URL] [--ca FILE] [--at-once N] < prompts
 *
 * cJSON writes the JSON: cc parallel.c $(pkg-config --cflags --libs nomyo libcjson) -pthread */
#define _POSIX_C_SOURCE 200809L
#include <cjson/cJSON.h>
#include <nomyo.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS_MAX = 64 };

/* Shared by the threads. All of them may use the client, the request and the cancel at once. */
static struct {
    nomyo_client *client;
    nomyo_call_options *options;
    nomyo_cancel *stop;
    struct {
        char *prompt;
        nomyo_response *answer;
    } *jobs;
    size_t count;
    pthread_mutex_t lock; /* guards the members below */
    size_t next;
    nomyo_error *failure;
} all = {.lock = PTHREAD_MUTEX_INITIALIZER};

static char *request_of(const char *prompt) {
    cJSON *request = cJSON_CreateObject(), *message = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "model", "Qwen/Qwen3-0.6B");
    cJSON_AddItemToArray(cJSON_AddArrayToObject(request, "messages"), message);
    cJSON_AddStringToObject(message, "role", "user");
    cJSON_AddStringToObject(message, "content", prompt);
    char *json = cJSON_PrintUnformatted(request);
    cJSON_Delete(request);
    return json;
}

/* Keeps the first failure, and cancels the calls that are running. */
static void fail(nomyo_error *err) {
    pthread_mutex_lock(&all.lock);
    int first = all.failure == NULL;
    if (first) all.failure = err;
    pthread_mutex_unlock(&all.lock);
    if (!first) nomyo_error_free(err);
    nomyo_cancel_trigger(all.stop);
}

static void *work(void *unused) {
    for (;;) {
        pthread_mutex_lock(&all.lock);
        size_t i = all.failure ? all.count : all.next++;
        pthread_mutex_unlock(&all.lock);
        if (i >= all.count) return unused;
        nomyo_error *err = NULL;
        char *json = request_of(all.jobs[i].prompt);
        size_t len = json ? strlen(json) : 0;
        if (nomyo_create(all.client, (uint8_t *)json, len, all.options, &all.jobs[i].answer, &err) != NOMYO_OK) fail(err);
        cJSON_free(json);
    }
}

static void ask_all(int at_once) {
    pthread_t threads[THREADS_MAX];
    int started = 0;
    while (started < at_once && pthread_create(&threads[started], NULL, work, NULL) == 0) started++;
    if (started == 0) work(NULL);
    while (started > 0) pthread_join(threads[--started], NULL);
}

/* Reads every line, or fails: no prompt may be dropped for lack of memory. */
static int read_prompts(void) {
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    while ((len = getline(&line, &room, stdin)) > 0 && strlen(line) == (size_t)len) {
        if (line[len - 1] == '\n') line[len - 1] = '\0';
        char *prompt = strdup(line);
        void *more = prompt ? realloc(all.jobs, (all.count + 1) * sizeof *all.jobs) : NULL;
        if (more) all.jobs = more;
        else free(prompt);
        if (!more) break;
        all.jobs[all.count].prompt = prompt;
        all.jobs[all.count++].answer = NULL;
    }
    free(line);
    int whole = len < 0 && feof(stdin);
    if (!whole) fprintf(stderr, "the prompts cannot be read: they are not text, or there is too little memory\n");
    return whole;
}

int main(int argc, char **argv) {
    const char *url = NULL, *ca = NULL;
    int at_once = 8, done = 0;
    nomyo_config *config = nomyo_config_new();
    nomyo_error *err = NULL;

    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--url") == 0) url = argv[i + 1];
        else if (strcmp(argv[i], "--ca") == 0) ca = argv[i + 1];
        else if (strcmp(argv[i], "--at-once") == 0) at_once = atoi(argv[i + 1]);
    }
    if (at_once < 1 || at_once > THREADS_MAX) return fprintf(stderr, "--at-once is 1 to %d\n", THREADS_MAX), EXIT_FAILURE;
    all.options = nomyo_call_options_new();
    all.stop = nomyo_cancel_new();
    if (nomyo_config_load_env(config, &err) == NOMYO_OK &&
        (!url || nomyo_config_set_base_url(config, url, &err) == NOMYO_OK) &&
        (!ca || nomyo_config_set_ca_file(config, ca, &err) == NOMYO_OK) &&
        nomyo_call_options_set_cancel(all.options, all.stop, &err) == NOMYO_OK &&
        nomyo_call_options_set_timeout_ms(all.options, 10 * 60 * 1000, &err) == NOMYO_OK &&
        nomyo_client_new(config, &all.client, &err) == NOMYO_OK && read_prompts()) {
        ask_all(at_once);
        err = all.failure;
        done = !err;
    }
    for (size_t i = 0; i < all.count; i++) {
        size_t len = 0;
        const char *text = nomyo_response_content(all.jobs[i].answer, 0, &len);
        if (done) printf("%.*s\n", (int)len, text ? text : "");
        nomyo_response_free(all.jobs[i].answer); /* wipes the answer; every _free accepts NULL */
        free(all.jobs[i].prompt);
    }
    if (err) fprintf(stderr, "%s: %s\n", nomyo_status_name(nomyo_error_status(err)), nomyo_error_message(err));
    nomyo_error_free(err);
    nomyo_client_free(all.client); /* wipes the keys; no call is running */
    nomyo_cancel_free(all.stop);
    nomyo_call_options_free(all.options);
    nomyo_config_free(config);
    free(all.jobs);
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
