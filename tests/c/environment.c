/*
 * nomyo_config_load_env() reads the environment, and no other function does: neither variables of the library's own, nor
 * those of proxies and trust stores. So another thread may change the environment while clients are made and used.
 */
#include <dlfcn.h>
#include <pthread.h>

#include "endpoint.h"
#include "proc.h"
#include "scratch.h"

#define ASK "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}"
#define NOBODY "http://127.0.0.1:1"
/* The fingerprint of nothing. */
#define PIN "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

enum { NAMES = 64, VARIABLES = 4000, CLIENTS = 200 };

/* The variables that nomyo_config_load_env() documents. */
static const char *const documented[] = {
    "NOMYO_API_KEY", "NOMYO_BASE_URL", "NOMYO_KEY_DIR", "NOMYO_KEY_PASSWORD", "NOMYO_KEY_GROUP_READ",
    "NOMYO_SERVER_KEY_PIN", "NOMYO_TLS_PIN",
    "http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUEST_METHOD",
};
enum { DOCUMENTED = sizeof documented / sizeof *documented };

static _Atomic int watching;
static char names[NAMES][64];
static _Atomic int named;

/* Stands before the C library's, and remembers the names that are read while the library is watched. */
static char *looked_up(const char *function, const char *name) {
    char *(*real)(const char *) = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, function);
    if (watching && named < NAMES) {
        snprintf(names[named], sizeof *names, "%s", name);
        named++;
    }
    return real(name);
}

char *getenv(const char *name) {
    return looked_up("getenv", name);
}

char *secure_getenv(const char *name) {
    return looked_up("secure_getenv", name);
}

static int is_read(const char *name) {
    for (int i = 0; i < named; i++) {
        if (strcmp(names[i], name) == 0) {
            return 1;
        }
    }
    return 0;
}

static void watch(void) {
    named = 0;
    watching = 1;
}

/* A configuration for the endpoint, with its variables looked up before. */
static struct {
    const char *url, *ca, *key;
    char pair[PATH_MAX]; /* a private key: generating one takes its time */
} endpoint;

static nomyo_config *config_without_ca(void) {
    nomyo_config *config = nomyo_config_new();
    CHECK_INT(nomyo_config_set_base_url(config, endpoint.url, NULL), NOMYO_OK);
    CHECK_INT(nomyo_config_set_api_key(config, (const uint8_t *)endpoint.key, strlen(endpoint.key), NULL), NOMYO_OK);
    CHECK_INT(nomyo_config_set_max_retries(config, 0, NULL), NOMYO_OK);
    return config;
}

static nomyo_config *plain_config(void) {
    nomyo_config *config = config_without_ca();
    CHECK_INT(nomyo_config_set_ca_file(config, endpoint.ca, NULL), NOMYO_OK);
    return config;
}

/* The status of a request by a client made from `config`, which is freed. */
static int32_t asked(nomyo_config *config, const char *part) {
    nomyo_client *client = client_of(config);
    nomyo_response *response = NULL;
    nomyo_error *err = NULL;
    CHECK_OK(nomyo_client_load_keys(client, endpoint.pair, NULL, NULL, 0, &err), &err);
    int32_t status = create_text(client, ASK, NULL, &response, &err);
    if (part != NULL) {
        CHECK_HAS(nomyo_error_message(err), part);
    } else if (!CHECK(status == NOMYO_OK)) {
        fprintf(stderr, "    %s\n", nomyo_error_message(err));
    }
    nomyo_error_free(err);
    nomyo_response_free(response);
    nomyo_client_free(client);
    return status;
}

/* A configuration that has read the environment. */
static nomyo_config *loaded(nomyo_config *config) {
    nomyo_error *err = NULL;
    CHECK_OK(nomyo_config_load_env(config, &err), &err);
    return config;
}

static void only_load_env_reads(void *argument) {
    (void)argument;
    for (int i = 0; i < DOCUMENTED; i++) {
        unsetenv(documented[i]);
    }
    watch();
    nomyo_config *config = plain_config();
    CHECK_INT(nomyo_config_set_proxy(config, "", NULL), NOMYO_OK);
    CHECK_INT(asked(config, NULL), NOMYO_OK);
    CHECK_INT(asked(plain_config(), NULL), NOMYO_OK);
    CHECK_INT(asked(config_without_ca(), "trust store"), NOMYO_ERR_CONNECTION);
    nomyo_client *client = NULL;
    CHECK_INT(nomyo_client_new(NULL, &client, NULL), NOMYO_OK);
    nomyo_client_free(client);
    watching = 0;
    for (int i = 0; i < named; i++) {
        fprintf(stderr, "    %s is read\n", names[i]);
    }
    CHECK_INT(named, 0);
    config = nomyo_config_new();
    watch();
    CHECK_INT(nomyo_config_load_env(config, NULL), NOMYO_OK);
    watching = 0;
    nomyo_config_free(config);
    for (int i = 0; i < DOCUMENTED; i++) {
        if (!CHECK(is_read(documented[i]))) {
            fprintf(stderr, "    %s is not read\n", documented[i]);
        }
    }
    for (int i = 0; i < named; i++) {
        int known = 0;
        for (int j = 0; j < DOCUMENTED; j++) {
            known |= strcmp(names[i], documented[j]) == 0;
        }
        if (!CHECK(known)) {
            fprintf(stderr, "    %s is read\n", names[i]);
        }
    }
}

