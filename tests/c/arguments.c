/*
 * What a caller can get wrong without a server: each is a status and a sentence, and nothing else changes.
 */
#include <math.h>

#include "check.h"

#define BYTES(text) ((const uint8_t *)(text)), (sizeof(text) - 1)

/* A fingerprint of nothing. */
#define PIN "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const char not_utf8[] = "https://\xff\xfe.example";

static void ignore_line(void *data, int32_t level, const char *line, size_t len) {
    (void)data, (void)level, (void)line, (void)len;
}

/* A client of a port where nobody listens: what is accepted fails at the network, and only there. */
static nomyo_client *client_of_nobody(void) {
    nomyo_config *config = nomyo_config_new();
    nomyo_client *client = NULL;
    CHECK(config != NULL);
    ACCEPTED(nomyo_config_set_base_url, config, "https://127.0.0.1:1");
    CHECK_INT(nomyo_client_new(config, &client, NULL), NOMYO_OK);
    nomyo_config_free(config);
    return client;
}

static void config_null_and_text(nomyo_config *c) {
    REFUSED(NOMYO_ERR_ARGUMENT, "config is NULL", nomyo_config_load_env, NULL);
    REFUSED(NOMYO_ERR_ARGUMENT, "config is NULL", nomyo_config_set_base_url, NULL, "https://x");
    REFUSED(NOMYO_ERR_ARGUMENT, "url is NULL", nomyo_config_set_base_url, c, NULL);
    REFUSED(NOMYO_ERR_ARGUMENT, "encode it as UTF-8", nomyo_config_set_base_url, c, not_utf8);
    REFUSED(NOMYO_ERR_ARGUMENT, "https://api.nomyo.ai", nomyo_config_set_base_url, c, "");
    REFUSED(NOMYO_ERR_ARGUMENT, "https://api.nomyo.ai", nomyo_config_set_base_url, c, "api.nomyo.ai");
    REFUSED(NOMYO_ERR_ARGUMENT, "https://", nomyo_config_set_base_url, c, "ftp://x");
    REFUSED(NOMYO_ERR_ARGUMENT, "use the API key", nomyo_config_set_base_url, c, "https://user:secret@x");
    REFUSED(NOMYO_ERR_ARGUMENT, "query", nomyo_config_set_base_url, c, "https://x/?a=b");
    REFUSED(NOMYO_ERR_ARGUMENT, "fragment", nomyo_config_set_base_url, c, "https://x/#f");
    REFUSED(NOMYO_ERR_ARGUMENT, "base_url", nomyo_config_set_base_url, c, "https://x\r\nHost: y");
    REFUSED(NOMYO_ERR_ARGUMENT, "base_url", nomyo_config_set_base_url, c, "https://x:99999999");
    REFUSED(NOMYO_ERR_ARGUMENT, "base_url", nomyo_config_set_base_url, c, "https://x:");
    ACCEPTED(nomyo_config_set_base_url, c, "https://x:1/path/");
    REFUSED(NOMYO_ERR_ARGUMENT, "config is NULL", nomyo_config_set_ca_file, NULL, "/x");
    REFUSED(NOMYO_ERR_ARGUMENT, "pem is NULL", nomyo_config_set_ca_file, c, NULL);
    REFUSED(NOMYO_ERR_ARGUMENT, "UTF-8", nomyo_config_set_ca_file, c, not_utf8);
    REFUSED(NOMYO_ERR_IO, "check the path", nomyo_config_set_ca_file, c, "/nonexistent/ca.pem");
    REFUSED(NOMYO_ERR_IO, "check the path", nomyo_config_set_ca_file, c, "/");
    REFUSED(NOMYO_ERR_ARGUMENT, "PEM bundle", nomyo_config_set_ca_file, c, "/dev/null");
    REFUSED(NOMYO_ERR_ARGUMENT, "config is NULL", nomyo_config_add_ca_pem, NULL, BYTES("x"));
    REFUSED(NOMYO_ERR_ARGUMENT, "pem is NULL", nomyo_config_add_ca_pem, c, NULL, 1);
    REFUSED(NOMYO_ERR_ARGUMENT, "PEM bundle", nomyo_config_add_ca_pem, c, NULL, 0);
    REFUSED(NOMYO_ERR_ARGUMENT, "BEGIN line", nomyo_config_add_ca_pem, c, BYTES("x"));
    REFUSED(NOMYO_ERR_ARGUMENT, "config is NULL", nomyo_config_set_client_certificate, NULL, "/x", "/x");
    REFUSED(NOMYO_ERR_ARGUMENT, "certificate is NULL", nomyo_config_set_client_certificate, c, NULL, "/x");
    REFUSED(NOMYO_ERR_ARGUMENT, "key is NULL", nomyo_config_set_client_certificate, c, "/x", NULL);
    REFUSED(NOMYO_ERR_IO, "check the path", nomyo_config_set_client_certificate, c, "/nonexistent/a.pem", "/x");
    REFUSED(NOMYO_ERR_ARGUMENT, "config is NULL", nomyo_config_set_client_certificate_pem, NULL, BYTES("x"), BYTES("x"));
    REFUSED(NOMYO_ERR_ARGUMENT, "certificate is NULL", nomyo_config_set_client_certificate_pem, c, NULL, 1, BYTES("x"));
    REFUSED(NOMYO_ERR_ARGUMENT, "key is NULL", nomyo_config_set_client_certificate_pem, c, BYTES("x"), NULL, 1);
    REFUSED(NOMYO_ERR_ARGUMENT, "no certificate", nomyo_config_set_client_certificate_pem, c, NULL, 0, NULL, 0);
    REFUSED(NOMYO_ERR_ARGUMENT, "PEM bundle", nomyo_config_set_ca_file, c, NOMYO_FIXTURES "/keys/server_public.pem");
    REFUSED(NOMYO_ERR_ARGUMENT, "config is NULL", nomyo_config_set_binding, NULL, "a/1");
    REFUSED(NOMYO_ERR_ARGUMENT, "binding is NULL", nomyo_config_set_binding, c, NULL);
    REFUSED(NOMYO_ERR_ARGUMENT, "name/version", nomyo_config_set_binding, c, "a/1\r\nX: y");
    REFUSED(NOMYO_ERR_ARGUMENT, "UTF-8", nomyo_config_set_binding, c, not_utf8);
    ACCEPTED(nomyo_config_set_binding, c, "test/1.0");
}

