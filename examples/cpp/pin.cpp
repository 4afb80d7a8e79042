// Talks to no server but the one whose key has the given fingerprint, so that the encryption holds even where TLS is
// intercepted. Without --pin it shows the fingerprint, to be compared with what the server's operator says.
//
//     echo "Hello" | NOMYO_API_KEY=... pin [--url URL] [--ca FILE] [--pin SHA256]

#include <nomyo.hpp>

#include <cstdio>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

using Json = nlohmann::json;

static void chat(const nomyo::Client &client) {
    const std::string prompt{std::istreambuf_iterator<char>(std::cin), {}};
    if (std::ferror(stdin)) throw std::runtime_error("the prompt cannot be read");
    const Json messages = Json::array({{{"role", "user"}, {"content", prompt}}});
    const nomyo::Response answer = client.create(Json{{"model", "Qwen/Qwen3-0.6B"}, {"messages", messages}}.dump());
    std::cout << answer.content().value_or("") << '\n';
}

int main(int argc, char **argv) try {
    nomyo::Config config;
    bool pinned = false;
    config.load_env();
    for (int i = 1; i + 1 < argc; i += 2) {
        if (argv[i] == std::string("--url")) config.base_url(argv[i + 1]);
        if (argv[i] == std::string("--ca")) config.ca_file(argv[i + 1]);
        if (argv[i] == std::string("--pin")) {
            config.server_key_pin(argv[i + 1]); // again for the next key, before the server changes it
            pinned = true;
        }
    }
    const nomyo::Client client(config);
    if (pinned) chat(client);
    else std::cout << client.server_key().sha256_hex << '\n';
    return 0;
} catch (const nomyo::PinError &e) {
    std::cerr << "this is not the server that we know, or its key has changed; nothing was sent: " << e.what() << '\n';
    return 1;
} catch (const std::exception &e) {
    std::cerr << "nomyo: " << e.what() << '\n';
    return 1;
}
