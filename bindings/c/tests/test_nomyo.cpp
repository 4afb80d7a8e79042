// The promises of nomyo.hpp, kept against the local endpoint: run under tests/with_endpoint.sh.

#include <nomyo.hpp>

#include "check.hpp"

#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

using namespace std::chrono_literals;

template <class T> constexpr bool move_only = std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T>
    && !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T>;
static_assert(move_only<nomyo::Config> && move_only<nomyo::CallOptions> && move_only<nomyo::Client>
              && move_only<nomyo::Response>);
static_assert(std::is_nothrow_copy_constructible_v<nomyo::RateLimitError>);

template <class T, class = void> constexpr bool gives_content = false;
template <class T> constexpr bool gives_content<T, std::void_t<decltype(std::declval<T>().content())>> = true;
static_assert(gives_content<nomyo::Response &>);
static_assert(!gives_content<nomyo::Response>, "a view into a temporary would dangle");

static void echoes(const nomyo::Client &client) {
    const nomyo::Response answer = client.create(chat("a\\u0000b é", R"(,"n":2,"nomyo_test":{"reasoning":"hm"})"));
    CHECK(answer.choices().size() == 2);
    CHECK(answer.content() == std::string_view("a\0b é", 6));
    CHECK(answer.content(1) == answer.content(0));
    CHECK(answer.content(2) == std::nullopt);
    CHECK(answer.reasoning() == "hm");
    CHECK(answer.tool_calls() == std::nullopt);
    CHECK(answer.finish_reason() == "stop");
    CHECK(answer.pointer("/usage/prompt_tokens") == "2");
    CHECK(answer.pointer("") == answer.json());
    CHECK(answer.pointer("/absent") == std::nullopt);
    CHECK(throws<nomyo::ArgumentError>([&] { (void)answer.pointer(std::string("\0", 1)); }));
    CHECK(answer.payload_id().size() == 36);
    CHECK(answer.json().find(answer.payload_id()) != std::string_view::npos);
}

static void calls_tools(const nomyo::Client &client) {
    const nomyo::Response answer = client.create(chat("x", R"(,"tools":[{"type":"function","function":{"name":"f"}}])"));
    CHECK(answer.content() == std::nullopt);
    CHECK(answer.finish_reason() == "tool_calls");
    CHECK(answer.tool_calls().value_or("").find("\"name\":\"f\"") != std::string_view::npos);
}

static void views_survive_moves() {
    nomyo::Client first(config());
    nomyo::Client client(std::move(first));
    CHECK(throws<nomyo::ArgumentError>([&] { first.warm_up(); }));
    CHECK(throws<nomyo::ArgumentError>([&] { (void)first.create(chat("x")); }));

    nomyo::Response answer = client.create(chat("stays"));
    client = nomyo::Client(config()); // an answer outlives its client
    const std::string_view view = answer.content().value_or("");
    nomyo::Response moved(std::move(answer));
    CHECK(view == "stays" && view.data() == moved.content()->data());
    CHECK(throws<nomyo::ArgumentError>([&] { (void)answer.content(); }));
    CHECK(throws<nomyo::ArgumentError>([&] { (void)answer.choices(); }));
    CHECK(throws<nomyo::ArgumentError>([&] { (void)answer.payload_id(); }));
    answer = std::move(moved);
    CHECK(answer.content() == "stays");
}

static void a_moved_from_option_is_not_the_default(const nomyo::Client &client) {
    nomyo::Config c = config();
    const nomyo::Config taken(std::move(c));
    CHECK(throws<nomyo::ArgumentError>([&] { nomyo::Client made(c); }));
    CHECK(throws<nomyo::ArgumentError>([&] { c.timeout(1s); }));
    nomyo::CallOptions r;
    const nomyo::CallOptions kept(std::move(r));
    CHECK(throws<nomyo::ArgumentError>([&] { (void)client.create(chat("x"), r); }));
}

static void options_hold(const nomyo::Client &client) {
    nomyo::CallOptions options;
    options.security_tier("high").api_key("other").timeout(1min);
    const nomyo::Response answer = client.create(chat("x"), options);
    CHECK(answer.pointer("/_metadata/security_tier") == "\"high\"");
    CHECK(throws<nomyo::SecurityError>([&] { (void)client.create(fault(R"("tier":"standard")"), options); }));
    options.timeout(300ms);
    CHECK(throws<nomyo::TimeoutError>([&] { (void)client.create(fault(R"("delay_before_headers_ms":5000)"), options); }));
}