static void config_numbers_and_keys(nomyo_config *c) {
    REFUSED(NOMYO_ERR_ARGUMENT, "config is NULL", nomyo_config_set_allow_http, NULL, 1);
    REFUSED(NOMYO_ERR_ARGUMENT, "config is NULL", nomyo_config_set_max_retries, NULL, 1);
    REFUSED(NOMYO_ERR_ARGUMENT, "at most 10", nomyo_config_set_max_retries, c, 11);
    ACCEPTED(nomyo_config_set_max_retries, c, 10);
    REFUSED(NOMYO_ERR_ARGUMENT, "config is NULL", nomyo_config_set_rate_limit, NULL, 1.0, 1);
    REFUSED(NOMYO_ERR_ARGUMENT, "0 switches it off", nomyo_config_set_rate_limit, c, -1.0, 1);
    REFUSED(NOMYO_ERR_ARGUMENT, "0 switches it off", nomyo_config_set_rate_limit, c, (double)NAN, 1);
    REFUSED(NOMYO_ERR_ARGUMENT, "at least 1", nomyo_config_set_rate_limit, c, 2.0, 0);
    ACCEPTED(nomyo_config_set_rate_limit, c, 2.0, UINT32_MAX);
    ACCEPTED(nomyo_config_set_rate_limit, c, 0.0, 0);
    REFUSED(NOMYO_ERR_ARGUMENT, "config is NULL", nomyo_config_set_response_limit, NULL, 1);
    REFUSED(NOMYO_ERR_ARGUMENT, "refuses every answer", nomyo_config_set_response_limit, c, 0);
    ACCEPTED(nomyo_config_set_response_limit, c, UINT64_MAX);
    REFUSED(NOMYO_ERR_ARGUMENT, "config is NULL", nomyo_config_set_proxy, NULL, "");
    REFUSED(NOMYO_ERR_ARGUMENT, "url is NULL", nomyo_config_set_proxy, c, NULL);
    REFUSED(NOMYO_ERR_ARGUMENT, "UTF-8", nomyo_config_set_proxy, c, not_utf8);
    REFUSED(NOMYO_ERR_ARGUMENT, "not supported", nomyo_config_set_proxy, c, "socks4://proxy");
    REFUSED(NOMYO_ERR_ARGUMENT, "give something like", nomyo_config_set_proxy, c, "http://u:p@proxy:0");
    ACCEPTED(nomyo_config_set_proxy, c, "socks5h://u:p%40@proxy:1080");
    ACCEPTED(nomyo_config_set_proxy, c, "");
    REFUSED(NOMYO_ERR_ARGUMENT, "config is NULL", nomyo_config_set_timeout_ms, NULL, 1);
    REFUSED(NOMYO_ERR_ARGUMENT, "at least 1 ms", nomyo_config_set_timeout_ms, c, 0);
    ACCEPTED(nomyo_config_set_timeout_ms, c, UINT64_MAX);
    REFUSED(NOMYO_ERR_ARGUMENT, "config is NULL", nomyo_config_set_connect_timeout_ms, NULL, 1);
    REFUSED(NOMYO_ERR_ARGUMENT, "at least 1 ms", nomyo_config_set_connect_timeout_ms, c, 0);
    ACCEPTED(nomyo_config_set_connect_timeout_ms, c, UINT64_MAX);
    REFUSED(NOMYO_ERR_ARGUMENT, "config is NULL", nomyo_config_set_log, NULL, NOMYO_LOG_INFO, ignore_line, NULL);
    REFUSED(NOMYO_ERR_ARGUMENT, "NOMYO_LOG_", nomyo_config_set_log, c, 0, ignore_line, NULL);
    REFUSED(NOMYO_ERR_ARGUMENT, "NOMYO_LOG_", nomyo_config_set_log, c, 5, ignore_line, NULL);
    REFUSED(NOMYO_ERR_ARGUMENT, "NOMYO_LOG_", nomyo_config_set_log, c, INT32_MIN, NULL, NULL);
    ACCEPTED(nomyo_config_set_log, c, NOMYO_LOG_DEBUG, NULL, SENTINEL);
    REFUSED(NOMYO_ERR_ARGUMENT, "config is NULL", nomyo_config_set_api_key, NULL, BYTES("k"));
    REFUSED(NOMYO_ERR_ARGUMENT, "key is NULL", nomyo_config_set_api_key, c, NULL, 1);
    REFUSED(NOMYO_ERR_ARGUMENT, "length of key", nomyo_config_set_api_key, c, (const uint8_t *)"k", SIZE_MAX);
    REFUSED(NOMYO_ERR_ARGUMENT, "strip it", nomyo_config_set_api_key, c, BYTES("k\n"));
    REFUSED(NOMYO_ERR_ARGUMENT, "strip it", nomyo_config_set_api_key, c, BYTES("k\rX-Evil: 1"));
    REFUSED(NOMYO_ERR_ARGUMENT, "visible ASCII", nomyo_config_set_api_key, c, BYTES("a b"));
    REFUSED(NOMYO_ERR_ARGUMENT, "visible ASCII", nomyo_config_set_api_key, c, BYTES("a\0b"));
    REFUSED(NOMYO_ERR_ARGUMENT, "visible ASCII", nomyo_config_set_api_key, c, BYTES("\xc3\xa9"));
    char long_key[8193];
    memset(long_key, 'k', sizeof long_key);
    REFUSED(NOMYO_ERR_ARGUMENT, "8192", nomyo_config_set_api_key, c, (const uint8_t *)long_key, sizeof long_key);
    ACCEPTED(nomyo_config_set_api_key, c, (const uint8_t *)long_key, sizeof long_key - 1);
    ACCEPTED(nomyo_config_set_api_key, c, NULL, 0);
    ACCEPTED(nomyo_config_set_api_key, c, (const uint8_t *)"k", 0);
}

