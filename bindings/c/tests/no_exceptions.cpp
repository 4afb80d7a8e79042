// nomyo.hpp under -fno-exceptions and -fno-rtti: run under tests/with_endpoint.sh. with_exceptions.cpp is linked to it.

#include <nomyo.hpp>

#include "check.hpp"

#include <csignal>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <sys/wait.h>
#include <type_traits>
#include <unistd.h>
#include <utility>

#ifdef __cpp_exceptions
#error "compile this file with -fno-exceptions"
#endif

using namespace std::chrono_literals;

// Checks the same server from a file with exceptions, and what its exceptions do.
std::string echoed_with_exceptions(const std::string &text);
bool catches_an_argument_error();

template <class T, class = void> constexpr bool creates = false;
template <class T> constexpr bool creates<T, std::void_t<decltype(std::declval<const T &>().create(""))>> = true;
template <class T, class = void> constexpr bool tries = false;
template <class T> constexpr bool tries<T, std::void_t<decltype(std::declval<const T &>().try_create(""))>> = true;
static_assert(!creates<nomyo::Client> && tries<nomyo::Client>, "a function that throws exists");
static_assert(!std::is_constructible_v<nomyo::Client, nomyo::Config>, "a constructor that throws exists");
static_assert(!std::is_constructible_v<nomyo::Secret, std::size_t>, "a constructor that throws exists");

// Whether a failure has this status and a message.
static bool is(const nomyo::Failure *failure, int32_t status) {
    return failure && failure->status() == status && *failure->message() != '\0';
}

static nomyo::Client made(const nomyo::Config &settings) { return nomyo::Client::try_make(settings).take(); }

static void every_call_has_a_result(const nomyo::Client &client) {
    const nomyo::Result<nomyo::Response> answer = client.try_create(chat("no throw"));
    CHECK(answer && answer->content() == "no throw" && answer->choices().size() == 1 && !answer.failure());
    const nomyo::Result<nomyo::Response> refused = client.try_create(fault(R"("status":429,"headers":{"Retry-After":"7"})"));
    CHECK(!refused && is(refused.failure(), NOMYO_ERR_RATE_LIMIT) && refused.failure()->retry_after() == 7s);
    CHECK(refused.operator->() == nullptr && refused.failure()->sent() == nomyo::Sent::yes);
    const auto no_object = client.try_create("[]");
    CHECK(!no_object && is(no_object.failure(), NOMYO_ERR_ARGUMENT) && no_object.failure()->sent() == nomyo::Sent::no);
    const nomyo::Failure kept = *refused.failure(); // a copy outlives the result
    CHECK(kept.payload_id().size() == 36);
    const auto key = client.try_server_key();
    CHECK(key && key->sha256_hex == environment("NOMYO_TEST_KEY_FINGERPRINT"));
    const auto pem = client.try_public_key();
    CHECK(pem && pem->find("PUBLIC KEY") != std::string::npos);
    CHECK(static_cast<bool>(client.try_warm_up()));
    const auto not_there = client.try_load_keys("/does/not/exist");
    CHECK(!not_there && is(not_there.failure(), NOMYO_ERR_KEY));
}

static void a_setter_that_failed_stops_every_client() {
    nomyo::Config settings = config();
    CHECK(!settings.failure());
    settings.add_server_key_pin("no pin").timeout(1min); // the second setter does not hide the failure of the first
    CHECK(is(settings.failure(), NOMYO_ERR_ARGUMENT));
    const auto client = nomyo::Client::try_make(settings);
    CHECK(!client && is(client.failure(), NOMYO_ERR_ARGUMENT));
    CHECK(!client && std::string_view(client.failure()->message()) == settings.failure()->message());

    nomyo::Config cut = config();
    cut.base_url(std::string("https://a\0.b", 12));
    CHECK(is(cut.failure(), NOMYO_ERR_ARGUMENT) && !nomyo::Client::try_make(cut));

    nomyo::AttestationPolicy policy;
    policy.require(99);
    nomyo::Config attested = config();
    attested.attestation(policy);
    CHECK(is(attested.failure(), NOMYO_ERR_ARGUMENT) && !nomyo::Client::try_make(attested));
}

static void a_moved_from_object_is_not_the_default(nomyo::Client client) {
    nomyo::Config settings = config();
    const nomyo::Config taken(std::move(settings));
    const auto from_moved = nomyo::Client::try_make(settings);
    CHECK(!from_moved && is(from_moved.failure(), NOMYO_ERR_ARGUMENT));
    nomyo::CallOptions options, bad;
    const nomyo::CallOptions kept(std::move(options));
    const auto moved_options = client.try_create(chat("x"), &options);
    CHECK(!moved_options && is(moved_options.failure(), NOMYO_ERR_ARGUMENT));
    bad.security_tier("High");
    const auto bad_options = client.try_create(chat("x"), &bad);
    CHECK(!bad_options && is(bad_options.failure(), NOMYO_ERR_ARGUMENT));
    CHECK(!client.try_with_options(bad));

    nomyo::Response answer = client.try_create(chat("x")).take();
    const nomyo::Response moved(std::move(answer));
    CHECK(answer.json().empty() && answer.choices().empty() && !answer.content() && !answer.pointer("") && answer.payload_id().empty());
    CHECK(moved.content() == "x" && !moved.pointer(std::string(1, '\0')));
    const nomyo::Client other(std::move(client));
    const auto moved_client = client.try_create(chat("x"));
    CHECK(!moved_client && is(moved_client.failure(), NOMYO_ERR_ARGUMENT));
}

// The page says so: there is nothing else that take() could do.
static void take_of_a_failure_ends_the_process(const nomyo::Client &client) {
    auto result = client.try_create("[]");
    const pid_t child = fork();
    if (child == 0) {
        const rlimit none{0, 0};
        setrlimit(RLIMIT_CORE, &none);
        (void)std::move(result).take();
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main() {
    const nomyo::Client client = made(config().max_retries(0));
    every_call_has_a_result(client);
    a_setter_that_failed_stops_every_client();
    a_moved_from_object_is_not_the_default(client.try_with_options(nomyo::CallOptions()).take());
    take_of_a_failure_ends_the_process(client);
    CHECK(echoed_with_exceptions("both") == "both" && catches_an_argument_error());
    return tally("no_exceptions");
}
