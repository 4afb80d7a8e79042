/*
 * The memory policy under limits that bite. Each case is a child that sets its limit before the library is first used:
 * the parent never calls it.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "endpoint.h"
#include "proc.h"

#define ASK "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"locked?\"}]}"
#define SLOW_ASK \
    "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"locked?\"}],\"nomyo_test\":{\"delay_before_headers_ms\":500}}"
/* Calls in a burst that does not fit into 8 MiB, and calls that fit whatever the build: a call of the pure-Rust library without
 * optimisation takes some 320 KiB. */
#define BURST 100
#define FIT 16

struct limited {
    rlim_t bytes;
};

static nomyo_config *config_with(int32_t policy) {
    nomyo_config *config = endpoint_config();
    ACCEPTED(nomyo_config_set_memory_policy, config, policy);
    return config;
}

static void chats(const nomyo_client *client) {
    nomyo_response *response = answer_to(client, ASK, NULL);
    CHECK_TEXT(nomyo_response_content(response, 0, NULL), "locked?");
    nomyo_response_free(response);
}

/* The report says what the kernel says, and of itself nothing that contradicts. */
static nomyo_memory_info truthful(rlim_t limit, int32_t policy) {
    nomyo_memory_info info = memory_info();
    CHECK_INT(info.locked, proc_locked());
    CHECK_INT(info.limit, limit);
    CHECK_INT(info.policy, policy);
    CHECK_INT(info.page_size, sysconf(_SC_PAGESIZE));
    CHECK(info.mapped > 0 && info.locked + info.refused <= info.mapped);
    CHECK_INT(info.level, info.locked == 0             ? NOMYO_MEMORY_LEVEL_WIPE_ONLY
                          : info.locked < info.mapped ? NOMYO_MEMORY_LEVEL_PARTIAL
                                                      : NOMYO_MEMORY_LEVEL_FULL);
    CHECK_INT(info.dump_excluded, 1);
    CHECK_INT(info.fork_excluded, 1);
    return info;
}

static void prefer(void *argument) {
    rlim_t limit = ((struct limited *)argument)->bytes;
    CHECK(limited_to(limit));
    nomyo_client *client = client_of(config_with(NOMYO_MEMORY_PREFER));
    truthful(limit, NOMYO_MEMORY_PREFER);
    chats(client);
    nomyo_memory_info info = truthful(limit, NOMYO_MEMORY_PREFER);
    CHECK_INT(info.locked + info.refused, info.mapped);
    CHECK(info.locked <= limit);
    if (limit == 0) {
        CHECK_INT(info.level, NOMYO_MEMORY_LEVEL_WIPE_ONLY);
    } else if (limit >= 8 << 20) {
        CHECK_INT(info.level, NOMYO_MEMORY_LEVEL_FULL);
    }
    printf("memory_policy: PREFER under %llu: %llu mapped, %llu locked, %llu refused\n", (unsigned long long)limit,
           (unsigned long long)info.mapped, (unsigned long long)info.locked, (unsigned long long)info.refused);
    nomyo_client_free(client);
    truthful(limit, NOMYO_MEMORY_PREFER);
}

static void require(void *argument) {
    rlim_t limit = ((struct limited *)argument)->bytes;
    char sentence[64];
    snprintf(sentence, sizeof sentence, "RLIMIT_MEMLOCK is %llu bytes", (unsigned long long)limit);
    CHECK(limited_to(limit));
    nomyo_config *config = config_with(NOMYO_MEMORY_REQUIRE);
    nomyo_client *client = NULL;
    nomyo_response *response = SENTINEL;
    nomyo_error *err = NULL;
    int32_t status = nomyo_client_new(config, &client, &err);
    if (limit >= 8 << 20) {
        CHECK_OK(status, &err);
        chats(client);
        CHECK_INT(truthful(limit, NOMYO_MEMORY_REQUIRE).level, NOMYO_MEMORY_LEVEL_FULL);
    } else if (status == NOMYO_OK) {
        /* What a client alone needs was just within the limit. What a call needs is not. */
        CHECK_INT(create_text(client, ASK, NULL, &response, &err), NOMYO_ERR_SECURITY);
        check_error(err, NOMYO_ERR_SECURITY, sentence, "create under REQUIRE", __FILE__, __LINE__);
        CHECK_INT(nomyo_error_attempts(err), 0);
        CHECK(response == SENTINEL);
        nomyo_error_free(err);
        REFUSED(NOMYO_ERR_SECURITY, sentence, nomyo_client_warm_up, client);
    } else {
        CHECK_INT(status, NOMYO_ERR_SECURITY);
        check_error(err, NOMYO_ERR_SECURITY, sentence, "client under REQUIRE", __FILE__, __LINE__);
        nomyo_error_free(err);
        CHECK(client == NULL);
        REFUSED(NOMYO_ERR_SECURITY, sentence, nomyo_client_new, config, &client);
        /* The one that was refused has no say. */
        truthful(limit, NOMYO_MEMORY_PREFER);
    }
    nomyo_config_free(config);
    nomyo_client_free(client);
}