static void headers(nomyo_config *c) {
    REFUSED(NOMYO_ERR_ARGUMENT, "config is NULL", nomyo_config_set_header, NULL, "X-Gateway", BYTES("v"));
    REFUSED(NOMYO_ERR_ARGUMENT, "name is NULL", nomyo_config_set_header, c, NULL, BYTES("v"));
    REFUSED(NOMYO_ERR_ARGUMENT, "value is NULL", nomyo_config_set_header, c, "X-Gateway", NULL, 1);
    REFUSED(NOMYO_ERR_ARGUMENT, "UTF-8", nomyo_config_set_header, c, not_utf8, BYTES("v"));
    static const char *const bad[] = {"", "X Gateway", "X-Gateway:", "X-\r\nY", "\xc3\xa9"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        REFUSED(NOMYO_ERR_ARGUMENT, "letters, digits", nomyo_config_set_header, c, bad[i], BYTES("v"));
    }
    static const char *const ours[] = {"Host", "content-length", "X-Payload-ID", "X-Public-Key", "X-Security-Tier", "Content-Type"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        REFUSED(NOMYO_ERR_ARGUMENT, "leave it out", nomyo_config_set_header, c, ours[i], BYTES("v"));
    }
    REFUSED(NOMYO_ERR_ARGUMENT, "API key", nomyo_config_set_header, c, "authorization", BYTES("v"));
    REFUSED(NOMYO_ERR_ARGUMENT, "line breaks", nomyo_config_set_header, c, "X-Gateway", BYTES("v\r\nX-Evil: 1"));
    REFUSED(NOMYO_ERR_ARGUMENT, "visible ASCII", nomyo_config_set_header, c, "X-Gateway", BYTES("\xc3\xa9"));
    static char long_value[8193];
    memset(long_value, 'v', sizeof long_value);
    REFUSED(NOMYO_ERR_ARGUMENT, "8192", nomyo_config_set_header, c, "X-Gateway", (const uint8_t *)long_value, sizeof long_value);
    ACCEPTED(nomyo_config_set_header, c, "X-Gateway", (const uint8_t *)long_value, sizeof long_value - 1);
    ACCEPTED(nomyo_config_set_header, c, "X-Gateway", NULL, 0);
    CHECK(nomyo_response_request_id(NULL) == NULL);
    CHECK(nomyo_error_request_id(NULL) == NULL);
}

