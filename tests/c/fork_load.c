/*
 * Forks while eight threads chat, seal, and generate key pairs. Each child uses the library and ends by exit(). No child may
 * hang. The argument is the number of forks.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "endpoint.h"
#include "scratch.h"

#define BYTES(text) ((const uint8_t *)(text)), (sizeof(text) - 1)
#define ASK "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"under load\"}]}"

enum { CHATTING = 3, SEALING = 3, GENERATING = 2, THREADS = CHATTING + SEALING + GENERATING };

/* A child that runs longer than this counts as hung. It needs some milliseconds. */
enum { SECONDS = 60 };

static nomyo_client *client;
static char *server_key;
static size_t server_key_len;
static const char *key_file;
static _Atomic int over;
static _Atomic int chats, seals, pairs;

static void chat(void) {
    nomyo_response *response = answer_to(client, ASK, NULL);
    CHECK_TEXT(nomyo_response_content(response, 0, NULL), "under load");
    nomyo_response_free(response);
    chats++;
}

static void seal(const nomyo_client *with) {
    nomyo_sealed *sealed = NULL;
    nomyo_error *err = NULL;
    CHECK_OK(nomyo_seal(with, (uint8_t *)server_key, server_key_len, BYTES(ASK), NULL, &sealed, &err), &err);
    nomyo_sealed_free(sealed);
    seals++;
}

/* A client with a pair from a file: it generates none. */
static nomyo_client *loaded_client(void) {
    nomyo_client *loaded = client_of(nomyo_config_new());
    nomyo_error *err = NULL;
    CHECK_OK(nomyo_client_load_keys(loaded, key_file, NULL, NULL, 0, &err), &err);
    return loaded;
}

static void generate(nomyo_client *with) {
    nomyo_error *err = NULL;
    CHECK_OK(nomyo_client_generate_keys(with, NULL, NULL, 0, &err), &err);
    pairs++;
}

/* The end of the thread matters too: a thread that has drawn random bytes takes the generator's locks once more at its end. */
static void *one_seal(void *with) {
    seal(with);
    return NULL;
}

static void seal_on_a_thread(nomyo_client *with) {
    pthread_t thread;
    if (CHECK(pthread_create(&thread, NULL, one_seal, with) == 0)) {
        pthread_join(thread, NULL);
    }
}

static void *work(void *argument) {
    int number = *(int *)argument;
    /* Lowers the priority of this thread alone. The forking thread then runs first, and forks during this thread's work. */
    CHECK(setpriority(PRIO_PROCESS, 0, 5) == 0);
    nomyo_client *own = number < CHATTING ? NULL : loaded_client();
    while (!over) {
        if (number < CHATTING) {
            chat();
        } else if (number < CHATTING + SEALING) {
            seal(own);
            seal_on_a_thread(own);
        } else {
            generate(own);
        }
    }
    nomyo_client_free(own);
    return NULL;
}

/* Uses the library on the thread that forked and on a new thread. The caller then runs exit(). */
static int child(int number) {
    check_passed = check_failed = 0;
    if (number % 3 != 0) {
        nomyo_client *own = loaded_client();
        if (number % 3 == 1) {
            seal(own);
        }
        seal_on_a_thread(own);
        nomyo_client_free(own);
    }
    nomyo_client_free(client);
    return check_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* The pipe's other end closes when the child is over. */
static int fork_once(int number) {
    int ends[2], status = -1;
    if (!CHECK(pipe2(ends, O_CLOEXEC) == 0)) {
        return 0;
    }
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        exit(child(number));
    }
    close(ends[1]);
    struct pollfd end = {.fd = ends[0], .events = POLLIN};
    int hangs = poll(&end, 1, SECONDS * 1000) == 0;
    close(ends[0]);
    if (!CHECK(!hangs)) {
        fprintf(stderr, "    child %d hangs\n", number);
        kill(pid, SIGKILL);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    if (!hangs && !CHECK_INT(status, 0)) {
        fprintf(stderr, "    child %d: status %#x\n", number, (unsigned)status);
    }
    return !hangs;
}

int main(int argc, char **argv) {
    int forks = argc > 1 ? atoi(argv[1]) : 300, done = 0, hung = 0;
    pthread_t threads[THREADS];
    int numbers[THREADS];
    double slowest = 0, began = now();
    struct scratch scratch = scratch_new();
    key_file = strdup(scratch_path(&scratch, "key.pem"));
    copy_key("keys/client_private.pem", key_file);
    server_key = fixture_text("keys/server_public.pem", &server_key_len);
    client = client_of(endpoint_config());
    chat();
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        CHECK(pthread_create(&threads[i], NULL, work, &numbers[i]) == 0);
    }
    for (; done < forks && hung < 5; done++) {
        double before = now();
        hung += !fork_once(done);
        slowest = now() - before > slowest ? now() - before : slowest;
    }
    over = 1;
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    nomyo_client_free(client);
    printf("fork_load: %d forks, %d hung, beside %d chats, %d seals, %d pairs; %.0f s, the slowest fork and child %.3f s\n",
           done, hung, chats, seals, pairs, now() - began, slowest);
    free(server_key);
    free((char *)key_file);
    scratch_remove(&scratch);
    return check_summary("fork_load");
}
