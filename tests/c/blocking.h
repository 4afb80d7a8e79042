/*
 * The functions that block, each as one call, in every situation in which they block for long.
 */
#ifndef BLOCKING_H
#define BLOCKING_H

#include <pthread.h>
#include <time.h>

#include "endpoint.h"
#include "proc.h"
#include "scratch.h"

#define BLOCKING_ASK "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}"

/* The situations that block a function. */
enum {
    BY_FOLDER = 1,     /* another process holds the lock of the key directory */
    BY_THREAD = 2,     /* another thread is making the key pair */
    BY_HANDSHAKE = 4,  /* the server accepts the connection and says nothing */
    BY_KEY_FETCH = 8,  /* the server is slow to send its key */
    BY_PASSWORD = 16,  /* the private key in the key directory has a password that takes seconds to try */
    BY_KEY_FILE = 32,  /* the private key to be loaded has one */
    BY_GENERATION = 64 /* there is no key pair yet, or another one is asked for */
};

/* The arguments of the calls. */
struct places {
    const char *folder; /* has no pair */
    const char *file;   /* a private key with a password */
    const char *text;   /* the text of that file */
};

struct blocking {
    const char *name;
    int32_t (*call)(const nomyo_client *client, const struct places *places, nomyo_error **err);
    int blocked;
};

static inline int32_t call_warm_up(const nomyo_client *client, const struct places *places, nomyo_error **err) {
    (void)places;
    return nomyo_client_warm_up(client, err);
}

static inline int32_t call_server_key(const nomyo_client *client, const struct places *places, nomyo_error **err) {
    nomyo_text *pem = NULL, *sha256 = NULL;
    (void)places;
    int32_t status = nomyo_client_server_key(client, &pem, &sha256, err);
    CHECK((status == NOMYO_OK) == (pem != NULL && sha256 != NULL));
    nomyo_text_free(pem);
    nomyo_text_free(sha256);
    return status;
}

static inline int32_t call_tls_chain(const nomyo_client *client, const struct places *places, nomyo_error **err) {
    nomyo_text *chain = NULL;
    (void)places;
    int32_t status = nomyo_client_tls_chain(client, &chain, err);
    CHECK((status == NOMYO_OK) == (chain != NULL));
    nomyo_text_free(chain);
    return status;
}

static inline int32_t call_public_key(const nomyo_client *client, const struct places *places, nomyo_error **err) {
    nomyo_text *pem = NULL;
    (void)places;
    int32_t status = nomyo_client_public_key(client, &pem, err);
    CHECK((status == NOMYO_OK) == (pem != NULL));
    nomyo_text_free(pem);
    return status;
}

static inline int32_t call_generate_keys(const nomyo_client *client, const struct places *places, nomyo_error **err) {
    return nomyo_client_generate_keys(client, places->folder, NULL, 0, err);
}

static inline int32_t call_generate_in_memory(const nomyo_client *client, const struct places *places, nomyo_error **err) {
    (void)places;
    return nomyo_client_generate_keys(client, NULL, NULL, 0, err);
}

static inline int32_t call_load_keys(const nomyo_client *client, const struct places *places, nomyo_error **err) {
    const char *pw = FIXTURE_PASSWORD;
    return nomyo_client_load_keys(client, places->file, NULL, (const uint8_t *)pw, strlen(pw), err);
}

static inline int32_t call_load_keys_pem(const nomyo_client *client, const struct places *places, nomyo_error **err) {
    const uint8_t *text = (const uint8_t *)places->text, *pw = (const uint8_t *)FIXTURE_PASSWORD;
    return nomyo_client_load_keys_pem(client, text, strlen(places->text), NULL, 0, pw, strlen(FIXTURE_PASSWORD), err);
}

static inline int32_t call_private_key_pem(const nomyo_client *client, const struct places *places, nomyo_error **err) {
    uint8_t *pem = NULL;
    size_t len = 0;
    (void)places;
    int32_t status = nomyo_client_private_key_pem(client, NULL, 0, &pem, &len, err);
    CHECK((status == NOMYO_OK) == (pem != NULL && len > 0));
    nomyo_secret_free(pem);
    return status;
}

static inline int32_t call_save_keys(const nomyo_client *client, const struct places *places, nomyo_error **err) {
    return nomyo_client_save_keys(client, places->folder, NULL, 0, err);
}

static inline int32_t call_rotate_keys(const nomyo_client *client, const struct places *places, nomyo_error **err) {
    (void)places;
    return nomyo_client_rotate_keys(client, err);
}

static inline int32_t call_create(const nomyo_client *client, const struct places *places, nomyo_error **err) {
    nomyo_response *response = NULL;
    (void)places;
    int32_t status = create_text(client, BLOCKING_ASK, NULL, &response, err);
    CHECK((status == NOMYO_OK) == (response != NULL));
    nomyo_response_free(response);
    return status;
}