static void tls(nomyo_config *c) {
    REFUSED(NOMYO_ERR_ARGUMENT, "config is NULL", nomyo_config_add_tls_pin, NULL, PIN);
    REFUSED(NOMYO_ERR_ARGUMENT, "sha256 is NULL", nomyo_config_add_tls_pin, c, NULL);
    REFUSED(NOMYO_ERR_ARGUMENT, "UTF-8", nomyo_config_add_tls_pin, c, not_utf8);
    static const char *const bad[] = {"", &PIN[1], PIN "00", "sha256/", "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuF",
                                      "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n", "sha1/" PIN, " " PIN};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        REFUSED(NOMYO_ERR_ARGUMENT, "sha256/", nomyo_config_add_tls_pin, c, bad[i]);
    }
    ACCEPTED(nomyo_config_add_tls_pin, c, PIN);
    ACCEPTED(nomyo_config_add_tls_pin, c, "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    REFUSED(NOMYO_ERR_ARGUMENT, "config is NULL", nomyo_config_set_post_quantum, NULL, 1);
    ACCEPTED(nomyo_config_set_post_quantum, c, 0);
    ACCEPTED(nomyo_config_set_post_quantum, c, -1);
}

/* There is no TLS to be pinned. */
static void tls_pins_need_tls(void) {
    nomyo_config *config = nomyo_config_new();
    nomyo_client *client = SENTINEL;
    ACCEPTED(nomyo_config_set_base_url, config, "http://127.0.0.1:1");
    ACCEPTED(nomyo_config_set_allow_http, config, 1);
    ACCEPTED(nomyo_config_add_tls_pin, config, PIN);
    REFUSED(NOMYO_ERR_ARGUMENT, "pin", nomyo_client_new, config, &client);
    CHECK(client == SENTINEL);
    nomyo_config_free(config);
}