static void failures_tell_what_was_sent(const nomyo::Client &client) {
    const auto is = [](nomyo::Sent sent, std::size_t id, uint32_t attempts) {
        return [=](const nomyo::Error &e) {
            return e.sent() == sent && e.payload_id().size() == id && e.attempts() == attempts
                && e.failure().sent() == sent && e.failure().payload_id() == e.payload_id();
        };
    };
    CHECK(throws<nomyo::ArgumentError>([&] { (void)client.create("[]"); }, is(nomyo::Sent::no, 0, 0)));
    CHECK(throws<nomyo::ConnectionError>([&] { (void)client.create(fault(R"("close":true)")); }, is(nomyo::Sent::maybe, 36, 1)));
    CHECK(throws<nomyo::ServerError>([&] { (void)client.create(fault(R"("status":500)")); }, is(nomyo::Sent::yes, 36, 1)));
    CHECK(throws<nomyo::ArgumentError>([&] { (void)nomyo::Config().base_url(std::string(1, '\0')); }, is(nomyo::Sent::no, 0, 0)));
    const auto result = client.try_create(fault(R"("status":500)"));
    CHECK(!result && result.failure()->sent() == nomyo::Sent::yes && result.failure()->payload_id().size() == 36);
    CHECK(client.create(chat("x")).attempts() == 1);
    nomyo::Config retrying = config();
    retrying.max_retries(1);
    const nomyo::Response answer = nomyo::Client(retrying).create(
        fault(R"("status":429,"times":1,"headers":{"retry-after-ms":"10"})"));
    CHECK(answer.attempts() == 2);
}

// Nobody knows then how much of the request left.
static void a_failure_without_details_may_have_been_sent() {
    const nomyo::Failure lost(NOMYO_ERR_TIMEOUT, static_cast<nomyo_error *>(nullptr));
    const nomyo::Failure copy(lost);
    CHECK(copy.sent() == nomyo::Sent::maybe && copy.status() == NOMYO_ERR_TIMEOUT && *copy.message() != '\0');
    CHECK(nomyo::Failure(NOMYO_ERR_ARGUMENT, "refused here").sent() == nomyo::Sent::no);
}

static void handles_share_a_client(const nomyo::Client &client) {
    const nomyo::Cancel cancel;
    nomyo::CallOptions options;
    options.security_tier("high").cancel(cancel);
    auto first = std::make_unique<nomyo::Client>(client.with_options(options));
    const nomyo::Client second = first->with_options(nomyo::CallOptions());
    first.reset();
    CHECK(second.public_key() == client.public_key());
    const nomyo::Response answer = second.create(chat("x"));
    CHECK(answer.pointer("/_metadata/security_tier") == "\"high\"");
    cancel.trigger();
    CHECK(throws<nomyo::CancelledError>([&] { second.warm_up(); }));
    CHECK(throws<nomyo::CancelledError>([&] { (void)second.server_key(); }));
    CHECK(throws<nomyo::CancelledError>([&] { second.rotate_keys(); }));
    nomyo::CallOptions moved;
    const nomyo::CallOptions taken(std::move(moved));
    CHECK(throws<nomyo::ArgumentError>([&] { (void)client.with_options(moved); }));
    client.warm_up();
}

static void keys_go_by_way_of_memory() {
    const nomyo::Client first(config()), second(config());
    nomyo::Secret exported = first.private_key_pem("a long password");
    CHECK(exported.view().substr(0, 38) == "-----BEGIN ENCRYPTED PRIVATE KEY-----\n" && exported.view().back() == '\n');
    const nomyo::Secret moved(std::move(exported));
    CHECK(exported.view().empty());
    second.load_keys_pem(moved.view(), first.public_key(), "a long password");
    CHECK(second.public_key() == first.public_key());
    const nomyo::Response answer = second.create(chat("loaded"));
    CHECK(answer.content() == "loaded");
    const auto is = [](int32_t status) { return [=](const nomyo::Error &e) { return e.status() == status; }; };
    CHECK(throws<nomyo::Error>([&] { second.load_keys_pem(moved.view(), {}, "a wrong password"); }, is(NOMYO_ERR_KEY)));
    CHECK(throws<nomyo::ArgumentError>([&] { second.load_keys_pem({}); }));
    CHECK(throws<nomyo::ArgumentError>([&] { (void)second.private_key_pem("short"); }));
    CHECK(second.public_key() == first.public_key());
}

static void tls_is_pinned(const nomyo::Client &client) {
    const std::string chain = client.tls_chain();
    const std::size_t at = chain.find("\"sha256/");
    CHECK(at != std::string::npos && chain.find("\"leaf\"") != std::string::npos && chain.find("\"root\"") != std::string::npos);
    const std::string pin = chain.substr(at + 1, 51);
    nomyo::Config good = config(), bad = config(), plain = config();
    good.add_tls_pin(std::string(64, '0')).add_tls_pin(pin).set_post_quantum(false);
    CHECK(nomyo::Client(good).create(chat("pinned")).attempts() == 1);
    bad.add_tls_pin(std::string(64, '0'));
    CHECK(throws<nomyo::PinError>([&] { nomyo::Client(bad).warm_up(); },
                                  [&](const nomyo::Error &e) { return std::string(e.what()).find(pin) != std::string::npos; }));
    CHECK(throws<nomyo::ArgumentError>([&] { bad.add_tls_pin("sha256/"); }));
    plain.base_url(environment("NOMYO_TEST_PLAIN_BASE_URL")).allow_http();
    CHECK(throws<nomyo::ArgumentError>([&] { (void)nomyo::Client(plain).tls_chain(); }));
    plain.add_tls_pin(pin);
    CHECK(throws<nomyo::ArgumentError>([&] { nomyo::Client refused(plain); }));
}