static inline int32_t call_seal(const nomyo_client *client, const struct places *places, nomyo_error **err) {
    nomyo_sealed *sealed = NULL;
    size_t len = 0;
    char *pem = fixture_text("keys/server_public.pem", &len);
    (void)places;
    int32_t status = nomyo_seal(client, (const uint8_t *)pem, len, (const uint8_t *)BLOCKING_ASK, strlen(BLOCKING_ASK),
                                NULL, &sealed, err);
    CHECK((status == NOMYO_OK) == (sealed != NULL));
    nomyo_sealed_free(sealed);
    free(pem);
    return status;
}

static const struct blocking blocking[] = {
    {"warm_up", call_warm_up, BY_FOLDER | BY_THREAD | BY_HANDSHAKE | BY_KEY_FETCH},
    {"server_key", call_server_key, BY_HANDSHAKE | BY_KEY_FETCH},
    {"tls_chain", call_tls_chain, BY_HANDSHAKE},
    {"public_key", call_public_key, BY_FOLDER | BY_THREAD | BY_PASSWORD | BY_GENERATION},
    {"generate_keys", call_generate_keys, BY_FOLDER | BY_THREAD},
    {"generate_keys in memory", call_generate_in_memory, BY_THREAD | BY_GENERATION},
    {"load_keys", call_load_keys, BY_KEY_FILE | BY_THREAD},
    {"load_keys_pem", call_load_keys_pem, BY_KEY_FILE | BY_THREAD},
    {"private_key_pem", call_private_key_pem, BY_FOLDER | BY_THREAD | BY_PASSWORD | BY_GENERATION},
    {"save_keys", call_save_keys, BY_FOLDER | BY_THREAD},
    {"rotate_keys", call_rotate_keys, BY_FOLDER | BY_THREAD | BY_GENERATION},
    {"create", call_create, BY_FOLDER | BY_THREAD | BY_HANDSHAKE | BY_KEY_FETCH | BY_PASSWORD | BY_GENERATION},
    {"seal", call_seal, BY_FOLDER | BY_THREAD},
};
enum { BLOCKING = sizeof blocking / sizeof *blocking };

/* A client whose own timeouts are far away. `pair` is a private key that it loads, or NULL. */
static inline nomyo_client *patient_client(nomyo_config *config, const char *pair) {
    CHECK_INT(nomyo_config_set_timeout_ms(config, 60000, NULL), NOMYO_OK);
    CHECK_INT(nomyo_config_set_connect_timeout_ms(config, 60000, NULL), NOMYO_OK);
    nomyo_client *client = client_of(config);
    if (pair != NULL) {
        CHECK_INT(nomyo_client_load_keys(client, pair, NULL, NULL, 0, NULL), NOMYO_OK);
    }
    return client;
}

/* A handle on `client` with options of its own. Frees `options`, which the handle does not need any more. */
static inline nomyo_client *handle_with(const nomyo_client *client, nomyo_call_options *options) {
    nomyo_client *handle = NULL;
    nomyo_error *err = NULL;
    CHECK_OK(nomyo_client_with_options(client, options, &handle, &err), &err);
    nomyo_call_options_free(options);
    return handle;
}

/* One function in one situation. It shall be ended after `ms`. */
typedef void (*blocked_row)(const char *situation, const struct blocking *function, const nomyo_client *client,
                            const struct places *places, unsigned ms);

/* Long enough that the function waits, and too short to generate an RSA-4096 key pair. */
enum { UNTIL_IT_WAITS = 300, BEFORE_A_PAIR = 5 };

static inline void *make_the_pair(void *client) {
    nomyo_text *pem = NULL;
    CHECK_INT(nomyo_client_public_key(client, &pem, NULL), NOMYO_ERR_CANCELLED);
    return pem;
}

static inline nomyo_config *keys_in(const char *folder, const char *pw) {
    nomyo_config *config = endpoint_config();
    CHECK_INT(nomyo_config_set_key_dir(config, folder, NULL), NOMYO_OK);
    CHECK_INT(nomyo_config_set_key_password(config, (const uint8_t *)pw, strlen(pw), NULL), NOMYO_OK);
    return config;
}

static inline void blocked_by_folder(const struct places *places, blocked_row row) {
    int fd = lock_folder(places->folder);
    for (const struct blocking *function = blocking; function < blocking + BLOCKING; function++) {
        if (function->blocked & BY_FOLDER) {
            nomyo_client *client = patient_client(keys_in(places->folder, ""), NULL);
            row("a locked key directory", function, client, places, UNTIL_IT_WAITS);
            nomyo_client_free(client);
        }
    }
    close(fd);
}

