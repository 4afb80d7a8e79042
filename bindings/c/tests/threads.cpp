// Threads that share objects of nomyo.hpp, as its page allows. Compiled with -fsanitize=thread, while the library is not, and
// run with tsan.supp under tests/with_endpoint.sh.
//
//     threads [race]       with an argument the program itself has a race

#include <nomyo.hpp>

#include "check.hpp"

#include <cstring>
#include <optional>
#include <string>
#include <thread>
#include <vector>

template <class F> static void at_once(int threads, F act) {
    std::vector<std::thread> all;
    for (int i = 0; i < threads; ++i) all.emplace_back(act, i);
    for (std::thread &thread : all) thread.join();
}

static void a_client_is_shared(const nomyo::Client &client) {
    at_once(4, [&client](int i) {
        for (int round = 0; round < 3; ++round) {
            const std::string text = std::to_string(i * 10 + round);
            const nomyo::Response answer = client.create(chat(text));
            CHECK(answer.content() == text);
            const auto failed = client.try_create(fault(R"("status":429,"headers":{"Retry-After":"600"},"body":"later")"));
            CHECK(!failed && failed.failure()->details() == "later");
        }
    });
}

static void an_answer_is_shared(const nomyo::Client &client) {
    const nomyo::Response answer = client.create(chat("shared", R"(,"n":4)"));
    at_once(4, [&answer](int i) {
        for (const nomyo::Choice choice : answer.choices()) CHECK(choice.content() == "shared");
        CHECK(answer.pointer("/choices/" + std::to_string(i) + "/message/content") == "\"shared\"");
    });
}

// The memory goes from thread to thread through the library, which the sanitizer does not see.
static void secrets_come_and_go() {
    at_once(8, [](int i) {
        for (int round = 0; round < 50; ++round) {
            nomyo::Secret secret(64 + static_cast<std::size_t>(round) * 64);
            std::memset(secret.data(), 'a' + i, secret.size());
            secret.data()[round] = 'z';
            const nomyo::Secret other = std::move(secret);
            CHECK(other.view()[static_cast<std::size_t>(round)] == 'z');
        }
    });
}

static void handles_come_and_go(const nomyo::Client &client) {
    std::atomic<long> lines{0};
    at_once(4, [&client, &lines](int i) {
        for (int round = 0; round < 4; ++round) {
            nomyo::Config settings = config();
            const std::string marked = "log of " + std::to_string(i);
            settings.log(NOMYO_LOG_INFO, [&lines, marked](int32_t, std::string_view line) {
                lines += static_cast<long>(line.size() + marked.size());
            });
            const nomyo::Cancel cancel;
            nomyo::CallOptions options;
            options.cancel(cancel);
            cancel.trigger();
            CHECK(!nomyo::Client(settings).try_create(chat("x"), &options));
            CHECK(!client.with_options(options).try_warm_up());
        }
    });
    CHECK(lines > 0);
}

static void a_cancel_ends_another_thread(const nomyo::Client &client) {
    const nomyo::Cancel cancel;
    nomyo::CallOptions options;
    options.cancel(cancel);
    std::optional<nomyo::Failure> failure;
    std::thread slow([&] {
        const auto result = client.try_create(fault(R"("delay_before_headers_ms":20000)"), &options);
        if (!result) failure = *result.failure();
    });
    cancel.trigger();
    slow.join();
    CHECK(failure && failure->status() == NOMYO_ERR_CANCELLED);
}

static int unguarded = 0;

int main(int argc, char **) try {
    const nomyo::Client client(config().max_retries(0));
    a_client_is_shared(client);
    an_answer_is_shared(client);
    secrets_come_and_go();
    handles_come_and_go(client);
    a_cancel_ends_another_thread(client);
    if (argc > 1) at_once(2, [](int) { ++unguarded; });
    return tally("threads");
} catch (const std::exception &e) {
    std::cerr << "threads: " << e.what() << '\n';
    return 1;
}