/* The first is too long for the SDKs, and the second is not. */
static void long_passwords(const nomyo_client *keyless) {
    static uint8_t pw[1024];
    memset(pw, 'p', sizeof pw);
    REFUSED(NOMYO_ERR_ARGUMENT, "1023 bytes", nomyo_client_generate_keys, keyless, "/nonexistent/keys", pw, sizeof pw);
    REFUSED(NOMYO_ERR_IO, "parent", nomyo_client_generate_keys, keyless, "/nonexistent/keys", pw, sizeof pw - 1);
    REFUSED(NOMYO_ERR_ARGUMENT, "8 characters", nomyo_client_generate_keys, keyless, "/nonexistent/keys", pw, 7);
}

static void handles(const nomyo_client *c) {
    nomyo_client *handle = SENTINEL;
    nomyo_text *chain = SENTINEL;
    nomyo_call_options *options = nomyo_call_options_new();
    REFUSED(NOMYO_ERR_ARGUMENT, "client is NULL", nomyo_client_with_options, NULL, options, &handle);
    REFUSED(NOMYO_ERR_ARGUMENT, "client is NULL", nomyo_client_with_options, NULL, NULL, NULL);
    REFUSED(NOMYO_ERR_ARGUMENT, "out is NULL", nomyo_client_with_options, c, options, NULL);
    REFUSED(NOMYO_ERR_ARGUMENT, "client is NULL", nomyo_client_tls_chain, NULL, &chain);
    REFUSED(NOMYO_ERR_ARGUMENT, "out is NULL", nomyo_client_tls_chain, c, NULL);
    REFUSED(NOMYO_ERR_CONNECTION, "127.0.0.1:1", nomyo_client_tls_chain, c, &chain);
    CHECK(handle == SENTINEL && chain == SENTINEL);
    CHECK_INT(nomyo_client_with_options(c, NULL, &handle, NULL), NOMYO_OK);
    nomyo_client_free(handle);
    nomyo_call_options_free(options);
}

static void environment(nomyo_config *c) {
    unsetenv("NOMYO_API_KEY");
    setenv("NOMYO_BASE_URL", "", 1);
    ACCEPTED(nomyo_config_load_env, c);
    setenv("NOMYO_BASE_URL", "nowhere", 1);
    REFUSED(NOMYO_ERR_ARGUMENT, "https://", nomyo_config_load_env, c);
    unsetenv("NOMYO_BASE_URL");
    setenv("NOMYO_API_KEY", "from a file\n", 1);
    REFUSED(NOMYO_ERR_ARGUMENT, "strip it", nomyo_config_load_env, c);
    unsetenv("NOMYO_API_KEY");
    setenv("NOMYO_SERVER_KEY_PIN", PIN ", sha256/00", 1);
    REFUSED(NOMYO_ERR_ARGUMENT, "64 hexadecimal digits", nomyo_config_load_env, c);
    setenv("NOMYO_SERVER_KEY_PIN", PIN ", " PIN, 1);
    setenv("NOMYO_TLS_PIN", PIN ",", 1);
    REFUSED(NOMYO_ERR_ARGUMENT, "64 hexadecimal digits", nomyo_config_load_env, c);
    unsetenv("NOMYO_TLS_PIN");
    setenv("NOMYO_KEY_GROUP_READ", "maybe", 1);
    REFUSED(NOMYO_ERR_ARGUMENT, "NOMYO_KEY_GROUP_READ must be", nomyo_config_load_env, c);
    setenv("NOMYO_KEY_GROUP_READ", "Yes", 1);
    ACCEPTED(nomyo_config_load_env, c);
    unsetenv("NOMYO_KEY_GROUP_READ");
    setenv("NOMYO_KEY_PASSWORD", "a password that protects nothing", 1);
    nomyo_config *pinned = nomyo_config_new();
    ACCEPTED(nomyo_config_load_env, pinned);
    nomyo_client *client = SENTINEL;
    REFUSED(NOMYO_ERR_ARGUMENT, "no key directory", nomyo_client_new, pinned, &client);
    setenv("NOMYO_KEY_DIR", "keys", 1);
    ACCEPTED(nomyo_config_load_env, pinned);
    nomyo_config_free(pinned);
    unsetenv("NOMYO_SERVER_KEY_PIN");
    unsetenv("NOMYO_KEY_PASSWORD");
    unsetenv("NOMYO_KEY_DIR");
}