/* The first thing that the library is told is OFF: nothing of its memory is locked, before, during or after. */
static void off(void *argument) {
    rlim_t limit = ((struct limited *)argument)->bytes;
    CHECK(limited_to(limit));
    nomyo_client *client = client_of(config_with(NOMYO_MEMORY_OFF));
    chats(client);
    nomyo_memory_info info = truthful(limit, NOMYO_MEMORY_OFF);
    CHECK_INT(proc_locked(), 0);
    CHECK_INT(info.refused, 0);
    CHECK_INT(info.level, NOMYO_MEMORY_LEVEL_WIPE_ONLY);
    unsigned char *secret = nomyo_secret_alloc(100, NULL);
    CHECK(secret != NULL && !proc_flag(secret, "lo") && proc_flag(secret, "dd") && proc_flag(secret, "wf"));
    nomyo_secret_free(secret);
    nomyo_client_free(client);
}

static void the_strictest_is_in_force(void *argument) {
    enum { OFF = NOMYO_MEMORY_OFF, PREFER = NOMYO_MEMORY_PREFER, REQUIRE = NOMYO_MEMORY_REQUIRE };
    CHECK(limited_to(((struct limited *)argument)->bytes));
    CHECK_INT(memory_info().policy, PREFER);
    nomyo_client *off1 = client_of(config_with(OFF));
    CHECK_INT(memory_info().policy, OFF);
    nomyo_client *off2 = client_of(config_with(OFF));
    nomyo_client *prefer1 = client_of(endpoint_config()); /* the default */
    CHECK_INT(memory_info().policy, PREFER);
    nomyo_client *require1 = client_of(config_with(REQUIRE));
    CHECK_INT(memory_info().policy, REQUIRE);
    nomyo_client_free(prefer1);
    CHECK_INT(memory_info().policy, REQUIRE);
    nomyo_client_free(require1);
    CHECK_INT(memory_info().policy, OFF);
    nomyo_client_free(off1);
    CHECK_INT(memory_info().policy, OFF);
    nomyo_client_free(off2);
    CHECK_INT(memory_info().policy, PREFER);
    nomyo_config *config = nomyo_config_new();
    REFUSED(NOMYO_ERR_ARGUMENT, "policy", nomyo_config_set_memory_policy, config, 3);
    REFUSED(NOMYO_ERR_ARGUMENT, "policy", nomyo_config_set_memory_policy, config, -1);
    nomyo_config_free(config);
}

/* What was mapped while nobody asked for locks is locked for the one who requires them, or it is refused. */
static void require_after_off(void *argument) {
    rlim_t limit = ((struct limited *)argument)->bytes;
    CHECK(limited_to(limit));
    nomyo_client *off1 = client_of(config_with(NOMYO_MEMORY_OFF));
    chats(off1);
    nomyo_config *config = config_with(NOMYO_MEMORY_REQUIRE);
    nomyo_client *strict = NULL;
    nomyo_response *response = NULL;
    int32_t status = nomyo_client_new(config, &strict, NULL);
    if (status == NOMYO_OK) {
        status = create_text(strict, ASK, NULL, &response, NULL);
    }
    nomyo_memory_info info = memory_info();
    CHECK(status == NOMYO_ERR_SECURITY || (status == NOMYO_OK && info.level == NOMYO_MEMORY_LEVEL_FULL));
    if (limit >= 8 << 20) {
        CHECK_INT(status, NOMYO_OK);
    } else {
        CHECK_INT(status, NOMYO_ERR_SECURITY);
    }
    nomyo_config_free(config);
    nomyo_response_free(response);
    nomyo_client_free(strict);
    nomyo_client_free(off1);
}

/* A secret that must be locked and cannot be is none at all; one that fits is. */
static void secrets_under_require(void *argument) {
    rlim_t limit = ((struct limited *)argument)->bytes;
    CHECK(limited_to(limit));
    nomyo_client *strict = client_of(config_with(NOMYO_MEMORY_REQUIRE));
    nomyo_memory_info before = memory_info();
    nomyo_error *err = NULL;
    CHECK(nomyo_secret_alloc(limit, &err) == NULL);
    check_error(err, NOMYO_ERR_SECURITY, "RLIMIT_MEMLOCK is", "secret under REQUIRE", __FILE__, __LINE__);
    nomyo_error_free(err);
    /* The vault gives back idle memory before it reports a refused lock. */
    CHECK(memory_info().mapped <= before.mapped);
    CHECK_INT(memory_info().refused, 0);
    unsigned char *fits = nomyo_secret_alloc(PAGE, NULL);
    CHECK(fits != NULL && proc_flag(fits, "lo"));
    nomyo_secret_free(fits);
    chats(strict);
    nomyo_client_free(strict);
}

