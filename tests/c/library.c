/*
 * What the library says of itself: versions, status names, struct layout, the memory report, and getters on NULL.
 */
#include <assert.h>
#include <stddef.h>

#include "check.h"

static_assert(sizeof(nomyo_memory_info) == 56, "the layout is part of the ABI");
static_assert(offsetof(nomyo_memory_info, policy) == 0, "the layout is part of the ABI");
static_assert(offsetof(nomyo_memory_info, level) == 4, "the layout is part of the ABI");
static_assert(offsetof(nomyo_memory_info, page_size) == 8, "the layout is part of the ABI");
static_assert(offsetof(nomyo_memory_info, limit) == 16, "the layout is part of the ABI");
static_assert(offsetof(nomyo_memory_info, mapped) == 24, "the layout is part of the ABI");
static_assert(offsetof(nomyo_memory_info, locked) == 32, "the layout is part of the ABI");
static_assert(offsetof(nomyo_memory_info, refused) == 40, "the layout is part of the ABI");
static_assert(offsetof(nomyo_memory_info, dump_excluded) == 48, "the layout is part of the ABI");
static_assert(offsetof(nomyo_memory_info, fork_excluded) == 52, "the layout is part of the ABI");

static void versions_are_those_of_the_header(void) {
    char version[32];
    snprintf(version, sizeof version, "%d.%d.%d", NOMYO_VERSION_MAJOR, NOMYO_VERSION_MINOR, NOMYO_VERSION_PATCH);
    CHECK_TEXT(nomyo_version(), version);
    CHECK_INT(nomyo_abi_version(), NOMYO_ABI_VERSION);
}

/* The numbers are fixed once shipped, so they stand here a second time. */
static void statuses(void) {
#define NAMED(name, number)                             \
    do {                                                \
        CHECK_INT(name, number);                        \
        CHECK_TEXT(nomyo_status_name(number), #name);   \
    } while (0)
    NAMED(NOMYO_OK, 0);
    NAMED(NOMYO_ERR_ARGUMENT, 1);
    NAMED(NOMYO_ERR_FORKED, 2);
    NAMED(NOMYO_ERR_CANCELLED, 3);
    NAMED(NOMYO_ERR_CONNECTION, 10);
    NAMED(NOMYO_ERR_TIMEOUT, 11);
    NAMED(NOMYO_ERR_PROTOCOL, 12);
    NAMED(NOMYO_ERR_BAD_REQUEST, 20);
    NAMED(NOMYO_ERR_AUTHENTICATION, 21);
    NAMED(NOMYO_ERR_FORBIDDEN, 22);
    NAMED(NOMYO_ERR_NOT_FOUND, 23);
    NAMED(NOMYO_ERR_RATE_LIMIT, 24);
    NAMED(NOMYO_ERR_SERVER, 25);
    NAMED(NOMYO_ERR_UNAVAILABLE, 26);
    NAMED(NOMYO_ERR_HTTP, 27);
    NAMED(NOMYO_ERR_ATTESTATION, 40);
    NAMED(NOMYO_ERR_SECURITY, 60);
    NAMED(NOMYO_ERR_PIN, 61);
    NAMED(NOMYO_ERR_KEY, 62);
    NAMED(NOMYO_ERR_IO, 63);
    NAMED(NOMYO_ERR_MEMORY, 80);
    NAMED(NOMYO_ERR_INTERNAL, 99);
    CHECK_INT(NOMYO_SENT_NO, 0);
    CHECK_INT(NOMYO_SENT_MAYBE, 1);
    CHECK_INT(NOMYO_SENT_YES, 2);
    static const int32_t none[] = {-1, 4, 28, 100, INT32_MIN, INT32_MAX};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        CHECK_TEXT(nomyo_status_name(none[i]), "NOMYO_ERR_UNKNOWN");
    }
    CHECK(nomyo_status_name(61) == nomyo_status_name(61));
}

/* The first `size` bytes are written, as far as they are known; zeros to `size`; nothing behind it. */
static void memory_info_fits_the_caller(void) {
    nomyo_memory_info whole;
    memset(&whole, 0xaa, sizeof whole);
    CHECK_INT(nomyo_memory_info_get(&whole, sizeof whole), NOMYO_OK);
    static const size_t sizes[] = {0, 1, 4, 5, 8, 55, 56, 57, 100};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        _Alignas(nomyo_memory_info) unsigned char area[128];
        memset(area, 0xaa, sizeof area);
        CHECK_INT(nomyo_memory_info_get((nomyo_memory_info *)area, sizes[i]), NOMYO_OK);
        size_t known = sizes[i] < sizeof whole ? sizes[i] : sizeof whole;
        int right = memcmp(area, &whole, known) == 0;
        for (size_t at = known; at < sizeof area; at++) {
            right &= area[at] == (at < sizes[i] ? 0 : 0xaa);
        }
        if (!CHECK(right)) {
            fprintf(stderr, "    size %zu\n", sizes[i]);
        }
    }
    CHECK_INT(nomyo_memory_info_get(NULL, sizeof whole), NOMYO_ERR_ARGUMENT);
    CHECK_INT(nomyo_memory_info_get(NULL, 0), NOMYO_ERR_ARGUMENT);
}

