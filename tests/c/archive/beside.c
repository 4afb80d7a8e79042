/*
 * Two Rust static libraries in one program: each has an allocator, a standard library and panics of its own.
 */
#include "proc.h"
#include "scratch.h"

void other_keeps(size_t kib);
int32_t other_panics(void);

/* If the second library allocated in the vault, the vault would grow by 64 MiB. */
static void the_other_library_allocates_outside_the_vault(void) {
    nomyo_memory_info before = memory_info();
    other_keeps(64 * 1024);
    nomyo_memory_info after = memory_info();
    CHECK_INT(after.mapped, before.mapped);
    CHECK_INT(after.locked, before.locked);
    CHECK_INT(after.refused, before.refused);
}

static void this_library_works(void) {
    nomyo_client *client = NULL;
    nomyo_error *err = NULL;
    uint8_t *pem = NULL;
    size_t given = 0, len = 0;
    char *key = fixture_text("keys/client2048_private.pem", &given);
    CHECK_OK(nomyo_client_new(NULL, &client, &err), &err);
    CHECK_OK(nomyo_client_load_keys_pem(client, (uint8_t *)key, given, NULL, 0, NULL, 0, &err), &err);
    CHECK_OK(nomyo_client_private_key_pem(client, NULL, 0, &pem, &len, &err), &err);
    CHECK(len > 1000);
    REFUSED(NOMYO_ERR_KEY, "private key", nomyo_client_load_keys_pem, client, (const uint8_t *)"garbage", 7, NULL, 0, NULL, 0);
    nomyo_secret_free(pem);
    nomyo_client_free(client);
    free(key);
}

int main(void) {
    the_other_library_allocates_outside_the_vault();
    CHECK_INT(other_panics(), -7);
    this_library_works();
    CHECK_INT(other_panics(), -7);
    the_other_library_allocates_outside_the_vault();
    return check_summary("beside");
}
