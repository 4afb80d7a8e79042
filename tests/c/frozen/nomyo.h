/* The header of version 0.1.0 without its comments, as a program was compiled with that is never compiled again. Replace it only
   when NOMYO_ABI_VERSION changes. */
#ifndef NOMYO_H
#define NOMYO_H
#include <stddef.h>
#include <stdint.h>
#if defined(__GNUC__)
#define NOMYO_MUST_USE __attribute__((warn_unused_result))
#else
#define NOMYO_MUST_USE
#endif
#define NOMYO_VERSION_MAJOR 0
#define NOMYO_VERSION_MINOR 1
#define NOMYO_VERSION_PATCH 0
#define NOMYO_ABI_VERSION 0
#define NOMYO_OK 0
#define NOMYO_ERR_ARGUMENT 1
#define NOMYO_ERR_FORKED 2
#define NOMYO_ERR_CANCELLED 3
#define NOMYO_ERR_CONNECTION 10
#define NOMYO_ERR_TIMEOUT 11
#define NOMYO_ERR_PROTOCOL 12
#define NOMYO_ERR_BAD_REQUEST 20
#define NOMYO_ERR_AUTHENTICATION 21
#define NOMYO_ERR_FORBIDDEN 22
#define NOMYO_ERR_NOT_FOUND 23
#define NOMYO_ERR_RATE_LIMIT 24
#define NOMYO_ERR_SERVER 25
#define NOMYO_ERR_UNAVAILABLE 26
#define NOMYO_ERR_HTTP 27
#define NOMYO_ERR_ATTESTATION 40
#define NOMYO_ERR_SECURITY 60
#define NOMYO_ERR_PIN 61
#define NOMYO_ERR_KEY 62
#define NOMYO_ERR_IO 63
#define NOMYO_ERR_MEMORY 80
#define NOMYO_ERR_INTERNAL 99
#define NOMYO_SENT_NO 0
#define NOMYO_SENT_MAYBE 1
#define NOMYO_SENT_YES 2
#define NOMYO_LOG_ERROR 1
#define NOMYO_LOG_WARN 2
#define NOMYO_LOG_INFO 3
#define NOMYO_LOG_DEBUG 4
#define NOMYO_ATTESTATION_ABSENT 0
#define NOMYO_ATTESTATION_UNAVAILABLE 1
#define NOMYO_ATTESTATION_INVALID 2
#define NOMYO_ATTESTATION_CONSISTENT 3
#define NOMYO_ATTESTATION_BASELINE 4
#define NOMYO_ATTESTATION_PINNED 5
#define NOMYO_ATTESTATION_CERTIFIED 6
#define NOMYO_MEMORY_OFF 0
#define NOMYO_MEMORY_PREFER 1
#define NOMYO_MEMORY_REQUIRE 2
#define NOMYO_MEMORY_LEVEL_WIPE_ONLY 0
#define NOMYO_MEMORY_LEVEL_PARTIAL 1
#define NOMYO_MEMORY_LEVEL_FULL 2
typedef struct nomyo_attestation_policy nomyo_attestation_policy;
typedef struct nomyo_call_options nomyo_call_options;
typedef struct nomyo_cancel nomyo_cancel;
typedef struct nomyo_client nomyo_client;
typedef struct nomyo_config nomyo_config;
typedef struct nomyo_error nomyo_error;
typedef struct nomyo_response nomyo_response;
typedef struct nomyo_sealed nomyo_sealed;
typedef struct nomyo_text nomyo_text;
typedef void (*nomyo_log_fn)(void *data, int32_t level, const char *line, size_t len);
typedef struct {
    int32_t level;
    int32_t failed_check;
    uint32_t pcr_count;
    uint32_t warnings;
    uint64_t clock;
    uint64_t firmware_version;
    uint32_t reset_count;
    uint32_t restart_count;
    int32_t clock_safe;
    uint32_t hierarchy;
} nomyo_attestation;
typedef struct {
    int64_t prompt_tokens;
    int64_t completion_tokens;
    int64_t total_tokens;
    int64_t cached_tokens;
    int64_t reasoning_tokens;
} nomyo_usage;
typedef struct {
    int32_t policy;
    int32_t level;
    uint64_t page_size;
    uint64_t limit;
    uint64_t mapped;
    uint64_t locked;
    uint64_t refused;
    int32_t dump_excluded;
    int32_t fork_excluded;
} nomyo_memory_info;
#ifdef __cplusplus
extern "C" {
#endif
const char *nomyo_version(void);
uint32_t nomyo_abi_version(void);
const char *nomyo_status_name(int32_t status);
int32_t nomyo_error_status(const nomyo_error *error);
const char *nomyo_error_message(const nomyo_error *error);
int32_t nomyo_error_http_status(const nomyo_error *error);
int64_t nomyo_error_retry_after_ms(const nomyo_error *error);
int32_t nomyo_error_retryable(const nomyo_error *error);
uint32_t nomyo_error_attempts(const nomyo_error *error);
int32_t nomyo_error_sent(const nomyo_error *error);
const char *nomyo_error_payload_id(const nomyo_error *error);
const char *nomyo_error_request_id(const nomyo_error *error);
const char *nomyo_error_header(const nomyo_error *error, const char *name);
const char *nomyo_error_headers(const nomyo_error *error,
                                size_t *len);
const char *nomyo_error_details(const nomyo_error *error,
                                size_t *len);
void nomyo_error_free(nomyo_error *error);
NOMYO_MUST_USE nomyo_config *nomyo_config_new(void);
void nomyo_config_free(nomyo_config *config);
NOMYO_MUST_USE
int32_t nomyo_config_load_env(nomyo_config *config,
                              nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_config_set_memory_policy(nomyo_config *config,
                                       int32_t policy,
                                       nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_config_set_log(nomyo_config *config,
                             int32_t level,
                             nomyo_log_fn fn,
                             void *data,
                             nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_config_set_binding(nomyo_config *config,
                                 const char *binding,
                                 nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_config_set_base_url(nomyo_config *config,
                                  const char *url,
                                  nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_config_set_api_key(nomyo_config *config,
                                 const uint8_t *key,
                                 size_t len,
                                 nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_config_set_header(nomyo_config *config,
                                const char *name,
                                const uint8_t *value,
                                size_t len,
                                nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_config_set_allow_http(nomyo_config *config,
                                    int32_t yes,
                                    nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_config_set_max_retries(nomyo_config *config,
                                     uint32_t n,
                                     nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_config_set_timeout_ms(nomyo_config *config,
                                    uint64_t total,
                                    nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_config_set_connect_timeout_ms(nomyo_config *config,
                                            uint64_t ms,
                                            nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_config_set_proxy(nomyo_config *config,
                               const char *url,
                               nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_config_set_rate_limit(nomyo_config *config,
                                    double per_second,
                                    uint32_t burst,
                                    nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_config_set_response_limit(nomyo_config *config,
                                        uint64_t bytes,
                                        nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_config_set_ca_file(nomyo_config *config,
                                 const char *pem,
                                 nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_config_add_ca_pem(nomyo_config *config,
                                const uint8_t *pem,
                                size_t len,
                                nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_config_set_client_certificate(nomyo_config *config,
                                            const char *certificate,
                                            const char *key,
                                            nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_config_set_client_certificate_pem(nomyo_config *config,
                                                const uint8_t *certificate,
                                                size_t certificate_len,
                                                const uint8_t *key,
                                                size_t key_len,
                                                nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_config_add_tls_pin(nomyo_config *config,
                                 const char *sha256,
                                 nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_config_set_post_quantum(nomyo_config *config,
                                      int32_t yes,
                                      nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_config_set_key_dir(nomyo_config *config,
                                 const char *dir,
                                 nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_config_set_key_password(nomyo_config *config,
                                      const uint8_t *pw,
                                      size_t len,
                                      nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_config_set_key_group_read(nomyo_config *config,
                                        int32_t yes,
                                        nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_config_set_key_rotation_ms(nomyo_config *config,
                                         uint64_t ms,
                                         nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_config_add_server_key_pin(nomyo_config *config,
                                        const char *sha256_hex,
                                        nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_config_set_known_servers(nomyo_config *config,
                                       const char *file,
                                       nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_config_set_server_key_ttl_ms(nomyo_config *config,
                                           uint64_t ms,
                                           nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_config_set_attestation(nomyo_config *config,
                                     const nomyo_attestation_policy *policy,
                                     nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_client_new(const nomyo_config *config,
                         nomyo_client **out,
                         nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_client_with_options(const nomyo_client *client,
                                  const nomyo_call_options *options,
                                  nomyo_client **out,
                                  nomyo_error **error);
void nomyo_client_free(nomyo_client *client);
NOMYO_MUST_USE
int32_t nomyo_client_warm_up(const nomyo_client *client,
                             nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_client_server_key(const nomyo_client *client,
                                nomyo_text **pem,
                                nomyo_text **sha256_hex,
                                nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_client_tls_chain(const nomyo_client *client,
                               nomyo_text **out,
                               nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_create(const nomyo_client *client,
                     const uint8_t *json,
                     size_t len,
                     const nomyo_call_options *options,
                     nomyo_response **out,
                     nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_client_generate_keys(const nomyo_client *client,
                                   const char *dir,
                                   const uint8_t *pw,
                                   size_t len,
                                   nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_client_load_keys(const nomyo_client *client,
                               const char *private_pem,
                               const char *public_pem,
                               const uint8_t *pw,
                               size_t len,
                               nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_client_load_keys_pem(const nomyo_client *client,
                                   const uint8_t *private_pem,
                                   size_t private_len,
                                   const uint8_t *public_pem,
                                   size_t public_len,
                                   const uint8_t *pw,
                                   size_t len,
                                   nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_client_private_key_pem(const nomyo_client *client,
                                     const uint8_t *pw,
                                     size_t len,
                                     uint8_t **out,
                                     size_t *out_len,
                                     nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_client_save_keys(const nomyo_client *client,
                               const char *dir,
                               const uint8_t *pw,
                               size_t len,
                               nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_client_rotate_keys(const nomyo_client *client,
                                 nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_client_public_key(const nomyo_client *client,
                                nomyo_text **out,
                                nomyo_error **error);
const char *nomyo_text_data(const nomyo_text *text,
                            size_t *len);
void nomyo_text_free(nomyo_text *text);
NOMYO_MUST_USE nomyo_call_options *nomyo_call_options_new(void);
void nomyo_call_options_free(nomyo_call_options *options);
NOMYO_MUST_USE
int32_t nomyo_call_options_set_security_tier(nomyo_call_options *options,
                                             const char *tier,
                                             nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_call_options_set_api_key(nomyo_call_options *options,
                                       const uint8_t *key,
                                       size_t len,
                                       nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_call_options_set_timeout_ms(nomyo_call_options *options,
                                          uint64_t total,
                                          nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_call_options_set_cancel(nomyo_call_options *options,
                                      const nomyo_cancel *cancel,
                                      nomyo_error **error);
NOMYO_MUST_USE nomyo_cancel *nomyo_cancel_new(void);
void nomyo_cancel_trigger(const nomyo_cancel *cancel);
void nomyo_cancel_free(nomyo_cancel *cancel);
const char *nomyo_response_json(const nomyo_response *response,
                                size_t *len);
size_t nomyo_response_choices(const nomyo_response *response);
const char *nomyo_response_content(const nomyo_response *response,
                                   size_t choice,
                                   size_t *len);
const char *nomyo_response_reasoning(const nomyo_response *response,
                                     size_t choice,
                                     size_t *len);
const char *nomyo_response_tool_calls(const nomyo_response *response, size_t choice, size_t *len);
const char *nomyo_response_finish_reason(const nomyo_response *response,
                                         size_t choice,
                                         size_t *len);
const char *nomyo_response_pointer(const nomyo_response *response,
                                   const char *rfc6901,
                                   size_t *len);
const char *nomyo_response_payload_id(const nomyo_response *response);
const char *nomyo_response_request_id(const nomyo_response *response);
const char *nomyo_response_header(const nomyo_response *response,
                                  const char *name);
const char *nomyo_response_headers(const nomyo_response *response,
                                   size_t *len);
uint32_t nomyo_response_attempts(const nomyo_response *response);
int32_t nomyo_response_attestation(const nomyo_response *response,
                                   nomyo_attestation *out,
                                   size_t size);
const char *nomyo_response_attestation_report(const nomyo_response *response,
                                              size_t *len);
void nomyo_response_free(nomyo_response *response);
size_t nomyo_response_tool_call_count(const nomyo_response *response,
                                      size_t choice);
const char *nomyo_response_tool_call_id(const nomyo_response *response,
                                        size_t choice,
                                        size_t call,
                                        size_t *len);
const char *nomyo_response_tool_call_name(const nomyo_response *response,
                                          size_t choice,
                                          size_t call,
                                          size_t *len);
const char *nomyo_response_tool_call_arguments(const nomyo_response *response,
                                               size_t choice,
                                               size_t call,
                                               size_t *len);
int32_t nomyo_response_usage(const nomyo_response *response, nomyo_usage *out, size_t size);
NOMYO_MUST_USE
size_t nomyo_json_string(const uint8_t *text,
                         size_t len,
                         char *out,
                         size_t size);
const char *nomyo_attestation_level_name(int32_t level);
const char *nomyo_attestation_level_meaning(int32_t level);
const char *nomyo_attestation_check_name(int32_t check);
NOMYO_MUST_USE
nomyo_attestation_policy *nomyo_attestation_policy_new(void);
void nomyo_attestation_policy_free(nomyo_attestation_policy *policy);
NOMYO_MUST_USE
int32_t nomyo_attestation_policy_require(nomyo_attestation_policy *policy,
                                         int32_t level,
                                         nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_attestation_policy_allow_pcr(nomyo_attestation_policy *policy,
                                           const char *bank,
                                           uint32_t index,
                                           const char *hex,
                                           nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_attestation_verify(const uint8_t *block_json,
                                 size_t len,
                                 const char *payload_id,
                                 const nomyo_attestation_policy *policy,
                                 nomyo_attestation *out,
                                 size_t size,
                                 nomyo_error **error);
NOMYO_MUST_USE
int32_t nomyo_seal(const nomyo_client *client,
                   const uint8_t *server_pem,
                   size_t pem_len,
                   const uint8_t *json,
                   size_t len,
                   const nomyo_call_options *options,
                   nomyo_sealed **out,
                   nomyo_error **error);
const uint8_t *nomyo_sealed_body(const nomyo_sealed *sealed, size_t *len);
const char *nomyo_sealed_headers(const nomyo_sealed *sealed,
                                 size_t *len);
NOMYO_MUST_USE
int32_t nomyo_open(const nomyo_client *client,
                   const nomyo_sealed *sealed,
                   const uint8_t *body,
                   size_t len,
                   nomyo_response **out,
                   nomyo_error **error);
void nomyo_sealed_free(nomyo_sealed *sealed);
int32_t nomyo_memory_info_get(nomyo_memory_info *out,
                              size_t size);
NOMYO_MUST_USE
void *nomyo_secret_alloc(size_t len,
                         nomyo_error **error);
void nomyo_secret_free(void *p);
NOMYO_MUST_USE
int32_t nomyo_lock(void *p,
                   size_t len,
                   nomyo_error **error);
NOMYO_MUST_USE int32_t nomyo_unlock(void *p, size_t len, nomyo_error **error);
void nomyo_wipe(void *p, size_t len);
#ifdef __cplusplus
}
#endif
#endif
