// Talks only to the server whose key has the given fingerprint, so that nobody else can read the prompt, even if TLS is
// intercepted. With --tls-pin nobody else can read the answer either. Without pins it shows the fingerprints of the server's
// key and of its certificates. Compare them with the ones that the server's operator publishes.
//
//     echo "Hello" | NOMYO_API_KEY=... pin [--url URL] [--ca FILE] [--pin SHA256] [--tls-pin sha256/BASE64]

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
            config.add_server_key_pin(argv[i + 1]); // add the next key before the server changes it
            pinned = true;
        }
        if (argv[i] == std::string("--tls-pin")) {
            config.add_tls_pin(argv[i + 1]); // one certificate of the chain must match
            pinned = true;
        }
    }
    const nomyo::Client client(config);
    if (pinned) {
        chat(client);
        return 0;
    }
    std::cout << "--pin " << client.server_key().sha256_hex << '\n';
    for (const Json &certificate : Json::parse(client.tls_chain()))
        std::cout << "--tls-pin " << certificate.at("sha256").get<std::string>() << "  (" << certificate.at("role").get<std::string>()
                  << ": " << certificate.at("subject").get<std::string>() << ")\n";
    return 0;
} catch (const nomyo::PinError &e) {
    std::cerr << "this is not the server that we know, or its key has changed"
              << (e.sent() == nomyo::Sent::no ? "; the request was not sent: " : ": ") << e.what() << '\n';
    return 1;
} catch (const std::exception &e) {
    std::cerr << "nomyo: " << e.what() << '\n';
    return 1;
}
