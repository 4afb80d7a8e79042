/*
 * Measures how much of the caller's stack the library uses. All calls run on a thread whose stack is filled with a pattern. Bytes
 * that changed were used.
 */
#include <pthread.h>

#include "endpoint.h"
#include "scratch.h"

#define ASK "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"in little room\"}]}"
#define PAINT 0xd7

/* The promise in nomyo.h, and the size of a stack that no operation fills. */
enum { PROMISED = 16 * 1024, ROOM = 1024 * 1024 };

static unsigned char stack[ROOM] __attribute__((aligned(4096)));
static struct scratch scratch;
/* The thread's first frame. The stack above belongs to the C library. */
static unsigned char *top;

static nomyo_config *config_with_keys(void) {
    nomyo_config *config = endpoint_config();
    ACCEPTED(nomyo_config_set_key_dir, config, scratch_path(&scratch, "keys"));
    nomyo_error *err = NULL;
    CHECK_OK(nomyo_config_set_key_password(config, (const uint8_t *)"a password", 10, &err), &err);
    return config;
}

static void *everything(void *argument) {
    unsigned char here;
    top = &here;
    nomyo_error *err = NULL;
    nomyo_client *client = client_of(config_with_keys());
    CHECK_OK(nomyo_client_warm_up(client, &err), &err);
    nomyo_response *response = answer_to(client, ASK, NULL);
    CHECK_TEXT(nomyo_response_content(response, 0, NULL), "in little room");
    CHECK(nomyo_response_pointer(response, "/choices/0/message", NULL) != NULL);
    nomyo_response_free(response);
    CHECK_OK(nomyo_client_rotate_keys(client, &err), &err);
    uint8_t *pem = NULL;
    size_t len = 0;
    CHECK_OK(nomyo_client_private_key_pem(client, (const uint8_t *)"another one", 11, &pem, &len, &err), &err);
    CHECK_OK(nomyo_client_load_keys_pem(client, pem, len, NULL, 0, (const uint8_t *)"another one", 11, &err), &err);
    nomyo_secret_free(pem);
    nomyo_client_free(client);
    return argument;
}

int main(void) {
    scratch = scratch_new();
    memset(stack, PAINT, sizeof stack);
    pthread_attr_t attributes;
    pthread_t thread;
    CHECK(pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setstack(&attributes, stack, sizeof stack) == 0);
    CHECK(pthread_create(&thread, &attributes, everything, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    size_t unused = 0;
    while (unused < sizeof stack && stack[unused] == PAINT) {
        unused++;
    }
    size_t used = (size_t)(top - stack) - unused;
    printf("small_stack: %zu bytes of the caller's stack were used\n", used);
    CHECK(used > 0 && used <= PROMISED);
    scratch_remove(&scratch);
    return check_summary("small_stack");
}
