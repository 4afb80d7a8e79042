/*
 * What belongs to the host stays as it was: signals, limits, environment, standard output. There is one thread for a
 * client's first pair and one for a connection to a name, which take no signals and go; none for a connection to an
 * address, and none while the pair is there. And what the host asked to be told about is told without the API key in it.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "endpoint.h"
#include "proc.h"

#define ASK "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"my prompt\"}]}"

extern char **environ;

static _Atomic int threads_made, threads_with_signals, fork_handlers;

/* Stands before the C library's, and counts. A thread inherits the mask of the one that makes it. */
int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*body)(void *), void *arg) {
    int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    sigset_t blocked;
    pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    threads_made++;
    threads_with_signals += !sigismember(&blocked, SIGINT) || !sigismember(&blocked, SIGUSR1) || !sigismember(&blocked, SIGPROF);
    return real(thread, attr, body, arg);
}

/* Stands before the C library's, and counts. glibc's pthread_atfork() is a part of each program and calls this. */
#ifdef __GLIBC__
int __register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void), void *library) {
    int (*real)(void (*)(void), void (*)(void), void (*)(void), void *) = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, "__register_atfork");
    fork_handlers++;
    return real(prepare, parent, child, library);
}
#else
int pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void)) {
    int (*real)(void (*)(void), void (*)(void), void (*)(void)) = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, "pthread_atfork");
    fork_handlers++;
    return real(prepare, parent, child);
}
#endif

static void *nothing(void *arg) {
    return arg;
}

struct state {
    struct sigaction signals[65];
    struct rlimit limits[RLIM_NLIMITS];
    char environment[65536];
    char directory[4096];
    mode_t mask;
    sigset_t blocked;
};

static void remember(struct state *state) {
    memset(state, 0, sizeof *state);
    for (int i = 1; i < 65; i++) {
        sigaction(i, NULL, &state->signals[i]);
    }
    for (int i = 0; i < RLIM_NLIMITS; i++) {
        getrlimit(i, &state->limits[i]);
    }
    for (char **variable = environ; *variable; variable++) {
        size_t used = strlen(state->environment);
        snprintf(state->environment + used, sizeof state->environment - used, "%s\n", *variable);
    }
    CHECK(getcwd(state->directory, sizeof state->directory) != NULL);
    state->mask = umask(0);
    umask(state->mask);
    pthread_sigmask(SIG_BLOCK, NULL, &state->blocked);
}

struct lines {
    unsigned count, warnings, secrets;
    char text[8192];
};

static void keep_line(void *data, int32_t level, const char *line, size_t len) {
    struct lines *lines = data;
    const char *key = endpoint_api_key();
    char copy[4096];
    snprintf(copy, sizeof copy, "%.*s\n", (int)len, line);
    lines->count++;
    lines->warnings += level == NOMYO_LOG_WARN && strstr(copy, "HTTP") != NULL;
    lines->secrets += strstr(copy, "my prompt") != NULL || (key != NULL && strstr(copy, key) != NULL);
    strncat(lines->text, copy, sizeof lines->text - strlen(lines->text) - 1);
}

static nomyo_config *plain_config(void) {
    nomyo_config *config = endpoint_config();
    ACCEPTED(nomyo_config_set_allow_http, config, 1);
    ACCEPTED(nomyo_config_set_base_url, config, endpoint_variable("NOMYO_TEST_PLAIN_BASE_URL"));
    return config;
}

