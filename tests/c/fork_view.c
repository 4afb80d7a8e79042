/*
 * Forks while eight threads chat: every child finds the library usable, nothing of the parent's secrets, and disturbs
 * nothing of the parent's. The argument is how many.
 */
#include <pthread.h>

#include "endpoint.h"
#include "proc.h"

enum { THREADS = 8, EVERY = 25 };

#define BYTES(text) ((const uint8_t *)(text)), (sizeof(text) - 1)
#define ASK "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"the parent's own words\"}]}"

static nomyo_client *client;
static nomyo_response *answer;
static nomyo_sealed *sealed;
static unsigned char *secret;
static int forks = 200;
static _Atomic int forked;
static _Atomic int chats;

static int zeros(const char *p, size_t len) {
    for (size_t i = 0; i < len; i++) {
        if (p[i] != 0) {
            return 0;
        }
    }
    return 1;
}

static void chat(const nomyo_client *with, const char *wanted) {
    char json[256];
    snprintf(json, sizeof json, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]}", wanted);
    nomyo_response *response = answer_to(with, json, NULL);
    CHECK_TEXT(nomyo_response_content(response, 0, NULL), wanted);
    nomyo_response_free(response);
}

/* Everything of the parent's that a child can reach. */
static void nothing_of_the_parents(void) {
    nomyo_response *response = SENTINEL;
    nomyo_error *err = NULL;
    size_t len = 0;
    CHECK_INT(create_text(client, ASK, NULL, &response, &err), NOMYO_ERR_FORKED);
    CHECK(response == SENTINEL);
    check_error(err, NOMYO_ERR_FORKED, "make a new one in the child", "create", __FILE__, __LINE__);
    nomyo_error_free(err);
    const char *json = nomyo_response_json(answer, &len);
    CHECK(json != NULL && len > 100 && zeros(json, len + 1));
    const char *content = nomyo_response_content(answer, 0, &len);
    CHECK(content == NULL || zeros(content, len + 1));
    const char *pointer = nomyo_response_pointer(answer, "/choices/0/message/content", &len);
    CHECK(pointer == NULL || zeros(pointer, len + 1));
    pointer = nomyo_response_pointer(answer, "/model", &len); /* not asked for before the fork */
    CHECK(pointer == NULL || zeros(pointer, len + 1));
    nomyo_response_choices(answer);
    CHECK(nomyo_response_attestation_report(answer, NULL) != NULL);
    CHECK(zeros((char *)secret, 5000));
}

static void free_what_is_the_parents(void) {
    nomyo_secret_free(secret);
    nomyo_response_free(answer);
    nomyo_sealed_free(sealed);
    nomyo_client_free(client);
}

static void own_secrets(void) {
    unsigned char *own[3];
    const size_t sizes[] = {32, 5000, 200000};
    for (int i = 0; i < 3; i++) {
        own[i] = nomyo_secret_alloc(sizes[i], NULL);
        CHECK(own[i] != NULL && zeros((char *)own[i], sizes[i]));
        memset(own[i], 0x5a, sizes[i]);
    }
    for (int i = 0; i < 3; i++) {
        CHECK(own[i][0] == 0x5a && own[i][sizes[i] - 1] == 0x5a);
        nomyo_secret_free(own[i]);
    }
}

/* What a child does, in one order or the other: a hang is ended by the alarm, and is a failure. */
static int child(int number) {
    check_passed = check_failed = 0;
    alarm(60);
    if (number % 2) {
        nothing_of_the_parents();
        free_what_is_the_parents();
    }
    own_secrets();
    nomyo_client *own = client_of(endpoint_config());
    if (number % EVERY == 0) {
        chat(own, "a child's words");
        chat(own, "and more of them");
        nomyo_memory_info info = memory_info();
        CHECK_INT(info.locked, proc_locked());
    }
    nomyo_client_free(own);
    if (number % 2 == 0) {
        nothing_of_the_parents();
        free_what_is_the_parents();
    }
    own_secrets();
    return check_failed == 0 && check_passed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Reads new values of the parent's answer, so that a child may be forked while the answer's lock is held. */
static void *read_values(void *unused) {
    (void)unused;
    for (unsigned i = 0; forked < forks; i++) {
        char pointer[64];
        size_t len = 0;
        snprintf(pointer, sizeof pointer, i % 4 ? "/choices/0/message" : "/none/%u", i % 64);
        nomyo_response_pointer(answer, pointer, &len);
        CHECK(nomyo_response_attestation_report(answer, NULL) != NULL);
    }
    return NULL;
}

/* One more child, unless there were enough. Every third ends as a program does that returns from main(). */
static int fork_once(void) {
    int number = forked++;
    int status = -1;
    if (number >= forks) {
        return 0;
    }
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        int outcome = child(number);
        if (number % 3 == 0) {
            exit(outcome);
        }
        _exit(outcome);
    }
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    if (!CHECK_INT(status, 0)) {
        fprintf(stderr, "    child %d: %s %d\n", number, WIFSIGNALED(status) ? "signal" : "status",
                WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    }
    return 1;
}

/* Chats until all is over, on the one client; the odd threads fork as well, in the middle of their own work. */
static void *work(void *argument) {
    int thread = *(int *)argument;
    for (int i = 0; forked < forks; i++) {
        char wanted[64];
        snprintf(wanted, sizeof wanted, "thread %d, request %d", thread, i);
        chat(client, wanted);
        chats++;
        nomyo_response *held = thread % 2 ? answer_to(client, ASK, NULL) : NULL;
        if (thread % 2) {
            fork_once();
            CHECK_TEXT(nomyo_response_content(held, 0, NULL), "the parent's own words");
        }
        nomyo_response_free(held);
    }
    return NULL;
}

/* Any RSA key seals. */
static nomyo_sealed *sealed_request(void) {
    static uint8_t pem[4096];
    FILE *file = fopen(NOMYO_FIXTURES "/keys/server_public.pem", "rb");
    size_t len = file ? fread(pem, 1, sizeof pem, file) : 0;
    nomyo_sealed *made = NULL;
    nomyo_error *err = NULL;
    CHECK_OK(nomyo_seal(client, pem, len, BYTES(ASK), NULL, &made, &err), &err);
    if (file) {
        fclose(file);
    }
    return made;
}

int main(int argc, char **argv) {
    pthread_t threads[THREADS], reader;
    int numbers[THREADS];
    forks = argc > 1 ? atoi(argv[1]) : forks;
    client = client_of(endpoint_config());
    answer = answer_to(client, ASK, NULL);
    CHECK_TEXT(nomyo_response_pointer(answer, "/choices/0/message/content", NULL), "\"the parent's own words\"");
    sealed = sealed_request();
    secret = nomyo_secret_alloc(5000, NULL);
    memset(secret, 0xee, 5000);
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        CHECK(pthread_create(&threads[i], NULL, work, &numbers[i]) == 0);
    }
    CHECK(pthread_create(&reader, NULL, read_values, NULL) == 0);
    while (fork_once()) {
    }
    pthread_join(reader, NULL);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    chat(client, "after all of them");
    CHECK_TEXT(nomyo_response_content(answer, 0, NULL), "the parent's own words");
    CHECK(secret[0] == 0xee && secret[4999] == 0xee);
    nomyo_memory_info info = memory_info();
    CHECK_INT(info.locked, proc_locked());
    free_what_is_the_parents();
    printf("fork_view: %d forks beside %d chats\n", forks, chats);
    return check_summary("fork_view");
}