/* What the client's keys and the server's are set to; what is done with them is tested in tests/keys. */
static void keys(nomyo_config *c, const nomyo_client *keyless) {
    REFUSED(NOMYO_ERR_ARGUMENT, "config is NULL", nomyo_config_set_key_dir, NULL, "keys");
    REFUSED(NOMYO_ERR_ARGUMENT, "dir is NULL", nomyo_config_set_key_dir, c, NULL);
    REFUSED(NOMYO_ERR_ARGUMENT, "UTF-8", nomyo_config_set_key_dir, c, "\xff");
    REFUSED(NOMYO_ERR_ARGUMENT, "config is NULL", nomyo_config_set_key_password, NULL, BYTES("password"));
    REFUSED(NOMYO_ERR_ARGUMENT, "pw is NULL", nomyo_config_set_key_password, c, NULL, 8);
    ACCEPTED(nomyo_config_set_key_password, c, NULL, 0);
    REFUSED(NOMYO_ERR_ARGUMENT, "config is NULL", nomyo_config_set_key_rotation_ms, NULL, 1);
    ACCEPTED(nomyo_config_set_key_rotation_ms, c, 0);
    ACCEPTED(nomyo_config_set_key_rotation_ms, c, UINT64_MAX);
    REFUSED(NOMYO_ERR_ARGUMENT, "config is NULL", nomyo_config_set_key_group_read, NULL, 1);
    ACCEPTED(nomyo_config_set_key_group_read, c, -1);
    ACCEPTED(nomyo_config_set_key_group_read, c, 0);
    REFUSED(NOMYO_ERR_ARGUMENT, "config is NULL", nomyo_config_set_server_key_ttl_ms, NULL, 1);
    ACCEPTED(nomyo_config_set_server_key_ttl_ms, c, UINT64_MAX);
    REFUSED(NOMYO_ERR_ARGUMENT, "sha256_hex is NULL", nomyo_config_add_server_key_pin, c, NULL);
    REFUSED(NOMYO_ERR_ARGUMENT, "64 hexadecimal digits", nomyo_config_add_server_key_pin, c, "");
    REFUSED(NOMYO_ERR_ARGUMENT, "64 hexadecimal digits", nomyo_config_add_server_key_pin, c, &PIN[1]);
    ACCEPTED(nomyo_config_add_server_key_pin, c, PIN);
    REFUSED(NOMYO_ERR_ARGUMENT, "file is NULL", nomyo_config_set_known_servers, c, NULL);
    ACCEPTED(nomyo_config_set_known_servers, c, "known_servers");
    nomyo_client *client = SENTINEL;
    ACCEPTED(nomyo_config_set_known_servers, c, "..");
    REFUSED(NOMYO_ERR_ARGUMENT, "the path of a file", nomyo_client_new, c, &client);
    CHECK(client == SENTINEL);
    ACCEPTED(nomyo_config_set_known_servers, c, "known_servers");
    REFUSED(NOMYO_ERR_ARGUMENT, "client is NULL", nomyo_client_rotate_keys, NULL);
    REFUSED(NOMYO_ERR_ARGUMENT, "client is NULL", nomyo_client_generate_keys, NULL, NULL, NULL, 0);
    REFUSED(NOMYO_ERR_ARGUMENT, "client is NULL", nomyo_client_load_keys, NULL, "a", NULL, NULL, 0);
    REFUSED(NOMYO_ERR_ARGUMENT, "client is NULL", nomyo_client_save_keys, NULL, "a", NULL, 0);
    REFUSED(NOMYO_ERR_ARGUMENT, "client is NULL", nomyo_client_server_key, NULL, NULL, NULL);
    REFUSED(NOMYO_ERR_ARGUMENT, "out is NULL", nomyo_client_public_key, keyless, NULL);
    REFUSED(NOMYO_ERR_ARGUMENT, "private_pem is NULL", nomyo_client_load_keys, keyless, NULL, NULL, NULL, 0);
    REFUSED(NOMYO_ERR_ARGUMENT, "dir is NULL", nomyo_client_save_keys, keyless, NULL, NULL, 0);
    REFUSED(NOMYO_ERR_ARGUMENT, "a directory too", nomyo_client_generate_keys, keyless, NULL, BYTES("password"));
    REFUSED(NOMYO_ERR_KEY, "not there", nomyo_client_load_keys, keyless, "/nonexistent", NULL, NULL, 0);
    size_t len = 77;
    CHECK(nomyo_text_data(NULL, &len) == NULL && len == 0);
    nomyo_text_free(NULL);
}

