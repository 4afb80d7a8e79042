/*
 * The host defines the hooks by which AWS-LC and BoringSSL look for an allocator. The library's keys must stay in the vault.
 *
 * With the argument `outside`, the program is linked with the raw archive, and the host's hooks are in force. The library must
 * report that, and must refuse to work if its memory must be protected.
 */
#include "endpoint.h"
#include "log.h"
#include "proc.h"
#include "scratch.h"

static _Atomic unsigned long calls;

void *OPENSSL_memory_alloc(size_t size) {
    size_t *block = malloc(size + 16);
    calls++;
    if (block == NULL) {
        return NULL;
    }
    *block = size;
    return (char *)block + 16;
}

void OPENSSL_memory_free(void *block) {
    free((char *)block - 16);
}

size_t OPENSSL_memory_get_size(void *block) {
    return *(size_t *)(void *)((char *)block - 16);
}

void *OPENSSL_memory_realloc(void *old, size_t size) {
    void *block = OPENSSL_memory_alloc(size);
    if (block != NULL && old != NULL) {
        size_t had = OPENSSL_memory_get_size(old);
        memcpy(block, old, had < size ? had : size);
        OPENSSL_memory_free(old);
    }
    return block;
}

static nomyo_config *config_with(int32_t policy, struct log_lines *lines) {
    nomyo_config *config = nomyo_config_new();
    CHECK_INT(nomyo_config_set_memory_policy(config, policy, NULL), NOMYO_OK);
    log_to(config, lines);
    return config;
}

static struct log_lines lines;

static void loads_a_key(const nomyo_client *client) {
    nomyo_error *err = NULL;
    size_t len = 0;
    char *key = fixture_text("keys/client2048_private.pem", &len);
    CHECK_OK(nomyo_client_load_keys_pem(client, (uint8_t *)key, len, NULL, 0, NULL, 0, &err), &err);
    free(key);
}

static void the_host_receives_nothing(void) {
    nomyo_client *client = client_of(config_with(NOMYO_MEMORY_REQUIRE, &lines));
    loads_a_key(client);
    CHECK_INT(memory_info().level, NOMYO_MEMORY_LEVEL_FULL);
    CHECK_INT(memory_info().fork_excluded, 1);
    CHECK_INT(log_count(&lines, "outside the vault"), 0);
    nomyo_client_free(client);
    CHECK_INT(calls, 0);
}

static void the_library_says_that_the_host_has_the_keys(void) {
    nomyo_client *client = client_of(config_with(NOMYO_MEMORY_PREFER, &lines));
    loads_a_key(client);
    nomyo_memory_info info = memory_info();
    CHECK(calls > 0);
    CHECK(info.level <= NOMYO_MEMORY_LEVEL_PARTIAL);
    CHECK_INT(info.dump_excluded, 0);
    CHECK_INT(info.fork_excluded, 0);
    CHECK_INT(log_count(&lines, "W the memory for private keys is not protected"), 1);
    nomyo_config *config = config_with(NOMYO_MEMORY_REQUIRE, &lines);
    nomyo_client *refused = SENTINEL;
    REFUSED(NOMYO_ERR_SECURITY, "AWS-LC allocates outside the vault", nomyo_client_new, config, &refused);
    CHECK(refused == SENTINEL);
    nomyo_config_free(config);
    nomyo_client_free(client);
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "outside") == 0) {
        the_library_says_that_the_host_has_the_keys();
    } else {
        the_host_receives_nothing();
    }
    return check_summary("host_allocator");
}
