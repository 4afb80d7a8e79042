// Sends standard input as one encrypted prompt and prints the answer.
//
//     echo "Why is the sky blue?" | NOMYO_API_KEY=... chat [--url URL] [--ca FILE]

#include <nomyo.hpp>

#include <cstdio>
#include <iostream>
#include <iterator>
#include <string>

// Returns a JSON string. A JSON library does this better.
static std::string quoted(const std::string &text) {
    std::string json = "\"";
    for (const unsigned char c : text) {
        if (c < 0x20) {
            const char *hex = "0123456789abcdef";
            json += std::string("\\u00") + hex[c >> 4] + hex[c & 15];
        } else {
            if (c == '"' || c == '\\') json += '\\';
            json += static_cast<char>(c);
        }
    }
    return json + '"';
}

int main(int argc, char **argv) try {
    const std::string prompt{std::istreambuf_iterator<char>(std::cin), {}};
    if (std::ferror(stdin)) throw std::runtime_error("the prompt cannot be read");
    nomyo::Config config;
    config.load_env();
    for (int i = 1; i + 1 < argc; i += 2) {
        if (argv[i] == std::string("--url")) config.base_url(argv[i + 1]);
        if (argv[i] == std::string("--ca")) config.ca_file(argv[i + 1]);
    }
    const nomyo::Client client(config);
    const nomyo::Response answer = client.create(
        R"({"model": "Qwen/Qwen3-0.6B", "messages": [{"role": "user", "content": )" + quoted(prompt) + "}]}");
    std::cout << answer.content().value_or("") << '\n'; // wiped with `answer`
    return 0;
} catch (const nomyo::RateLimitError &e) {
    std::cerr << "nomyo: " << e.what() << '\n';
    return 75; // try again later
} catch (const std::exception &e) {
    std::cerr << "nomyo: " << e.what() << '\n';
    return 1;
}