static void options(void) {
    nomyo_call_options *r = nomyo_call_options_new();
    CHECK(r != NULL);
    REFUSED(NOMYO_ERR_ARGUMENT, "options is NULL", nomyo_call_options_set_security_tier, NULL, "high");
    REFUSED(NOMYO_ERR_ARGUMENT, "tier is NULL", nomyo_call_options_set_security_tier, r, NULL);
    REFUSED(NOMYO_ERR_ARGUMENT, "standard, high, maximum", nomyo_call_options_set_security_tier, r, "High");
    REFUSED(NOMYO_ERR_ARGUMENT, "standard, high, maximum", nomyo_call_options_set_security_tier, r, "");
    REFUSED(NOMYO_ERR_ARGUMENT, "UTF-8", nomyo_call_options_set_security_tier, r, "high\xff");
    ACCEPTED(nomyo_call_options_set_security_tier, r, "maximum");
    REFUSED(NOMYO_ERR_ARGUMENT, "options is NULL", nomyo_call_options_set_api_key, NULL, BYTES("k"));
    REFUSED(NOMYO_ERR_ARGUMENT, "key is NULL", nomyo_call_options_set_api_key, r, NULL, 7);
    REFUSED(NOMYO_ERR_ARGUMENT, "length of key", nomyo_call_options_set_api_key, r, (const uint8_t *)"k", SIZE_MAX / 2 + 1);
    REFUSED(NOMYO_ERR_ARGUMENT, "strip it", nomyo_call_options_set_api_key, r, BYTES("k\r\n"));
    ACCEPTED(nomyo_call_options_set_api_key, r, NULL, 0);
    REFUSED(NOMYO_ERR_ARGUMENT, "options is NULL", nomyo_call_options_set_timeout_ms, NULL, 1);
    REFUSED(NOMYO_ERR_ARGUMENT, "at least 1 ms", nomyo_call_options_set_timeout_ms, r, 0);
    ACCEPTED(nomyo_call_options_set_timeout_ms, r, UINT64_MAX);
    nomyo_call_options_free(r);
}