static void memory_info_is_honest(void) {
    nomyo_memory_info info;
    CHECK_INT(nomyo_memory_info_get(&info, sizeof info), NOMYO_OK);
    CHECK(info.level >= NOMYO_MEMORY_LEVEL_WIPE_ONLY && info.level <= NOMYO_MEMORY_LEVEL_FULL);
    CHECK(info.page_size >= 4096 && (info.page_size & (info.page_size - 1)) == 0);
    CHECK(info.locked <= info.mapped && info.refused <= info.mapped);
    if (info.level == NOMYO_MEMORY_LEVEL_FULL) {
        CHECK(info.locked == info.mapped && info.dump_excluded == 1);
    }
}

/* Runs a getter on NULL with a length that must become 0, and without one. */
#define NULL_FOR_NULL(...)                                                     \
    do {                                                                       \
        size_t len = 77;                                                       \
        CHECK(NULL_CALL(&len, __VA_ARGS__) == NULL && len == 0);               \
        CHECK(NULL_CALL(NULL, __VA_ARGS__) == NULL);                           \
    } while (0)
#define NULL_CALL(length, function, ...) function(__VA_ARGS__, length)

static void getters_take_null(void) {
    CHECK_INT(nomyo_error_status(NULL), NOMYO_OK);
    CHECK_TEXT(nomyo_error_message(NULL), "");
    CHECK_INT(nomyo_error_http_status(NULL), 0);
    CHECK_INT(nomyo_error_retry_after_ms(NULL), -1);
    CHECK_INT(nomyo_error_retryable(NULL), 0);
    CHECK_INT(nomyo_error_attempts(NULL), 0);
    CHECK_INT(nomyo_error_sent(NULL), NOMYO_SENT_NO);
    CHECK(nomyo_error_payload_id(NULL) == NULL);
    CHECK_INT(nomyo_response_attempts(NULL), 0);
    NULL_FOR_NULL(nomyo_error_details, NULL);
    NULL_FOR_NULL(nomyo_response_json, NULL);
    CHECK_INT(nomyo_response_choices(NULL), 0);
    NULL_FOR_NULL(nomyo_response_content, NULL, 0);
    NULL_FOR_NULL(nomyo_response_reasoning, NULL, 0);
    NULL_FOR_NULL(nomyo_response_tool_calls, NULL, 0);
    NULL_FOR_NULL(nomyo_response_finish_reason, NULL, SIZE_MAX);
    NULL_FOR_NULL(nomyo_response_pointer, NULL, "/a");
    NULL_FOR_NULL(nomyo_response_pointer, NULL, NULL);
    CHECK(nomyo_response_payload_id(NULL) == NULL);
    CHECK(nomyo_response_request_id(NULL) == NULL);
    CHECK(nomyo_response_header(NULL, "a") == NULL);
    CHECK(nomyo_error_request_id(NULL) == NULL);
    NULL_FOR_NULL(nomyo_response_headers, NULL);
    NULL_FOR_NULL(nomyo_error_headers, NULL);
    CHECK(nomyo_error_header(NULL, "a") == NULL);
    CHECK_INT(nomyo_response_tool_call_count(NULL, 0), 0);
    NULL_FOR_NULL(nomyo_response_tool_call_id, NULL, 0, 0);
    NULL_FOR_NULL(nomyo_response_tool_call_name, NULL, 0, 0);
    NULL_FOR_NULL(nomyo_response_tool_call_arguments, NULL, 0, 0);
    nomyo_usage usage;
    CHECK_INT(nomyo_response_usage(NULL, &usage, sizeof usage), NOMYO_ERR_ARGUMENT);
    NULL_FOR_NULL(nomyo_sealed_body, NULL);
    NULL_FOR_NULL(nomyo_sealed_headers, NULL);
}

int main(void) {
    versions_are_those_of_the_header();
    statuses();
    memory_info_fits_the_caller();
    memory_info_is_honest();
    getters_take_null();
    return check_summary("library");
}
