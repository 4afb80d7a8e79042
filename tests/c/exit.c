/*
 * A process may exit while other threads are in calls, and may call the library while it exits. This program tries each way to
 * exit in a new process: `exit WAY MICROSECONDS`.
 */
#include <pthread.h>
#ifndef _WIN32
#include <sys/wait.h>
#endif

#include "endpoint.h"
#include "scratch.h"

#define ASK "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"until the end\"}]}"

enum { THREADS = 8, TIMES = 40, SECONDS = 60 };

static nomyo_client *client;
static pthread_t worker;
static int calls_late;
static _Atomic int stopped;

static int chats(void) {
    nomyo_response *response = NULL;
    int32_t status = nomyo_create(client, (const uint8_t *)ASK, strlen(ASK), NULL, &response, NULL);
    int right = status == NOMYO_OK && strcmp(nomyo_response_content(response, 0, NULL), "until the end") == 0;
    nomyo_response_free(response);
    return right;
}

static void *chat_once(void *unused) {
    (void)unused;
    return chats() ? &client : NULL;
}

static void *chat_until_stopped(void *unused) {
    (void)unused;
    while (!stopped) {
        if (!chats()) {
            return NULL;
        }
    }
    return &client;
}

static void detached(void *(*work)(void *)) {
    for (int i = 0; i < THREADS; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, work, NULL) == 0) {
            pthread_detach(thread);
        }
    }
}

static int right_on(pthread_t thread) {
    void *result = NULL;
    return pthread_join(thread, &result) == 0 && result != NULL;
}

/* With glibc, exit() runs the destructors of all libraries before this, because the loader registers them later. */
static void after_all_destructors(int status, void *unused) {
    pthread_t fresh;
    (void)status, (void)unused;
    if (!calls_late) {
        return;
    }
    stopped = 1;
    int right = right_on(worker) & chats();
    right &= pthread_create(&fresh, NULL, chat_once, NULL) == 0 && right_on(fresh);
    nomyo_client_free(client);
    _exit(right ? 7 : 1);
}

#ifdef __GLIBC__
static void before_the_loader(void) {
    on_exit(after_all_destructors, NULL);
}

__attribute__((used, section(".preinit_array"))) static void (*const first)(void) = before_the_loader;
#else
/* musl and Windows have neither on_exit() nor .preinit_array. They run the program's destructors before those of the libraries,
 * and after all functions of atexit(). Windows ends the other threads only after that. */
__attribute__((destructor)) static void last(void) {
    after_all_destructors(0, NULL);
}
#endif

/* One process, which returns from main(). */
static int one_way(const char *way, unsigned microseconds) {
    alarm(SECONDS);
    client = client_of(endpoint_config());
    size_t len = 0;
    char *pem = fixture_text("keys/client_private.pem", &len); /* otherwise each process would generate a pair */
    CHECK_INT(nomyo_client_load_keys_pem(client, (uint8_t *)pem, len, NULL, 0, NULL, 0, NULL), NOMYO_OK);
    CHECK_INT(nomyo_client_warm_up(client, NULL), NOMYO_OK);
    free(pem);
    if (strcmp(way, "late") == 0) {
        CHECK(chats() && pthread_create(&worker, NULL, chat_until_stopped, NULL) == 0);
        calls_late = check_failed == 0;
    } else {
        detached(strcmp(way, "first") == 0 ? chat_once : chat_until_stopped);
    }
    usleep(microseconds);
    return check_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* The exit code of this program, started with two arguments. Otherwise a number that is no exit code. */
static int exit_code(const char *program, const char *way, const char *argument) {
#ifdef _WIN32
    return (int)_spawnl(_P_WAIT, program, program, way, argument, (char *)NULL);
#else
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        execl(program, program, way, argument, (char *)NULL);
        _exit(127);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + status;
#endif
}

static void ends_with(int wanted, const char *program, const char *way, int microseconds) {
    char argument[32];
    snprintf(argument, sizeof argument, "%d", microseconds);
    int code = exit_code(program, way, argument);
    if (!CHECK_INT(code, wanted)) {
        fprintf(stderr, "    %s after %d microseconds: %#x\n", way, microseconds, (unsigned)code);
    }
}

int main(int argc, char **argv) {
    if (argc == 3) {
        return one_way(argv[1], (unsigned)atoi(argv[2]));
    }
    for (int i = 0; i < TIMES; i++) {
        ends_with(EXIT_SUCCESS, argv[0], "first", i * 100);
        ends_with(EXIT_SUCCESS, argv[0], "loop", i * 1000);
    }
    for (int i = 0; i < 5; i++) {
        ends_with(7, argv[0], "late", i * 1000);
    }
    return check_summary("exit");
}
