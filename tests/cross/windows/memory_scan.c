/*
 * Reads the whole memory of a client from a second process, at seven moments, and counts copies of its secrets.
 *
 * Without an argument this program starts itself as the client, tells it each step by a line, and looks at its memory in between.
 * Memory that the client says is its caller's own is left out.
 */
#include <pthread.h>

#include "endpoint.h"
#include "proc.h"

enum { SECRET = 32, PLACES = 2 };

/* A secret that is written nowhere: `kind` and the process that scans decide its letters. */
static void write_secret(char *to, unsigned kind, unsigned long seed) {
    uint64_t state = kind * 0x9e3779b97f4a7c15u + seed;
    for (int i = 0; i < SECRET; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        to[i] = (char)('a' + (state >> 33) % 26);
    }
}
enum { PROMPT = 1, ANSWER, API_KEY, PLANTED };

/* --- the client */

static unsigned long seed;
static nomyo_client *client;
static nomyo_response *answer;
static char *request, *key;
static size_t request_len;

/* The answer stands escaped in the request, so that its own bytes occur in the answer only. */
static void write_request(void) {
    char text[SECRET];
    request = nomyo_secret_alloc(1024, NULL);
    char *at = request + sprintf(request, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"");
    write_secret(at, PROMPT, seed);
    at += SECRET;
    at += sprintf(at, "\"}],\"nomyo_test\":{\"reply\":\"");
    write_secret(text, ANSWER, seed);
    for (int i = 0; i < SECRET; i++) {
        at += sprintf(at, "\\u%04x", (unsigned)text[i]);
    }
    nomyo_wipe(text, sizeof text);
    at += sprintf(at, "\",\"delay_before_headers_ms\":6000}}");
    request_len = (size_t)(at - request);
}

static void *send_request(void *unused) {
    nomyo_error *err = NULL;
    CHECK_OK(nomyo_create(client, (const uint8_t *)request, request_len, NULL, &answer, &err), &err);
    return unused;
}

static void obey(const char *step) {
    static pthread_t sender;
    static char *planted;
    nomyo_error *err = NULL;
    if (strcmp(step, "make") == 0) {
        nomyo_config *config = nomyo_config_new();
        key = nomyo_secret_alloc(SECRET, NULL);
        write_secret(key, API_KEY, seed);
        CHECK_OK(nomyo_config_set_base_url(config, endpoint_variable("NOMYO_TEST_BASE_URL"), &err), &err);
        CHECK_OK(nomyo_config_set_ca_file(config, endpoint_variable("NOMYO_TEST_CA_FILE"), &err), &err);
        CHECK_OK(nomyo_config_set_api_key(config, (const uint8_t *)key, SECRET, &err), &err);
        client = client_of(config);
        CHECK_OK(nomyo_client_warm_up(client, &err), &err);
        write_request();
    } else if (strcmp(step, "send") == 0) {
        CHECK(pthread_create(&sender, NULL, send_request, NULL) == 0);
        usleep(2000000);
    } else if (strcmp(step, "hold") == 0) {
        CHECK(pthread_join(sender, NULL) == 0);
        size_t len = 0;
        const char *text = nomyo_response_content(answer, 0, &len);
        CHECK(text != NULL && len == SECRET);
    } else if (strcmp(step, "free answer") == 0) {
        nomyo_response_free(answer);
    } else if (strcmp(step, "free client") == 0) {
        nomyo_client_free(client);
    } else if (strcmp(step, "plant") == 0) {
        planted = malloc(SECRET);
        write_secret(planted, PLANTED, seed);
    } else if (strcmp(step, "remove") == 0) {
        nomyo_wipe(planted, SECRET);
        free(planted);
    }
}