static void bad_arguments_are_refused(const nomyo::Client &client) {
    nomyo::Config c;
    nomyo::CallOptions r;
    CHECK(throws<nomyo::ArgumentError>([&] { c.base_url("nowhere"); }));
    CHECK(throws<nomyo::ArgumentError>([&] { c.base_url(std::string("https://a\0.b", 12)); }));
    CHECK(throws<nomyo::ArgumentError>([&] { c.api_key("key\n"); }));
    CHECK(throws<nomyo::ArgumentError>([&] { c.timeout(0ms); }));
    CHECK(throws<nomyo::ArgumentError>([&] { c.max_retries(11); }));
    CHECK(throws<nomyo::ArgumentError>([&] { c.connect_timeout(-1ms); }));
    CHECK(throws<nomyo::ArgumentError>([&] { r.security_tier("High"); }));
    CHECK(throws<nomyo::Error>([&] { c.ca_file("/does/not/exist"); },
                               [](const nomyo::Error &e) { return e.status() == NOMYO_ERR_IO; }));
    for (const char *json : {"", "[]", "{", R"({"stream":true})"})
        CHECK(throws<nomyo::ArgumentError>([&] { (void)client.create(json); },
                                           [](const nomyo::Error &e) { return e.attempts() == 0 && !e.retryable(); }));
    CHECK(throws<nomyo::ArgumentError>([&] { (void)client.create(std::string_view()); }));
}

static void http_needs_consent() {
    nomyo::Config c;
    c.base_url(environment("NOMYO_TEST_PLAIN_BASE_URL"));
    CHECK(throws<nomyo::SecurityError>([&] { nomyo::Client refused(c); }));
    c.allow_http();
    CHECK(nomyo::Client(c).create(chat("x")).attempts() == 1);
}

static void statuses_are_classes(const nomyo::Client &client) {
    const auto send = [&](int status) {
        return [&client, status] { (void)client.create(fault("\"status\":" + std::to_string(status) + R"(,"body":"a\u0000b")")); };
    };
    const auto is = [](int http, int32_t status) {
        return [=](const nomyo::Error &e) {
            return e.http_status() == http && e.status() == status && e.attempts() >= 1 && !e.retry_after()
                && e.details() == std::string_view("a\0b", 3) && *e.what() != '\0';
        };
    };
    CHECK(throws<nomyo::HttpError>(send(400), is(400, NOMYO_ERR_BAD_REQUEST)));
    CHECK(throws<nomyo::AuthenticationError>(send(401), is(401, NOMYO_ERR_AUTHENTICATION)));
    CHECK(throws<nomyo::HttpError>(send(403), is(403, NOMYO_ERR_FORBIDDEN)));
    CHECK(throws<nomyo::HttpError>(send(404), is(404, NOMYO_ERR_NOT_FOUND)));
    CHECK(throws<nomyo::HttpError>(send(418), is(418, NOMYO_ERR_HTTP)));
    CHECK(throws<nomyo::RateLimitError>(send(429), is(429, NOMYO_ERR_RATE_LIMIT)));
    CHECK(throws<nomyo::HttpError>(send(500), is(500, NOMYO_ERR_SERVER)));
    CHECK(throws<nomyo::HttpError>(send(503), is(503, NOMYO_ERR_UNAVAILABLE)));
    CHECK(throws<nomyo::RateLimitError>(
        [&] { (void)client.create(fault(R"("status":429,"headers":{"Retry-After":"7"})")); },
        [](const nomyo::Error &e) { return e.retry_after() == 7s && e.retryable(); }));
    CHECK(throws<nomyo::ConnectionError>([&] { (void)client.create(fault(R"("close":true)")); }));
}

static void threads_share_a_client(const nomyo::Client &client) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back([&client, i] {
            try {
                const nomyo::Response answer = client.create(chat(std::to_string(i)));
                CHECK(answer.content() == std::to_string(i));
            } catch (const std::exception &e) {
                check(false, e.what(), __FILE__, __LINE__);
            }
        });
    for (std::thread &thread : threads) thread.join();
}

int main() try {
    CHECK(nomyo::version() == std::to_string(NOMYO_VERSION_MAJOR) + "." + std::to_string(NOMYO_VERSION_MINOR) + "."
                                  + std::to_string(NOMYO_VERSION_PATCH));
    const nomyo::Client client(config().max_retries(0));
    echoes(client);
    calls_tools(client);
    views_survive_moves();
    a_moved_from_option_is_not_the_default(client);
    options_hold(client);
    failures_tell_what_was_sent(client);
    a_failure_without_details_may_have_been_sent();
    handles_share_a_client(client);
    keys_go_by_way_of_memory();
    tls_is_pinned(client);
    bad_arguments_are_refused(client);
    http_needs_consent();
    statuses_are_classes(client);
    threads_share_a_client(client);
    return tally("cpp");
} catch (const std::exception &e) {
    std::cerr << "test_nomyo: " << e.what() << '\n';
    return 1;
}
