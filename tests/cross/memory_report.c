/*
 * What the library reports about its memory is what the system granted. The argument is the level that this system can grant:
 *
 *     memory_report full         everything, as Linux does
 *     memory_report partial      locks, but no advice: an emulator answers 0 to it and does nothing
 */
#include "endpoint.h"
#include "proc.h"

#define ASK "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"reported\"}]}"

static void finds_nothing(void *secret) {
    const unsigned char *bytes = secret;
    for (int i = 0; i < 32; i++) {
        CHECK_INT(bytes[i], 0);
    }
}

int main(int argc, char **argv) {
    int full = argc == 2 && strcmp(argv[1], "full") == 0;
    CHECK(full || (argc == 2 && strcmp(argv[1], "partial") == 0));
    nomyo_client *client = client_of(endpoint_config());
    nomyo_response *answer = answer_to(client, ASK, NULL);
    nomyo_error *err = NULL;
    unsigned char *secret = nomyo_secret_alloc(32, &err);
    CHECK(secret != NULL);
    memset(secret, 0x5e, 32);
    nomyo_memory_info info = {0};
    CHECK_INT(nomyo_memory_info_get(&info, sizeof info), NOMYO_OK);
    printf("level %d, pages of %llu bytes, %llu bytes mapped, %llu locked, %llu refused, excluded from dumps %d, from forks %d\n",
           info.level, (unsigned long long)info.page_size, (unsigned long long)info.mapped, (unsigned long long)info.locked,
           (unsigned long long)info.refused, info.dump_excluded, info.fork_excluded);
    CHECK_INT(info.level, full ? NOMYO_MEMORY_LEVEL_FULL : NOMYO_MEMORY_LEVEL_PARTIAL);
    CHECK_INT(info.dump_excluded, full);
    CHECK_INT(info.fork_excluded, full);
    CHECK_INT(info.page_size, sysconf(_SC_PAGESIZE));
    CHECK(info.mapped > 0 && info.locked == info.mapped && info.refused == 0);
    /* The kernel counts the same, at a moment at which no call is under way. */
    CHECK_INT(info.locked, proc_locked());
    /* Whatever the advice does, a child finds no secret. */
    CHECK_INT(child_status(finds_nothing, secret), 0);
    CHECK_INT(secret[0], 0x5e);
    nomyo_secret_free(secret);
    nomyo_response_free(answer);
    nomyo_client_free(client);
    return check_summary("memory_report");
}