static int client_main(void) {
    char step[64];
    while (fgets(step, sizeof step, stdin) != NULL) {
        step[strcspn(step, "\r\n")] = '\0';
        obey(step);
        printf("%p %p %u\n", (void *)request, (void *)key, check_failed);
        fflush(stdout);
    }
    return check_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* --- the scanner */

static PROCESS_INFORMATION child;
static FILE *steps, *answers;
/* The caller's own memory in the client. */
static unsigned char *own[PLACES];

static int is_own(const unsigned char *address) {
    int found = 0;
    for (int i = 0; i < PLACES; i++) {
        found |= own[i] != NULL && own[i] <= address && address < own[i] + 1024;
    }
    return found;
}

/* Copies of a half of the secret or more, in all memory of the client that can be read. */
static unsigned copies(unsigned kind) {
    char secret[SECRET];
    unsigned found = 0;
    unsigned long long seen = 0;
    MEMORY_BASIC_INFORMATION about;
    write_secret(secret, kind, seed);
    for (unsigned char *at = NULL; VirtualQueryEx(child.hProcess, at, &about, sizeof about) == sizeof about;
         at = (unsigned char *)about.BaseAddress + about.RegionSize) {
        SIZE_T got = 0;
        unsigned char *block;
        if (about.State != MEM_COMMIT || (about.Protect & (PAGE_NOACCESS | PAGE_GUARD)) != 0 ||
            (block = malloc(about.RegionSize)) == NULL) {
            continue;
        }
        if (ReadProcessMemory(child.hProcess, about.BaseAddress, block, about.RegionSize, &got)) {
            seen += got;
            for (size_t i = 0; i + SECRET / 2 <= got; i++) {
                found += block[i] == (unsigned char)secret[0] && memcmp(block + i, secret, SECRET / 2) == 0 &&
                         !is_own((unsigned char *)about.BaseAddress + i);
            }
        }
        free(block);
    }
    CHECK(seen > 1 << 20);
    return found;
}

/* Lets the client take a step. */
static void step(const char *name) {
    void *first = NULL, *second = NULL;
    unsigned failed = 1;
    char line[256] = "";
    fprintf(steps, "%s\n", name);
    fflush(steps);
    CHECK(fgets(line, sizeof line, answers) != NULL && sscanf(line, "%p %p %u", &first, &second, &failed) == 3);
    CHECK_INT(failed, 0);
    own[0] = first;
    own[1] = second;
}

static void start(const char *self) {
    char command[MAX_PATH + 64];
    HANDLE step_read, step_write, answer_read, answer_write;
    SECURITY_ATTRIBUTES inherited = {sizeof inherited, NULL, TRUE};
    STARTUPINFOA how = {.cb = sizeof how, .dwFlags = STARTF_USESTDHANDLES};
    CHECK(CreatePipe(&step_read, &step_write, &inherited, 0) && CreatePipe(&answer_read, &answer_write, &inherited, 0));
    SetHandleInformation(step_write, HANDLE_FLAG_INHERIT, 0);
    SetHandleInformation(answer_read, HANDLE_FLAG_INHERIT, 0);
    how.hStdInput = step_read;
    how.hStdOutput = answer_write;
    how.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    snprintf(command, sizeof command, "\"%s\" %lu", self, seed);
    if (!CHECK(CreateProcessA(NULL, command, NULL, NULL, TRUE, 0, NULL, NULL, &how, &child))) {
        exit(EXIT_FAILURE);
    }
    CloseHandle(step_read);
    CloseHandle(answer_write);
    steps = _fdopen(_open_osfhandle((intptr_t)step_write, 0), "wb");
    answers = _fdopen(_open_osfhandle((intptr_t)answer_read, 0), "rb");
}

/* Copies at one moment: none if `gone`, some if not. */
static void expect(const char *moment, const char *name, unsigned kind, int gone) {
    unsigned found = copies(kind);
    printf("memory_scan: %-14s %-8s %u\n", moment, name, found);
    CHECK(gone ? found == 0 : found > 0);
}

int main(int argc, char **argv) {
    seed = argc > 1 ? strtoul(argv[1], NULL, 10) : GetCurrentProcessId() * 2654435761ul;
    if (argc > 1) {
        return client_main();
    }
    start(argv[0]);
    step("plant");
    expect("planted", "control", PLANTED, 0);
    step("remove");
    expect("removed", "control", PLANTED, 1);
    static const struct {
        const char *step, *moment;
        int answer_gone, key_gone;
    } moments[] = {
        {"make", "client made", 1, 0},     {"send", "server thinks", 1, 0},      {"hold", "answer held", 0, 0},
        {"free answer", "answer freed", 1, 0}, {"free client", "client freed", 1, 1},
    };
    for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
        step(moments[i].step);
        expect(moments[i].moment, "prompt", PROMPT, 1);
        expect(moments[i].moment, "answer", ANSWER, moments[i].answer_gone);
        expect(moments[i].moment, "API key", API_KEY, moments[i].key_gone);
    }
    fclose(steps);
    DWORD code = 1;
    CHECK(WaitForSingleObject(child.hProcess, 60000) == WAIT_OBJECT_0 && GetExitCodeProcess(child.hProcess, &code));
    CHECK_INT(code, 0);
    return check_summary("memory_scan");
}