static inline void blocked_by_thread(const struct places *places, blocked_row row) {
    int fd = lock_folder(places->folder);
    nomyo_client *client = patient_client(keys_in(places->folder, ""), NULL);
    nomyo_cancel *cancel = nomyo_cancel_new();
    nomyo_call_options *options = nomyo_call_options_new();
    CHECK_INT(nomyo_call_options_set_cancel(options, cancel, NULL), NOMYO_OK);
    nomyo_client *makes = handle_with(client, options);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, make_the_pair, makes) == 0);
    usleep(UNTIL_IT_WAITS * 1000);
    for (const struct blocking *function = blocking; function < blocking + BLOCKING; function++) {
        if (function->blocked & BY_THREAD) {
            row("another thread", function, client, places, UNTIL_IT_WAITS);
        }
    }
    nomyo_cancel_trigger(cancel);
    pthread_join(thread, NULL);
    nomyo_cancel_free(cancel);
    nomyo_client_free(makes);
    nomyo_client_free(client);
    close(fd);
}

static inline void blocked_by_server(const struct places *places, const char *pair, int situation, const char *faults,
                                     const char *name, blocked_row row) {
    for (const struct blocking *function = blocking; function < blocking + BLOCKING; function++) {
        if (function->blocked & situation) {
            nomyo_client *client = patient_client(endpoint_config(), pair);
            CHECK_INT(control("/control/faults", faults), 200);
            row(name, function, client, places, UNTIL_IT_WAITS);
            CHECK_INT(control("/control/faults", "{}"), 200);
            nomyo_client_free(client);
        }
    }
}

static inline void blocked_by_work(const struct places *places, const char *slow, const char *pair, blocked_row row) {
    for (const struct blocking *function = blocking; function < blocking + BLOCKING; function++) {
        if (function->blocked & BY_PASSWORD) {
            nomyo_client *client = patient_client(keys_in(slow, FIXTURE_PASSWORD), NULL);
            row("a slow password", function, client, places, UNTIL_IT_WAITS);
            nomyo_client_free(client);
        }
        if (function->blocked & BY_KEY_FILE) {
            nomyo_client *client = patient_client(endpoint_config(), pair);
            row("a slow password", function, client, places, UNTIL_IT_WAITS);
            CHECK_INT(call_seal(client, places, NULL), NOMYO_OK); /* with the pair that it had */
            nomyo_client_free(client);
        }
        if (function->blocked & BY_GENERATION) {
            nomyo_client *client = patient_client(endpoint_config(), NULL);
            row("key generation", function, client, places, BEFORE_A_PAIR);
            nomyo_client_free(client);
        }
    }
}

/* Runs `row` for each function in each situation that blocks it. Each row has a client of its own, but for BY_THREAD. */
static inline void each_blocked(blocked_row row) {
    struct scratch scratch = scratch_new();
    char folder[PATH_MAX], file[PATH_MAX], slow[PATH_MAX], pair[PATH_MAX];
    snprintf(folder, sizeof folder, "%s/folder", scratch.dir);
    snprintf(slow, sizeof slow, "%s/slow", scratch.dir);
    snprintf(file, sizeof file, "%s/slow/private_key.pem", scratch.dir);
    snprintf(pair, sizeof pair, "%s/pair.pem", scratch.dir);
    CHECK(mkdir(folder, 0700) == 0 && mkdir(slow, 0700) == 0);
    write_slow_key(file);
    copy_key("keys/client_public.pem", scratch_path(&scratch, "slow/public_key.pem"));
    copy_key("keys/client_private.pem", pair);
    size_t len = 0;
    char *text = fixture_text("keys/client_private_openssl_600k.pem", &len);
    slow_down(text);
    const struct places places = {folder, file, text};
    blocked_by_folder(&places, row);
    blocked_by_thread(&places, row);
    blocked_by_server(&places, pair, BY_HANDSHAKE, "{\"accept\":\"stall\",\"accept_times\":1}", "a silent server", row);
    blocked_by_server(&places, pair, BY_KEY_FETCH, "{\"key_fetch\":{\"delay_before_headers_ms\":60000,\"times\":1}}",
                      "a slow key fetch", row);
    blocked_by_work(&places, slow, pair, row);
    /* A locked directory stayed without a pair. */
    CHECK(access(scratch_path(&scratch, "folder/private_key.pem"), F_OK) != 0);
    free(text);
    /* Work that was abandoned ends by itself. Under AddressSanitizer a password takes minutes on a busy machine. */
    long one = one_thread();
    for (int i = 0; i < 9000 && proc_status("Threads") > one; i++) {
        usleep(100000);
    }
    CHECK_INT(proc_status("Threads"), one);
    /* Only now: abandoned work holds the key directory open, and Windows removes no directory that somebody holds. */
    scratch_remove(&scratch);
}

static inline struct timespec clock_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time;
}

static inline double ms_between(struct timespec from, struct timespec to) {
    return 1e3 * (double)(to.tv_sec - from.tv_sec) + 1e-6 * (double)(to.tv_nsec - from.tv_nsec);
}

#endif
