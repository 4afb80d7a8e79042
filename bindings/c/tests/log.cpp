// The log function of a configuration: run under tests/with_endpoint.sh.

#include <nomyo.hpp>

#include "check.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

// Records the lines of a log function. The function shares it, so that its count tells whether the function is still alive.
struct Lines {
    std::mutex lock;
    std::vector<std::pair<int32_t, std::string>> all;
    nomyo::LogFunction function(const std::shared_ptr<Lines> &self) {
        return [self](int32_t level, std::string_view line) {
            const std::lock_guard<std::mutex> held(self->lock);
            self->all.emplace_back(level, line);
        };
    }
    std::size_t with(int32_t level, const std::string &part) {
        std::size_t n = 0;
        for (const auto &[its, line] : all) n += its == level && line.find(part) != std::string::npos;
        return n;
    }
};

static std::shared_ptr<Lines> lines() { return std::make_shared<Lines>(); }

static void lines_of_the_level_arrive() {
    const auto seen = lines();
    const nomyo::Client client(config().max_retries(0).log(NOMYO_LOG_INFO, seen->function(seen)));
    (void)client.create(chat("not in the log"));
    CHECK(seen->with(NOMYO_LOG_INFO, "status=200") >= 1 && seen->with(NOMYO_LOG_DEBUG, "") == 0);
    CHECK(seen->with(NOMYO_LOG_INFO, "not in the log") == 0);
    CHECK(!client.try_create(fault(R"("status":500)")) && seen->with(NOMYO_LOG_ERROR, "500") == 1);
    CHECK(throws<nomyo::ArgumentError>([&] { nomyo::Config().log(99, seen->function(seen)); }));
}

static void an_exception_of_the_function_is_dropped() {
    int called = 0;
    const nomyo::Client client(config().log(NOMYO_LOG_DEBUG, [&called](int32_t, std::string_view) {
        ++called;
        throw std::runtime_error("must not cross the library");
    }));
    const nomyo::Response answer = client.create(chat("unharmed"));
    CHECK(answer.content() == "unharmed" && called >= 2);
}

static void the_function_lives_as_long_as_the_last_client() {
    const auto first = lines(), second = lines();
    auto settings = std::make_unique<nomyo::Config>(config());
    settings->log(NOMYO_LOG_INFO, first->function(first));
    std::optional<nomyo::Client> client(*settings), other(client->with_options(nomyo::CallOptions()));
    settings->log(NOMYO_LOG_INFO, second->function(second)); // for later clients
    const std::optional<nomyo::Client> later(*settings);
    settings.reset();
    client.reset();
    (void)other->create(chat("x"));
    CHECK(first.use_count() > 1 && first->with(NOMYO_LOG_INFO, "POST") == 1 && second->all.empty());
    (void)later->create(chat("x"));
    CHECK(second->with(NOMYO_LOG_INFO, "POST") == 1 && first->with(NOMYO_LOG_INFO, "POST") == 1);
    other.emplace(nomyo::Config()); // assigned: the old handle ends before its function
    CHECK(first.use_count() == 1 && second.use_count() == 2);
}

static void an_empty_function_ends_the_log() {
    const auto seen = lines();
    nomyo::Config settings = config();
    settings.log(NOMYO_LOG_DEBUG, seen->function(seen)).log(NOMYO_LOG_DEBUG, nullptr);
    (void)nomyo::Client(settings).create(chat("x"));
    CHECK(seen->all.empty());
}

// The client and the configuration end while the function that they keep runs.
static void the_function_may_destroy_its_client() {
    const auto seen = lines();
    nomyo::Config settings = config();
    std::optional<nomyo::Client> client;
    const auto note = seen->function(seen);
    settings.log(NOMYO_LOG_INFO, [&client, note](int32_t level, std::string_view line) {
        client.reset();
        note(level, line); // the captures must still be there
    });
    client.emplace(settings);
    settings = nomyo::Config();
    const nomyo::Client *gone = &*client;
    const nomyo::Response answer = gone->create(chat("finished"));
    CHECK(!client && answer.content() == "finished" && seen->with(NOMYO_LOG_INFO, "POST") == 1);

    auto plain = std::make_unique<nomyo::Config>();
    plain->base_url(environment("NOMYO_TEST_PLAIN_BASE_URL")).allow_http();
    plain->log(NOMYO_LOG_WARN, [&plain, note](int32_t level, std::string_view line) {
        plain.reset();
        note(level, line);
    });
    const nomyo::Client made(*plain); // warns of http://
    CHECK(!plain && seen->with(NOMYO_LOG_WARN, "HTTP without TLS") == 1);
}

static void threads_call_the_function_at_once() {
    const auto seen = lines();
    const nomyo::Client client(config().log(NOMYO_LOG_INFO, seen->function(seen)));
    client.warm_up();
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) threads.emplace_back([&client] { (void)client.try_create(chat("x")); });
    for (std::thread &thread : threads) thread.join();
    CHECK(seen->with(NOMYO_LOG_INFO, "POST") == 8);
}

int main() try {
    lines_of_the_level_arrive();
    an_exception_of_the_function_is_dropped();
    the_function_lives_as_long_as_the_last_client();
    an_empty_function_ends_the_log();
    the_function_may_destroy_its_client();
    threads_call_the_function_at_once();
    return tally("log");
} catch (const std::exception &e) {
    std::cerr << "log: " << e.what() << '\n';
    return 1;
}