static void the_log_warns_of_http_and_keeps_secrets(void) {
    struct lines lines = {0}, silent = {0};
    nomyo_config *config = plain_config();
    ACCEPTED(nomyo_config_set_log, config, NOMYO_LOG_DEBUG, keep_line, &lines);
    nomyo_client *client = client_of(config);
    CHECK_INT(lines.warnings, 1);
    nomyo_response_free(answer_to(client, ASK, NULL));
    nomyo_error_free(error_of(client, "{\"api_key\":\"other\",\"nomyo_test\":{\"status\":401}}", NULL));
    nomyo_client_free(client);
    CHECK_INT(lines.secrets, 0);
    config = plain_config();
    ACCEPTED(nomyo_config_set_log, config, NOMYO_LOG_ERROR, keep_line, &silent);
    nomyo_client_free(client_of(config));
    CHECK_INT(silent.count, 0);
    config = endpoint_config();
    ACCEPTED(nomyo_config_set_log, config, NOMYO_LOG_WARN, keep_line, &silent);
    nomyo_client_free(client_of(config));
    CHECK_INT(silent.warnings, 0);
}

/* Work of every kind, by name and by number, with good and bad ends. */
static void work(void) {
    char url[256];
    nomyo_client *numbered = client_of(endpoint_config());
    for (int i = 0; i < 3; i++) {
        nomyo_response_free(answer_to(numbered, ASK, NULL));
    }
    nomyo_client_free(numbered);
    CHECK_INT(threads_made, 1);
    const char *port = strrchr(endpoint_variable("NOMYO_TEST_BASE_URL"), ':');
    snprintf(url, sizeof url, "https://localhost%s", port);
    nomyo_config *config = endpoint_config();
    ACCEPTED(nomyo_config_set_base_url, config, url);
    nomyo_client *named = client_of(config);
    for (int i = 0; i < 3; i++) {
        nomyo_response_free(answer_to(named, ASK, NULL));
    }
    nomyo_client_free(named);
    CHECK_INT(threads_made, 3);
    config = nomyo_config_new();
    ACCEPTED(nomyo_config_set_base_url, config, "https://127.0.0.1:1");
    nomyo_client *nobody = client_of(config);
    nomyo_error_free(error_of(nobody, ASK, NULL));
    nomyo_error_free(error_of(nobody, "[]", NULL));
    nomyo_client_free(nobody);
    CHECK_INT(threads_made, 4);
}

/* What `work` writes to file descriptors 1 and 2 goes to a file, which must stay empty but for failed checks. */
static void silently(void (*body)(void)) {
    FILE *file = tmpfile();
    fflush(NULL);
    int out = dup(1), err = dup(2);
    unsigned failed = check_failed;
    dup2(fileno(file), 1);
    dup2(fileno(file), 2);
    body();
    fflush(NULL);
    dup2(out, 1);
    dup2(err, 2);
    close(out);
    close(err);
    struct stat written;
    fstat(fileno(file), &written);
    if (check_failed == failed) {
        CHECK_INT(written.st_size, 0);
    }
    char text[4096];
    rewind(file);
    for (size_t n; (n = fread(text, 1, sizeof text, file)) > 0;) {
        fwrite(text, 1, n, stderr);
    }
    fclose(file);
}

int main(void) {
    static struct state before, after;
    remember(&before);
    silently(work);
    the_log_warns_of_http_and_keeps_secrets();
    remember(&after);
    for (int i = 1; i < 65; i++) {
        if (!CHECK(before.signals[i].sa_handler == after.signals[i].sa_handler)) {
            fprintf(stderr, "    signal %d has another handler\n", i);
        }
    }
    CHECK(memcmp(before.limits, after.limits, sizeof before.limits) == 0);
    CHECK_TEXT(after.environment, before.environment);
    CHECK_TEXT(after.directory, before.directory);
    CHECK(before.mask == after.mask);
    CHECK(memcmp(&before.blocked, &after.blocked, sizeof before.blocked) == 0);
    CHECK_INT(threads_with_signals, 0);
    CHECK_INT(fork_handlers, 1);
    long one = one_thread();
    for (int i = 0; i < 1000 && proc_status("Threads") > one; i++) {
        usleep(10000);
    }
    CHECK_INT(proc_status("Threads"), one);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0);
    CHECK_INT(threads_made, 6);
    CHECK_INT(threads_with_signals, 1);
    return check_summary("process");
}
