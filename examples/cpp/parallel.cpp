// Sends each line of standard input as a prompt, several at once through one client, and prints the answers in the order of
// the lines.
//
//     NOMYO_API_KEY=... parallel [--url URL] [--ca FILE] [--at-once N] < prompts

#include <nomyo.hpp>

#include <atomic>
#include <cstdio>
#include <exception>
#include <future>
#include <iostream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

using Json = nlohmann::json;
using namespace std::chrono_literals;

static std::string ask(const nomyo::Client &client, const std::string &prompt, const nomyo::CallOptions &options) {
    const Json messages = Json::array({{{"role", "user"}, {"content", prompt}}});
    const Json request = {{"model", "Qwen/Qwen3-0.6B"}, {"messages", messages}};
    const nomyo::Response answer = client.create(request.dump(), options);
    return std::string(answer.content().value_or(""));
}

// Returns an answer to each prompt. The first failure cancels the running calls, and is thrown.
static std::vector<std::string> ask_all(const nomyo::Client &client, const std::vector<std::string> &prompts,
                                        int at_once) {
    std::vector<std::string> answers(prompts.size());
    std::atomic<std::size_t> next{0};
    std::once_flag failed;
    std::exception_ptr failure;
    const nomyo::Cancel stop;
    nomyo::CallOptions options; // any number of calls may share it
    options.cancel(stop).timeout(10min);
    const auto work = [&] {
        try {
            for (std::size_t i = next++; i < prompts.size(); i = next++) answers[i] = ask(client, prompts[i], options);
        } catch (...) {
            std::call_once(failed, [&] { failure = std::current_exception(); });
            stop.trigger();
        }
    };
    {
        std::vector<std::future<void>> workers; // wait for their threads when they are destroyed
        while (at_once-- > 0) workers.push_back(std::async(std::launch::async, work));
    }
    if (failure) std::rethrow_exception(failure);
    return answers;
}

int main(int argc, char **argv) try {
    nomyo::Config config;
    int at_once = 8;
    config.load_env();
    for (int i = 1; i + 1 < argc; i += 2) {
        if (argv[i] == std::string("--url")) config.base_url(argv[i + 1]);
        if (argv[i] == std::string("--ca")) config.ca_file(argv[i + 1]);
        if (argv[i] == std::string("--at-once")) at_once = std::stoi(argv[i + 1]);
    }
    if (at_once < 1) throw std::runtime_error("--at-once is at least 1");
    const nomyo::Client client(config); // one for all: it keeps its key pair and its connections
    std::vector<std::string> prompts;
    for (std::string line; std::getline(std::cin, line);) prompts.push_back(line);
    if (std::ferror(stdin)) throw std::runtime_error("the prompts cannot be read");
    for (const std::string &answer : ask_all(client, prompts, at_once)) std::cout << answer << '\n';
    return 0;
} catch (const std::exception &e) {
    std::cerr << "nomyo: " << e.what() << '\n';
    return 1;
}
