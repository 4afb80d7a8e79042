// The promises of nomyo.hpp, kept against the local endpoint: run under tests/with_endpoint.sh.

#include <nomyo.hpp>

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

using namespace std::chrono_literals;

static std::atomic<int> checks{0};
static std::atomic<int> failures{0};

static void check(bool good, const char *what, int line) {
    ++checks;
    if (good) return;
    ++failures;
    std::cerr << "test_nomyo.cpp:" << line << ": failed: " << what << '\n';
}
#define CHECK(condition) check((condition), #condition, __LINE__)

// Whether `f` throws an E, and not merely something that E is derived from; `look` may check it further.
template <class E, class F, class Look> static bool throws(F f, Look look) {
    try {
        f();
    } catch (const E &e) {
        return look(e);
    } catch (const std::exception &e) {
        std::cerr << "threw something else: " << e.what() << '\n';
    }
    return false;
}
template <class E, class F> static bool throws(F f) {
    return throws<E>(f, [](const E &) { return true; });
}

template <class T> constexpr bool move_only = std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T>
    && !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T>;
static_assert(move_only<nomyo::Config> && move_only<nomyo::Request> && move_only<nomyo::Client>
              && move_only<nomyo::Response>);
static_assert(std::is_nothrow_copy_constructible_v<nomyo::RateLimitError>);

template <class T, class = void> constexpr bool gives_content = false;
template <class T> constexpr bool gives_content<T, std::void_t<decltype(std::declval<T>().content())>> = true;
static_assert(gives_content<nomyo::Response &>);
static_assert(!gives_content<nomyo::Response>, "a view into a temporary would dangle");

static std::string environment(const char *name) {
    const char *value = std::getenv(name);
    if (value) return value;
    std::cerr << name << " is not set: run this under tests/with_endpoint.sh\n";
    std::exit(2);
}

static nomyo::Config config() {
    nomyo::Config c;
    c.base_url(environment("NOMYO_TEST_BASE_URL")).ca_file(environment("NOMYO_TEST_CA_FILE"));
    return c;
}

static std::string chat(const std::string &said, const std::string &more = "") {
    return R"({"model":"echo","messages":[{"role":"user","content":")" + said + "\"}]" + more + "}";
}

static std::string fault(const std::string &members) { return chat("x", ",\"nomyo_test\":{" + members + "}"); }

static void echoes(const nomyo::Client &client) {
    const nomyo::Response answer = client.create(chat("a\\u0000b é", R"(,"n":2,"nomyo_test":{"reasoning":"hm"})"));
    CHECK(answer.choices() == 2);
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
    nomyo::Request r;
    const nomyo::Request kept(std::move(r));
    CHECK(throws<nomyo::ArgumentError>([&] { (void)client.create(chat("x"), r); }));
}

static void options_hold(const nomyo::Client &client) {
    nomyo::Request options;
    options.security_tier("high").api_key("other").timeout(1min);
    const nomyo::Response answer = client.create(chat("x"), options);
    CHECK(answer.pointer("/_metadata/security_tier") == "\"high\"");
    CHECK(throws<nomyo::SecurityError>([&] { (void)client.create(fault(R"("tier":"standard")"), options); }));
    options.timeout(300ms);
    CHECK(throws<nomyo::TimeoutError>([&] { (void)client.create(fault(R"("delay_before_headers_ms":5000)"), options); }));
}

static void bad_arguments_are_refused(const nomyo::Client &client) {
    nomyo::Config c;
    nomyo::Request r;
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
    CHECK(nomyo::Client(c).create(chat("x")).choices() == 1);
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
                check(false, e.what(), __LINE__);
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
    bad_arguments_are_refused(client);
    http_needs_consent();
    statuses_are_classes(client);
    threads_share_a_client(client);
    std::cout << checks - failures << " passed, " << failures << " failed\n";
    return failures == 0 ? 0 : 1;
} catch (const std::exception &e) {
    std::cerr << "test_nomyo: " << e.what() << '\n';
    return 1;
}
