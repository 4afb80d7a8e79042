/*
 * The C example's flow, one step at a time, for a scanner that looks at this process from outside (run.py).
 *
 * Commands come as lines on standard input, some with bytes behind them; each is answered by one line on standard
 * output. Secrets never touch stdio: they are read(2) straight into nomyo_secret_alloc(), and their addresses are told,
 * so that the scanner can leave out what is the caller's own.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "nomyo.h"
#include "storm.h"
#include "threads.h"

enum { SLOTS = 26, LINE = 1024, DEEP = 16 * 1024, PLANTED = 8 * 1024 };

/* The caller's own secrets, by letter. */
static struct {
    uint8_t *bytes;
    size_t len;
} slots[SLOTS];

static nomyo_config *config;
static nomyo_client *client;
static nomyo_call_options *options;
static nomyo_sealed *sealed;
static nomyo_response *response;
static nomyo_error *err;
static uint8_t *exported;
static pid_t forked;

/* Copies made on purpose, which the scanner must find. */
static uint8_t planted_static[PLANTED];
static uint8_t *planted_malloc, *planted_vault, *planted_dumpable;

static void write_all(const void *bytes, size_t len) {
    const uint8_t *at = bytes;
    while (len > 0) {
        ssize_t n = write(STDOUT_FILENO, at, len);
        if (n <= 0) {
            _exit(3);
        }
        at += n;
        len -= (size_t)n;
    }
}

/* One line without secrets. */
static void say(const char *format, ...) {
    char line[LINE];
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    n = n < 0 ? 0 : n > LINE - 2 ? LINE - 2 : n;
    line[n] = '\n';
    write_all(line, (size_t)n + 1);
}

static void read_exact(uint8_t *bytes, size_t len) {
    while (len > 0) {
        ssize_t n = read(STDIN_FILENO, bytes, len);
        if (n <= 0) {
            _exit(2);
        }
        bytes += n;
        len -= (size_t)n;
    }
}

static int read_line(char *line, size_t size) {
    for (size_t i = 0; i + 1 < size; i++) {
        if (read(STDIN_FILENO, line + i, 1) != 1) {
            return 0;
        }
        if (line[i] == '\n') {
            line[i] = '\0';
            return 1;
        }
    }
    return 0;
}

static int slot(const char *name) {
    return (*name - 'a' + SLOTS) % SLOTS;
}

/* What a call returned. The sentence is the library's own, without secrets by its promise, which the scan checks. */
static void report(int32_t status) {
    say("%s %s", nomyo_status_name(status), status == NOMYO_OK ? "" : nomyo_error_message(err));
}

static void take_slot(const char *name, size_t len) {
    int i = slot(name);
    nomyo_secret_free(slots[i].bytes);
    slots[i].bytes = nomyo_secret_alloc(len, NULL);
    slots[i].len = len;
    if (slots[i].bytes == NULL) {
        _exit(4);
    }
    read_exact(slots[i].bytes, len);
    say("%" PRIuPTR " %zu", (uintptr_t)slots[i].bytes, len);
}

static void configure(const char *url, const char *ca, int policy, const char *key) {
    config = nomyo_config_new();
    int32_t status = nomyo_config_set_base_url(config, url, &err);
    if (status == NOMYO_OK) {
        status = nomyo_config_set_ca_file(config, ca, &err);
    }
    if (status == NOMYO_OK) {
        status = nomyo_config_set_memory_policy(config, policy, &err);
    }
    if (status == NOMYO_OK) {
        status = nomyo_config_set_api_key(config, slots[slot(key)].bytes, slots[slot(key)].len, &err);
    }
    report(status);
}

/* The password in a slot; "-" is none. */
static const uint8_t *password(const char *name, size_t *len) {
    const int none = *name == '-';
    *len = none ? 0 : slots[slot(name)].len;
    return none ? NULL : slots[slot(name)].bytes;
}

