/*
 * A process has no mappings left (vm.max_map_count). Every function must return a status, and none may crash. Calls must succeed
 * again after mappings are free.
 */
#include <sys/mman.h>

#include "endpoint.h"
#include "proc.h"

#define ASK "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"one more\"}]}"

enum { MOST = 1 << 20, CALLS = 8 };

static void *taken[MOST];

/* Takes all mappings. Every second page has another protection, so that the kernel merges none. */
static int take_all(void) {
    int count = 0;
    while (count < MOST) {
        void *page = mmap(NULL, PAGE, count % 2 ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (page == MAP_FAILED) {
            break;
        }
        taken[count++] = page;
    }
    return count;
}

static int is_status_of_a_full_process(int32_t status) {
    return status == NOMYO_OK || status == NOMYO_ERR_MEMORY || status == NOMYO_ERR_CONNECTION || status == NOMYO_ERR_IO ||
           status == NOMYO_ERR_INTERNAL;
}

static void calls(const nomyo_client *client) {
    for (int i = 0; i < CALLS; i++) {
        nomyo_response *response = NULL;
        nomyo_config *config = nomyo_config_new();
        nomyo_client *other = NULL;
        nomyo_call_options *options = nomyo_call_options_new();
        CHECK(is_status_of_a_full_process(create_text(client, ASK, options, &response, NULL)));
        CHECK(is_status_of_a_full_process(nomyo_client_new(config, &other, NULL)));
        CHECK(is_status_of_a_full_process(nomyo_client_generate_keys(other == NULL ? client : other, NULL, NULL, 0, NULL)));
        nomyo_client_free(other);
        nomyo_config_free(config);
        nomyo_call_options_free(options);
        nomyo_response_free(response);
    }
}

int main(void) {
    nomyo_client *client = client_of(endpoint_config());
    nomyo_response_free(answer_to(client, ASK, NULL));
    int count = take_all();
    CHECK(count > 1000);
    calls(client);
    nomyo_error *err = NULL;
    CHECK(nomyo_secret_alloc(1, &err) == NULL);
    CHECK_INT(nomyo_error_status(err), NOMYO_ERR_MEMORY);
    nomyo_error_free(err);
    while (count > 0) {
        munmap(taken[--count], PAGE);
    }
    nomyo_response *response = answer_to(client, ASK, NULL);
    CHECK_TEXT(nomyo_response_content(response, 0, NULL), "one more");
    nomyo_response_free(response);
    nomyo_client_free(client);
    return check_summary("map_count");
}