static void making_a_client(void) {
    nomyo_client *client = SENTINEL;
    nomyo_config *config = nomyo_config_new();
    REFUSED(NOMYO_ERR_ARGUMENT, "out is NULL", nomyo_client_new, NULL, NULL);
    REFUSED(NOMYO_ERR_ARGUMENT, "out is NULL", nomyo_client_new, config, NULL);
    ACCEPTED(nomyo_config_set_base_url, config, "http://127.0.0.1:1");
    REFUSED(NOMYO_ERR_SECURITY, "use https://", nomyo_client_new, config, &client);
    CHECK(client == SENTINEL);
    ACCEPTED(nomyo_config_set_allow_http, config, 1);
    ACCEPTED(nomyo_config_set_allow_http, config, 0);
    REFUSED(NOMYO_ERR_SECURITY, "allow HTTP", nomyo_client_new, config, &client);
    CHECK(client == SENTINEL);
    ACCEPTED(nomyo_config_set_allow_http, config, -1);
    CHECK_INT(nomyo_client_new(config, &client, NULL), NOMYO_OK);
    nomyo_client_free(client);
    nomyo_config_free(config);
    client = SENTINEL;
    CHECK_INT(nomyo_client_new(NULL, &client, NULL), NOMYO_OK);
    CHECK(client != SENTINEL && client != NULL);
    nomyo_client_free(client);
    REFUSED(NOMYO_ERR_ARGUMENT, "client is NULL", nomyo_client_warm_up, NULL);
}

static void sealing_and_opening(const nomyo_client *c) {
    static const char request[] = "{\"model\":\"m\"}";
    static const char pem[] = "-----BEGIN PUBLIC KEY-----";
    nomyo_sealed *sealed = SENTINEL;
    nomyo_response *response = SENTINEL;
    REFUSED(NOMYO_ERR_ARGUMENT, "client is NULL", nomyo_seal, NULL, BYTES(pem), BYTES(request), NULL, &sealed);
    REFUSED(NOMYO_ERR_ARGUMENT, "server_pem is NULL", nomyo_seal, c, NULL, 9, BYTES(request), NULL, &sealed);
    REFUSED(NOMYO_ERR_ARGUMENT, "json is NULL", nomyo_seal, c, BYTES(pem), NULL, 9, NULL, &sealed);
    REFUSED(NOMYO_ERR_ARGUMENT, "out is NULL", nomyo_seal, c, BYTES(pem), BYTES(request), NULL, NULL);
    REFUSED(NOMYO_ERR_ARGUMENT, "length of server_pem", nomyo_seal, c, (const uint8_t *)pem, SIZE_MAX, BYTES(request),
            NULL, &sealed);
    REFUSED(NOMYO_ERR_ARGUMENT, "empty", nomyo_seal, c, BYTES(pem), NULL, 0, NULL, &sealed);
    REFUSED(NOMYO_ERR_PROTOCOL, "not PEM", nomyo_seal, c, NULL, 0, BYTES(request), NULL, &sealed);
    REFUSED(NOMYO_ERR_PROTOCOL, "not a whole PEM block", nomyo_seal, c, BYTES(pem), BYTES(request), NULL, &sealed);
    CHECK(sealed == SENTINEL);
    REFUSED(NOMYO_ERR_ARGUMENT, "client is NULL", nomyo_open, NULL, NULL, BYTES("{}"), &response);
    REFUSED(NOMYO_ERR_ARGUMENT, "sealed is NULL", nomyo_open, c, NULL, BYTES("{}"), &response);
    REFUSED(NOMYO_ERR_ARGUMENT, "out is NULL", nomyo_open, c, NULL, BYTES("{}"), NULL);
    CHECK(response == SENTINEL);
}

static void nothing_is_freed_for_null(void) {
    nomyo_error_free(NULL);
    nomyo_config_free(NULL);
    nomyo_client_free(NULL);
    nomyo_call_options_free(NULL);
    nomyo_response_free(NULL);
    nomyo_sealed_free(NULL);
}

int main(void) {
    nomyo_config *config = nomyo_config_new();
    nomyo_client *client = client_of_nobody();
    config_null_and_text(config);
    config_numbers_and_keys(config);
    tls(config);
    headers(config);
    tls_pins_need_tls();
    environment(config);
    keys(config, client);
    long_passwords(client);
    handles(client);
    options();
    making_a_client();
    sealing_and_opening(client);
    nothing_is_freed_for_null();
    nomyo_client_free(client);
    nomyo_config_free(config);
    return check_summary("arguments");
}