static void key_directory(const char *dir, const char *name) {
    size_t len;
    const uint8_t *bytes = password(name, &len);
    int32_t status = nomyo_config_set_key_dir(config, dir, &err);
    if (status == NOMYO_OK) {
        status = nomyo_config_set_key_password(config, bytes, len, &err);
    }
    report(status);
}

static void load_keys(const char *private_pem, const char *name) {
    size_t len;
    const uint8_t *bytes = password(name, &len);
    report(nomyo_client_load_keys(client, private_pem, NULL, bytes, len, &err));
}

static void save_keys(const char *dir, const char *name) {
    size_t len;
    const uint8_t *bytes = password(name, &len);
    report(nomyo_client_save_keys(client, dir, bytes, len, &err));
}

static void load_pem(const char *pem, const char *name) {
    size_t len;
    const uint8_t *bytes = password(name, &len);
    int i = slot(pem);
    report(nomyo_client_load_keys_pem(client, slots[i].bytes, slots[i].len, NULL, 0, bytes, len, &err));
}

/* Tells where the text lies: it is the caller's from now on. */
static void export(const char *name) {
    size_t len, size = 0;
    const uint8_t *bytes = password(name, &len);
    int32_t status = nomyo_client_private_key_pem(client, bytes, len, &exported, &size, &err);
    say("%s %" PRIuPTR " %zu", nomyo_status_name(status), (uintptr_t)exported, size);
}

static void free_exported(void) {
    nomyo_secret_free(exported);
    exported = NULL;
    say("ok");
}

/* Whatever makes the client have a pair. */
static void use_keys(void) {
    nomyo_text *pem = NULL;
    int32_t status = nomyo_client_public_key(client, &pem, &err);
    nomyo_text_free(pem);
    report(status);
}

static void seal(const char *path, const char *request) {
    static uint8_t pem[8192];
    int fd = open(path, O_RDONLY);
    ssize_t len = read(fd, pem, sizeof pem);
    close(fd);
    int32_t status = nomyo_seal(client, pem, len > 0 ? (size_t)len : 0, slots[slot(request)].bytes,
                                slots[slot(request)].len, NULL, &sealed, &err);
    report(status);
}

static void give_sealed(void) {
    size_t headers_len = 0, body_len = 0;
    const char *headers = nomyo_sealed_headers(sealed, &headers_len);
    const uint8_t *body = nomyo_sealed_body(sealed, &body_len);
    say("%zu %zu", headers_len, body_len);
    write_all(headers, headers_len);
    write_all(body, body_len);
}

static void open_answer(size_t len) {
    uint8_t *body = malloc(len + 1);
    if (body == NULL) {
        _exit(4);
    }
    read_exact(body, len);
    report(nomyo_open(client, sealed, body, len, &response, &err));
    free(body);
}

/* Triggers after so many milliseconds. */
struct later {
    nomyo_cancel *cancel;
    uint64_t ms;
};

static void *trigger(void *data) {
    const struct later *later = data;
    const struct timespec pause = {(time_t)(later->ms / 1000), (long)(later->ms % 1000) * 1000000};
    nanosleep(&pause, NULL);
    nomyo_cancel_trigger(later->cancel);
    return NULL;
}

static void create(const char *request, uint64_t timeout_ms, uint64_t cancel_ms) {
    options = nomyo_call_options_new();
    int32_t status = timeout_ms > 0 ? nomyo_call_options_set_timeout_ms(options, timeout_ms, &err) : NOMYO_OK;
    struct later later = {nomyo_cancel_new(), cancel_ms};
    pthread_t thread;
    if (cancel_ms > 0 && status == NOMYO_OK) {
        status = nomyo_call_options_set_cancel(options, later.cancel, &err);
        pthread_create(&thread, NULL, trigger, &later);
    }
    if (status == NOMYO_OK) {
        status = nomyo_create(client, slots[slot(request)].bytes, slots[slot(request)].len, options, &response, &err);
    }
    if (cancel_ms > 0) {
        pthread_join(thread, NULL);
    }
    nomyo_cancel_free(later.cancel);
    report(status);
}