/* An answer that needs more than there is does not come, and nothing is left of it. */
static void too_large_to_lock(void *argument) {
    rlim_t limit = ((struct limited *)argument)->bytes;
    CHECK(limited_to(limit));
    nomyo_client *strict = client_of(config_with(NOMYO_MEMORY_REQUIRE));
    char *json = request_of_size((size_t)limit);
    nomyo_error *err = error_of(strict, json, NULL);
    check_error(err, NOMYO_ERR_SECURITY, "RLIMIT_MEMLOCK is", "large request under REQUIRE", __FILE__, __LINE__);
    nomyo_error_free(err);
    chats(strict);
    CHECK_INT(truthful(limit, NOMYO_MEMORY_REQUIRE).level, NOMYO_MEMORY_LEVEL_FULL);
    nomyo_client_free(strict);
    nomyo_client *lenient = client_of(config_with(NOMYO_MEMORY_PREFER));
    nomyo_response_free(answer_to(lenient, json, NULL));
    truthful(limit, NOMYO_MEMORY_PREFER);
    nomyo_client_free(lenient);
    free(json);
}

struct burst {
    const nomyo_client *client;
    atomic_int served, refused;
};

static void *asks_once(void *argument) {
    struct burst *burst = argument;
    nomyo_response *response = NULL;
    nomyo_error *err = NULL;
    int32_t status = create_text(burst->client, SLOW_ASK, NULL, &response, &err);
    if (status == NOMYO_OK) {
        burst->served += strcmp(nomyo_response_content(response, 0, NULL), "locked?") == 0;
    } else {
        burst->refused += status == NOMYO_ERR_SECURITY && strstr(nomyo_error_message(err), "RLIMIT_MEMLOCK is") != NULL;
    }
    nomyo_response_free(response);
    nomyo_error_free(err);
    return NULL;
}

/* Calls that are made at once: each is served, or it is refused because a lock is. */
static int served_at_once(const nomyo_client *client, int calls) {
    struct burst burst = {.client = client};
    pthread_t threads[BURST];
    for (int i = 0; i < calls; i++) CHECK_INT(pthread_create(&threads[i], NULL, asks_once, &burst), 0);
    for (int i = 0; i < calls; i++) CHECK_INT(pthread_join(threads[i], NULL), 0);
    CHECK_INT(burst.served + burst.refused, calls);
    return burst.served;
}

/* A burst that does not fit refuses the calls that do not fit, and no call behind it. */
static void bursts_under_require(void *argument) {
    CHECK(limited_to(((struct limited *)argument)->bytes));
    nomyo_client *strict = client_of(config_with(NOMYO_MEMORY_REQUIRE));
    chats(strict);
    int served = served_at_once(strict, BURST);
    printf("memory_policy: REQUIRE under 8 MiB: %d of %d calls at once were served\n", served, BURST);
    CHECK(served >= FIT);
    for (int i = 0; i < 3; i++) CHECK_INT(served_at_once(strict, FIT), FIT);
    for (int i = 0; i < 10; i++) chats(strict);
    CHECK_INT(memory_info().level, NOMYO_MEMORY_LEVEL_FULL);
    nomyo_client_free(strict);
}

/* All of it is served, with what can be locked, and everything is locked again when it is over. */
static void a_burst_under_prefer(void *argument) {
    rlim_t limit = ((struct limited *)argument)->bytes;
    CHECK(limited_to(limit));
    nomyo_client *lenient = client_of(config_with(NOMYO_MEMORY_PREFER));
    CHECK_INT(served_at_once(lenient, BURST), BURST);
    nomyo_memory_info info = truthful(limit, NOMYO_MEMORY_PREFER);
    printf("memory_policy: PREFER under 8 MiB after %d calls at once: %llu mapped, %llu locked\n", BURST,
           (unsigned long long)info.mapped, (unsigned long long)info.locked);
    CHECK_INT(info.level, NOMYO_MEMORY_LEVEL_FULL);
    nomyo_client_free(lenient);
}

static void can_be_had(void *argument) {
    CHECK(limited_to(((struct limited *)argument)->bytes));
}

int main(void) {
    struct limited limits[] = {{0}, {64 << 10}, {8 << 20}};
    /* Linux' default; where less is allowed, the cases that need it cannot be. */
    int enough = child_status(can_be_had, &limits[2]) == 0;
    for (int i = 0; i < 2 + enough; i++) {
        IN_A_CHILD(prefer, &limits[i]);
        IN_A_CHILD(require, &limits[i]);
        IN_A_CHILD(off, &limits[i]);
        IN_A_CHILD(require_after_off, &limits[i]);
    }
    if (enough) {
        IN_A_CHILD(the_strictest_is_in_force, &limits[2]);
        IN_A_CHILD(secrets_under_require, &limits[2]);
        IN_A_CHILD(too_large_to_lock, &limits[2]);
        IN_A_CHILD(bursts_under_require, &limits[2]);
        IN_A_CHILD(a_burst_under_prefer, &limits[2]);
    } else {
        printf("memory_policy: 9 cases left out: the hard RLIMIT_MEMLOCK is below 8 MiB\n");
    }
    return check_summary("memory_policy");
}
