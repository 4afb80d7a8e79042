/*
 * The system answers 0 to any madvise() and does nothing, as an emulator may. The report must say so, and a forked child must
 * still find no secret. This program's madvise() takes precedence over the C library's.
 */
#include <sys/mman.h>

#include "endpoint.h"
#include "proc.h"

#define ASK "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"advised\"}]}"

static _Atomic int asked;

int madvise(void *address, size_t length, int advice) {
    (void)address, (void)length, (void)advice;
    asked++;
    return 0;
}

static void finds_nothing(void *secret) {
    const unsigned char *bytes = secret;
    for (int i = 0; i < 32; i++) {
        CHECK_INT(bytes[i], 0);
    }
}

int main(void) {
    nomyo_client *client = client_of(endpoint_config());
    nomyo_response_free(answer_to(client, ASK, NULL));
    nomyo_error *err = NULL;
    unsigned char *secret = nomyo_secret_alloc(32, &err);
    CHECK(secret != NULL);
    memset(secret, 0x5e, 32);
    nomyo_memory_info info = memory_info();
    CHECK(asked > 0);
    CHECK_INT(info.dump_excluded, 0);
    CHECK_INT(info.fork_excluded, 0);
    CHECK(info.level < NOMYO_MEMORY_LEVEL_FULL);
    CHECK_INT(child_status(finds_nothing, secret), 0);
    CHECK_INT(secret[0], 0x5e);
    nomyo_secret_free(secret);
    nomyo_client_free(client);
    return check_summary("advice");
}
