/*
 * A pair that is loaded from memory, and one that is exported to memory: lengths, outputs, and the memory itself.
 */
#include "proc.h"
#include "scratch.h"

#define BYTES(text) ((const uint8_t *)(text)), (sizeof(text) - 1)

enum { MOST = 64 * 1024 };

static uint8_t *fixture(const char *name, size_t *len) {
    return (uint8_t *)fixture_text(name, len);
}

/* A client without a server: nothing here connects. */
static nomyo_client *client_new(void) {
    nomyo_client *client = NULL;
    CHECK_INT(nomyo_client_new(NULL, &client, NULL), NOMYO_OK);
    return client;
}

static void has_public(const nomyo_client *client, const char *wanted) {
    nomyo_text *pem = NULL;
    CHECK_INT(nomyo_client_public_key(client, &pem, NULL), NOMYO_OK);
    CHECK_TEXT(nomyo_text_data(pem, NULL), wanted);
    nomyo_text_free(pem);
}

static void arguments_are_checked(const nomyo_client *client) {
    size_t len = 0;
    uint8_t *pem = fixture("keys/client2048_private.pem", &len);
    REFUSED(NOMYO_ERR_ARGUMENT, "client is NULL", nomyo_client_load_keys_pem, NULL, pem, len, NULL, 0, NULL, 0);
    REFUSED(NOMYO_ERR_ARGUMENT, "private_pem is NULL", nomyo_client_load_keys_pem, client, NULL, 1, NULL, 0, NULL, 0);
    REFUSED(NOMYO_ERR_ARGUMENT, "public_pem is NULL", nomyo_client_load_keys_pem, client, pem, len, NULL, 1, NULL, 0);
    REFUSED(NOMYO_ERR_ARGUMENT, "pw is NULL", nomyo_client_load_keys_pem, client, pem, len, NULL, 0, NULL, 1);
    REFUSED(NOMYO_ERR_ARGUMENT, "is empty", nomyo_client_load_keys_pem, client, NULL, 0, NULL, 0, NULL, 0);
    REFUSED(NOMYO_ERR_ARGUMENT, "is empty", nomyo_client_load_keys_pem, client, BYTES(" \r\n"), NULL, 0, NULL, 0);
    REFUSED(NOMYO_ERR_ARGUMENT, "length of private_pem", nomyo_client_load_keys_pem, client, pem, SIZE_MAX, NULL, 0, NULL, 0);
    REFUSED(NOMYO_ERR_KEY, "the private key given", nomyo_client_load_keys_pem, client, BYTES("garbage"), NULL, 0, NULL, 0);
    REFUSED(NOMYO_ERR_KEY, "the public key given", nomyo_client_load_keys_pem, client, pem, len, BYTES("garbage"), NULL, 0);
    uint8_t *out = SENTINEL;
    size_t out_len = 77;
    REFUSED(NOMYO_ERR_ARGUMENT, "client is NULL", nomyo_client_private_key_pem, NULL, NULL, 0, &out, &out_len);
    REFUSED(NOMYO_ERR_ARGUMENT, "out is NULL", nomyo_client_private_key_pem, client, NULL, 0, NULL, &out_len);
    REFUSED(NOMYO_ERR_ARGUMENT, "out_len is NULL", nomyo_client_private_key_pem, client, NULL, 0, &out, NULL);
    REFUSED(NOMYO_ERR_ARGUMENT, "pw is NULL", nomyo_client_private_key_pem, client, NULL, 8, &out, &out_len);
    REFUSED(NOMYO_ERR_ARGUMENT, "8 characters", nomyo_client_private_key_pem, client, BYTES("short"), &out, &out_len);
    CHECK(out == SENTINEL && out_len == 77);
    free(pem);
}

/* Blanks behind the text make it as long as allowed, and one byte longer. */
static void sixty_four_kibibytes_and_not_a_byte_more(const nomyo_client *client) {
    static uint8_t private[MOST + 1], public[MOST + 1];
    size_t len = 0, public_len = 0;
    uint8_t *text = fixture("keys/client2048_private.pem", &len), *other = fixture("keys/client2048_public.pem", &public_len);
    memset(private, '\n', sizeof private);
    memset(public, '\n', sizeof public);
    memcpy(private, text, len);
    memcpy(public, other, public_len);
    ACCEPTED(nomyo_client_load_keys_pem, client, private, MOST, public, MOST, NULL, 0);
    REFUSED(NOMYO_ERR_ARGUMENT, "65537 bytes", nomyo_client_load_keys_pem, client, private, MOST + 1, NULL, 0, NULL, 0);
    REFUSED(NOMYO_ERR_ARGUMENT, "65537 bytes", nomyo_client_load_keys_pem, client, private, MOST, public, MOST + 1, NULL, 0);
    free(text);
    free(other);
}

