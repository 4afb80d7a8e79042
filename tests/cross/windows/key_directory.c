/*
 * A key directory on Windows: made for its owner alone, read again, refused if others can read or change it. And known servers.
 */
#include "acl.h"
#include "endpoint.h"
#include "scratch.h"

#define ASK "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}"

static struct scratch scratch;

/* A client with the key directory `name` in the scratch directory. */
static nomyo_client *client_with(const char *name, const char *known_servers, uint64_t timeout_ms) {
    nomyo_config *config = endpoint_config();
    nomyo_error *err = NULL;
    CHECK_OK(nomyo_config_set_key_dir(config, scratch_path(&scratch, name), &err), &err);
    CHECK_OK(nomyo_config_set_timeout_ms(config, timeout_ms, &err), &err);
    if (known_servers != NULL) {
        CHECK_OK(nomyo_config_set_known_servers(config, scratch_path(&scratch, known_servers), &err), &err);
    }
    return client_of(config);
}

/* The client's public key. The caller frees it. */
static char *public_key(const nomyo_client *client) {
    nomyo_text *pem = NULL;
    nomyo_error *err = NULL;
    CHECK_OK(nomyo_client_public_key(client, &pem, &err), &err);
    char *text = strdup(pem != NULL ? nomyo_text_data(pem, NULL) : "");
    nomyo_text_free(pem);
    return text;
}

/* A client of `name` fails with this status, and its sentence has this part. */
static void refused(const char *name, int32_t status, const char *part) {
    nomyo_client *client = client_with(name, NULL, 1000);
    nomyo_text *pem = SENTINEL;
    nomyo_error *err = NULL;
    CHECK_INT(nomyo_client_public_key(client, &pem, &err), status);
    check_error(err, status, part, name, __FILE__, __LINE__);
    CHECK(pem == SENTINEL);
    nomyo_error_free(err);
    nomyo_client_free(client);
}

static void a_directory_is_made_for_its_owner_alone_and_read_again(void) {
    nomyo_client *client = client_with("keys", "known", 60000);
    nomyo_response *answer = answer_to(client, ASK, NULL);
    nomyo_response_free(answer);
    char *first = public_key(client);
    nomyo_client_free(client);
    CHECK_HAS(first, "BEGIN PUBLIC KEY");
    /* The public file inherits the rights of the directory, which Wine 8 does not do. */
    static const char *const made[] = {"keys", "keys/private_key.pem", "keys/.nomyo.lock", "known"};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        CHECK_INT(rights_of_others(scratch_path(&scratch, made[i])), 0);
    }
    CHECK(access(scratch_path(&scratch, "keys/.private_key.pem.new"), F_OK) != 0);
    client = client_with("keys", "known", 60000);
    answer = answer_to(client, ASK, NULL); /* the server is known now */
    nomyo_response_free(answer);
    char *second = public_key(client);
    CHECK_TEXT(second, first);
    free(second);
    nomyo_error *err = NULL;
    CHECK_OK(nomyo_client_rotate_keys(client, &err), &err); /* replaces both files */
    second = public_key(client);
    CHECK(strcmp(second, first) != 0);
    CHECK_INT(rights_of_others(scratch_path(&scratch, "keys/private_key.pem")), 0);
    free(second);
    free(first);
    nomyo_client_free(client);
}

/* The server's identity is in the file, so that another server is refused. */
static void an_unknown_server_is_refused(void) {
    char text[4096] = "";
    FILE *file = fopen(scratch_path(&scratch, "known"), "rb");
    CHECK(file != NULL && fread(text, 1, sizeof text - 1, file) > 0 && fclose(file) == 0);
    char *fingerprint = strstr(text, endpoint_variable("NOMYO_TEST_KEY_FINGERPRINT"));
    if (CHECK(fingerprint != NULL)) {
        *fingerprint = *fingerprint == 'a' ? 'b' : 'a';
        file = fopen(scratch_path(&scratch, "known"), "wb");
        CHECK(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
        nomyo_client *client = client_with("keys", "known", 60000);
        nomyo_error *err = error_of(client, ASK, NULL);
        CHECK_INT(nomyo_error_status(err), NOMYO_ERR_PIN);
        nomyo_error_free(err);
        nomyo_client_free(client);
    }
}

static void a_lock_that_another_handle_holds_is_waited_for(void) {
    char path[PATH_MAX];
    CHECK(mkdir(scratch_path(&scratch, "locked"), 0700) == 0);
    snprintf(path, sizeof path, "%s", scratch_path(&scratch, "locked"));
    int fd = lock_folder(path);
    refused("locked", NOMYO_ERR_TIMEOUT, "held the lock file");
    close(fd);
    nomyo_client *client = client_with("locked", NULL, 60000);
    free(public_key(client));
    nomyo_client_free(client);
}

static void files_that_others_can_read_or_change_are_refused(void) {
    give_everybody(scratch_path(&scratch, "keys/private_key.pem"), FILE_GENERIC_READ);
    refused("keys", NOMYO_ERR_KEY, "other users may read or change it; run: icacls");
    CHECK(remove(scratch_path(&scratch, "keys/private_key.pem")) == 0);
    CHECK(remove(scratch_path(&scratch, "keys/public_key.pem")) == 0);
    give_everybody(scratch_path(&scratch, "keys"), FILE_GENERIC_WRITE | FILE_DELETE_CHILD);
    refused("keys", NOMYO_ERR_KEY, "other users may write to it; run: icacls");
}

static void what_is_no_directory_is_refused_with_the_reason(void) {
    refused("nowhere/keys", NOMYO_ERR_IO, "its parent directory is missing");
    write_private(scratch_path(&scratch, "file"), "x", 1);
    refused("file", NOMYO_ERR_KEY, "no directory");
    CHECK(mkdir(scratch_path(&scratch, "odd"), 0700) == 0 && mkdir(scratch_path(&scratch, "odd/private_key.pem"), 0700) == 0);
    refused("odd", NOMYO_ERR_KEY, "not a regular file");
}

int main(void) {
    scratch = scratch_new();
    a_directory_is_made_for_its_owner_alone_and_read_again();
    an_unknown_server_is_refused();
    a_lock_that_another_handle_holds_is_waited_for();
    files_that_others_can_read_or_change_are_refused();
    what_is_no_directory_is_refused_with_the_reason();
    scratch_remove(&scratch);
    return check_summary("key_directory");
}