/* Every getter, some twice: each may keep a copy. */
static void read_answer(void) {
    static const char *const pointers[] = {"", "/choices", "/choices/0/message/content", "/choices/0", "/none", "/id"};
    size_t json = 0, content = 0, other = 0;
    for (int twice = 0; twice < 2; twice++) {
        nomyo_response_json(response, &json);
        nomyo_response_content(response, 0, &content);
        nomyo_response_reasoning(response, 0, &other);
        nomyo_response_tool_calls(response, 0, &other);
        nomyo_response_finish_reason(response, 0, &other);
        for (size_t i = 0; i < sizeof pointers / sizeof *pointers; i++) {
            nomyo_response_pointer(response, pointers[i], &other);
        }
    }
    const char *id = nomyo_response_payload_id(response);
    say("%zu %zu %s", json, content, id ? id : "-");
}

static void free_answer(void) {
    nomyo_response_free(response);
    nomyo_error_free(err);
    nomyo_call_options_free(options);
    response = NULL;
    err = NULL;
    options = NULL;
    say("ok");
}

static void free_config(void) {
    nomyo_config_free(config);
    config = NULL;
    say("ok");
}

static void free_client(void) {
    nomyo_client_free(client);
    client = NULL;
    free_config();
}

static void tell_memory(void) {
    nomyo_memory_info m;
    nomyo_memory_info_get(&m, sizeof m);
    say("%d %d %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %d %d", (int)m.policy, (int)m.level,
        m.page_size, m.limit, m.mapped, m.locked, m.refused, (int)m.dump_excluded, (int)m.fork_excluded);
}

/* Whether the system locks a page for this process: 0, or why not. */
static void try_mlock(void) {
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int why = mlock(page, 4096) == 0 ? 0 : errno;
    munmap(page, 4096);
    say("%d", why);
}

static void fork_and_wait(void) {
    forked = fork();
    if (forked == 0) {
        for (;;) {
            pause();
        }
    }
    say("%d", (int)forked);
}

/* Bytes on the stack, below every frame that the commands after this one reach. */
static void __attribute__((noinline)) on_stack(const uint8_t *bytes, size_t len) {
    volatile uint8_t frame[DEEP];
    for (size_t i = 0; i < len && i < sizeof frame; i++) {
        frame[i] = bytes ? bytes[i] : 0;
    }
}