/* Proxy variables, each of which would lead nowhere. */
static void proxies(void *argument) {
    static const char *const variables[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    (void)argument;
    for (int i = 0; i < 4; i++) {
        setenv(variables[i], NOBODY, 1);
        CHECK_INT(asked(plain_config(), NULL), NOMYO_OK);
        CHECK_INT(asked(loaded(plain_config()), NOBODY), NOMYO_ERR_CONNECTION);
        nomyo_config *config = loaded(plain_config());
        CHECK_INT(nomyo_config_set_proxy(config, "", NULL), NOMYO_OK);
        CHECK_INT(asked(config, NULL), NOMYO_OK);
        setenv("NO_PROXY", "127.0.0.1", 1);
        CHECK_INT(asked(loaded(plain_config()), NULL), NOMYO_OK);
        unsetenv("NO_PROXY");
        setenv(variables[i], "socks4://proxy", 1);
        CHECK_INT(asked(plain_config(), NULL), NOMYO_OK);
        nomyo_client *client = SENTINEL;
        config = loaded(plain_config());
        REFUSED(NOMYO_ERR_ARGUMENT, variables[i], nomyo_client_new, config, &client);
        CHECK(client == SENTINEL);
        nomyo_config_free(config);
        unsetenv(variables[i]);
    }
    /* Read once: not when a client is made, nor when it connects. */
    nomyo_config *config = loaded(plain_config());
    setenv("HTTPS_PROXY", NOBODY, 1);
    nomyo_client *client = client_of(config);
    setenv("ALL_PROXY", NOBODY, 1);
    nomyo_response_free(answer_to(client, ASK, NULL));
    nomyo_client_free(client);
}

static void trust_stores(void *argument) {
    (void)argument;
    setenv("SSL_CERT_FILE", endpoint.ca, 1);
    CHECK_INT(asked(config_without_ca(), "trust store"), NOMYO_ERR_CONNECTION);
    CHECK_INT(asked(loaded(config_without_ca()), NULL), NOMYO_OK);
    setenv("SSL_CERT_FILE", "/nonexistent", 1);
    CHECK_INT(asked(plain_config(), NULL), NOMYO_OK);
    CHECK_INT(asked(loaded(plain_config()), NULL), NOMYO_OK); /* the CA file is stronger */
}

static void tls_pins(void *argument) {
    (void)argument;
    setenv("NOMYO_TLS_PIN", PIN ", nonsense", 1);
    nomyo_config *config = plain_config();
    REFUSED(NOMYO_ERR_ARGUMENT, "", nomyo_config_load_env, config);
    nomyo_config_free(config);
    setenv("NOMYO_TLS_PIN", PIN, 1);
    CHECK_INT(asked(plain_config(), NULL), NOMYO_OK);
    CHECK_INT(asked(loaded(plain_config()), "sha256/"), NOMYO_ERR_PIN);
}

static _Atomic int changing;

static void *change_the_environment(void *argument) {
    while (changing) {
        for (int i = 0; i < VARIABLES; i++) { /* each moves the array of variables, and frees the old one */
            char name[32];
            snprintf(name, sizeof name, "VARIABLE_%d", i);
            setenv(name, "x", 1);
        }
        clearenv();
    }
    return argument;
}

/* A reader beside setenv() sees memory that was freed, and crashes in most runs. */
static void another_thread_changes_it(void *argument) {
    (void)argument;
    pthread_t thread;
    changing = 1;
    CHECK(pthread_create(&thread, NULL, change_the_environment, NULL) == 0);
    for (int i = 0; i < CLIENTS; i++) {
        nomyo_client *client = NULL;
        CHECK_INT(nomyo_client_new(NULL, &client, NULL), NOMYO_OK);
        nomyo_client_free(client);
    }
    CHECK_INT(asked(plain_config(), NULL), NOMYO_OK);
    CHECK_INT(asked(config_without_ca(), "trust store"), NOMYO_ERR_CONNECTION);
    changing = 0;
    pthread_join(thread, NULL);
}

int main(void) {
    endpoint.url = endpoint_variable("NOMYO_TEST_BASE_URL");
    endpoint.ca = endpoint_variable("NOMYO_TEST_CA_FILE");
    endpoint.key = endpoint_api_key() ? endpoint_api_key() : "";
    struct scratch scratch = scratch_new();
    snprintf(endpoint.pair, sizeof endpoint.pair, "%s/pair.pem", scratch.dir);
    copy_key("keys/client_private.pem", endpoint.pair);
    /* Each in a process, and so with an environment, of its own. */
    IN_A_CHILD(only_load_env_reads, NULL);
    IN_A_CHILD(proxies, NULL);
    IN_A_CHILD(trust_stores, NULL);
    IN_A_CHILD(tls_pins, NULL);
    IN_A_CHILD(another_thread_changes_it, NULL);
    scratch_remove(&scratch);
    return check_summary("environment");
}