/* The caller's memory is only read, and may be wiped at once. */
static void nothing_of_the_caller_is_kept(const nomyo_client *client) {
    size_t len = 0, public_len = 0;
    uint8_t *pem = fixture("keys/client_private_py_password.pem", &len), *before = fixture("keys/client_private_py_password.pem", &len);
    char *public = fixture_text("keys/client_public.pem", &public_len);
    char password[] = FIXTURE_PASSWORD;
    nomyo_error *err = NULL;
    CHECK_OK(nomyo_client_load_keys_pem(client, pem, len, NULL, 0, BYTES(password), &err), &err);
    CHECK(memcmp(pem, before, len) == 0 && strcmp(password, FIXTURE_PASSWORD) == 0);
    nomyo_wipe(pem, len);
    nomyo_wipe(password, sizeof password);
    has_public(client, public);
    free(pem);
    free(before);
    free(public);
}

static void read_behind(void *p) {
    volatile uint8_t *at = p;
    expect_to_die();
    check_passed += *at;
    _exit(77);
}

/* As nomyo_secret_alloc() gives memory: right before a guard page, not in dumps, zeros in a child. */
static void an_exported_key_is_in_guarded_memory(nomyo_client *client) {
    uint8_t *pem = NULL, *other = NULL;
    size_t len = 0, other_len = 0;
    nomyo_memory_info before = memory_info();
    CHECK_INT(nomyo_client_private_key_pem(client, BYTES("a long password"), &other, &other_len, NULL), NOMYO_OK);
    CHECK(strncmp((char *)other, "-----BEGIN ENCRYPTED PRIVATE KEY-----\n", 38) == 0);
    nomyo_secret_free(other);
    CHECK_INT(nomyo_client_private_key_pem(client, NULL, 0, &pem, &len, NULL), NOMYO_OK);
    CHECK(memory_info().mapped > before.mapped);
    CHECK(len > 1000 && strlen((char *)pem) == len && pem[len - 1] == '\n');
    CHECK(strncmp((char *)pem, "-----BEGIN PRIVATE KEY-----\n", 28) == 0);
    CHECK_INT(proc_flag(pem, "dd"), before.dump_excluded);
    CHECK(proc_flag(pem, "wf") == before.fork_excluded && proc_flag(pem + len, "wf") == before.fork_excluded);
    CHECK_INT(proc_flag(pem, "lo"), memory_info().refused == 0);
    int status = child_status(read_behind, pem + len + 1);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    nomyo_client_free(client);
    client = client_new();
    ACCEPTED(nomyo_client_load_keys_pem, client, pem, len, NULL, 0, NULL, 0); /* it has outlived its client */
    nomyo_client_free(client);
    nomyo_secret_free(pem);
}

/* The first export makes the pair, and the client goes on with it. */
static void an_export_generates_the_pair_if_there_is_none(void) {
    nomyo_client *client = client_new(), *other = client_new();
    uint8_t *pem = NULL;
    size_t len = 0;
    nomyo_text *public = NULL;
    CHECK_INT(nomyo_client_private_key_pem(client, NULL, 0, &pem, &len, NULL), NOMYO_OK);
    CHECK_INT(nomyo_client_public_key(client, &public, NULL), NOMYO_OK);
    CHECK_INT(nomyo_client_load_keys_pem(other, pem, len, NULL, 0, NULL, 0, NULL), NOMYO_OK);
    has_public(other, nomyo_text_data(public, NULL));
    nomyo_text_free(public);
    nomyo_secret_free(pem);
    nomyo_client_free(client);
    nomyo_client_free(other);
}

int main(void) {
    nomyo_client *client = client_new();
    arguments_are_checked(client);
    sixty_four_kibibytes_and_not_a_byte_more(client);
    nothing_of_the_caller_is_kept(client);
    an_exported_key_is_in_guarded_memory(client);
    an_export_generates_the_pair_if_there_is_none();
    return check_summary("keys_in_memory");
}