static void plant(const char *name, const char *where, size_t from, size_t len) {
    uint8_t *copy = NULL;
    if (strcmp(where, "malloc") == 0) {
        copy = planted_malloc = calloc(1, PLANTED);
    } else if (strcmp(where, "static") == 0) {
        copy = planted_static;
    } else if (strcmp(where, "vault") == 0) {
        copy = planted_vault = nomyo_secret_alloc(PLANTED, NULL);
    } else if (strcmp(where, "dumpable") == 0) {
        copy = planted_dumpable = mmap(NULL, PLANTED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        mlock(planted_dumpable, PLANTED);
    }
    const uint8_t *bytes = slots[slot(name)].bytes + from;
    if (copy) {
        /* Byte by byte: memcpy() leaves other copies in vector registers, and systems store registers in the process. */
        for (volatile uint8_t *to = copy + 24; len > 0; len--) {
            *to++ = *bytes++;
        }
    } else {
        on_stack(bytes, len);
    }
    say("ok");
}

static void unplant(void) {
    if (planted_malloc) {
        nomyo_wipe(planted_malloc, PLANTED);
        free(planted_malloc);
    }
    nomyo_wipe(planted_static, PLANTED);
    nomyo_secret_free(planted_vault);
    if (planted_dumpable) {
        munmap(planted_dumpable, PLANTED);
    }
    planted_malloc = planted_vault = planted_dumpable = NULL;
    on_stack(NULL, DEEP);
    say("ok");
}

static void obey(char *line) {
    char word[4][LINE / 4] = {{0}};
    char command[32] = {0};
    sscanf(line, "%31s %255s %255s %255s %255s", command, word[0], word[1], word[2], word[3]);
    if (strcmp(command, "slot") == 0) {
        take_slot(word[0], strtoul(word[1], NULL, 10));
    } else if (strcmp(command, "forget") == 0) {
        nomyo_secret_free(slots[slot(word[0])].bytes);
        slots[slot(word[0])].bytes = NULL;
        say("ok");
    } else if (strcmp(command, "config") == 0) {
        configure(word[0], word[1], atoi(word[2]), word[3]);
    } else if (strcmp(command, "client") == 0) {
        report(nomyo_client_new(config, &client, &err));
    } else if (strcmp(command, "warm") == 0) {
        report(nomyo_client_warm_up(client, &err));
    } else if (strcmp(command, "key_dir") == 0) {
        key_directory(word[0], word[1]);
    } else if (strcmp(command, "use_keys") == 0) {
        use_keys();
    } else if (strcmp(command, "load_keys") == 0) {
        load_keys(word[0], word[1]);
    } else if (strcmp(command, "load_pem") == 0) {
        load_pem(word[0], word[1]);
    } else if (strcmp(command, "export") == 0) {
        export(word[0]);
    } else if (strcmp(command, "export_free") == 0) {
        free_exported();
    } else if (strcmp(command, "save_keys") == 0) {
        save_keys(word[0], word[1]);
    } else if (strcmp(command, "rotate_keys") == 0) {
        report(nomyo_client_rotate_keys(client, &err));
    } else if (strcmp(command, "seal") == 0) {
        seal(word[0], word[1]);
    } else if (strcmp(command, "sealed") == 0) {
        give_sealed();
    } else if (strcmp(command, "sealed_free") == 0) {
        nomyo_sealed_free(sealed);
        sealed = NULL;
        say("ok");
    } else if (strcmp(command, "open") == 0) {
        open_answer(strtoul(word[0], NULL, 10));
    } else if (strcmp(command, "create") == 0) {
        create(word[0], strtoull(word[1], NULL, 10), strtoull(word[2], NULL, 10));
    } else if (strcmp(command, "read") == 0) {
        read_answer();
    } else if (strcmp(command, "answer_free") == 0) {
        free_answer();
    } else if (strcmp(command, "config_free") == 0) {
        free_config();
    } else if (strcmp(command, "client_free") == 0) {
        free_client();
    } else if (strcmp(command, "memory") == 0) {
        tell_memory();
    } else if (strcmp(command, "pid") == 0) {
        say("%ld", (long)getpid());
    } else if (strcmp(command, "mlock") == 0) {
        try_mlock();
    } else if (strcmp(command, "storm") == 0) {
        const struct storm storm = storm_begin(strtol(word[0], NULL, 10), strcmp(word[1], "alt") == 0);
        say("%" PRIuPTR " %" PRIuPTR, (uintptr_t)storm.frames, (uintptr_t)storm.stack);
    } else if (strcmp(command, "no_threads") == 0) {
        say(refuse_threads() ? "ok" : "no seccomp");
    } else if (strcmp(command, "ticks") == 0) {
        say("%lu", storm_ticks());
    } else if (strcmp(command, "fork") == 0) {
        fork_and_wait();
    } else if (strcmp(command, "reap") == 0) {
        kill(forked, SIGKILL);
        waitpid(forked, NULL, 0);
        say("ok");
    } else if (strcmp(command, "plant") == 0) {
        plant(word[0], word[1], strtoul(word[2], NULL, 10), strtoul(word[3], NULL, 10));
    } else if (strcmp(command, "unplant") == 0) {
        unplant();
    } else if (strcmp(command, "abort") == 0) {
        abort();
    } else {
        say("what?");
    }
}

int main(void) {
    char line[LINE];
    /* gdb is no ancestor of this program: where only those may look, it says that all may. */
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
    while (read_line(line, sizeof line)) {
        storm_let();
        obey(line);
        storm_hold();
    }
    return EXIT_SUCCESS;
}
