// Prints an answer only if its TPM quote is consistent, and explains what the quote proves. With --pcr the registers must also
// have the given values: --pcr 7=HEX,0=HEX of the bank sha256.
//
//     echo "Hello" | NOMYO_API_KEY=... attestation [--url URL] [--ca FILE] [--pcr INDEX=HEX,INDEX=HEX...]

#include <nomyo.hpp>

#include <cstdio>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

using Json = nlohmann::json;

// Several values of one register are alternatives, as before and after an update.
static nomyo::AttestationPolicy registers(const std::string &pcrs) {
    nomyo::AttestationPolicy policy;
    policy.require(NOMYO_ATTESTATION_BASELINE);
    std::istringstream all(pcrs);
    for (std::string pcr; std::getline(all, pcr, ',');) {
        std::istringstream one(pcr);
        uint32_t index = 0;
        char equals = 0;
        std::string value;
        if (!(one >> index >> equals >> value) || equals != '=')
            throw std::runtime_error("--pcr is INDEX=HEX,INDEX=HEX...");
        policy.allow_pcr("sha256", index, value);
    }
    return policy;
}

static void chat(const nomyo::Client &client) {
    const std::string prompt{std::istreambuf_iterator<char>(std::cin), {}};
    if (std::ferror(stdin)) throw std::runtime_error("the prompt cannot be read");
    const Json messages = Json::array({{{"role", "user"}, {"content", prompt}}});
    const nomyo::Response answer = client.create(Json{{"model", "Qwen/Qwen3-0.6B"}, {"messages", messages}}.dump());
    const nomyo_attestation verdict = answer.attestation();
    std::cout << answer.content().value_or("") << '\n'
              << nomyo_attestation_level_name(verdict.level) << ": "
              << nomyo_attestation_level_meaning(verdict.level) << '\n'
              << answer.attestation_report() << '\n';
}

int main(int argc, char **argv) try {
    nomyo::Config config;
    config.load_env();
    config.attestation(nomyo::AttestationPolicy().require(NOMYO_ATTESTATION_CONSISTENT));
    for (int i = 1; i + 1 < argc; i += 2) {
        if (argv[i] == std::string("--url")) config.base_url(argv[i + 1]);
        if (argv[i] == std::string("--ca")) config.ca_file(argv[i + 1]);
        if (argv[i] == std::string("--pcr")) config.attestation(registers(argv[i + 1]));
    }
    chat(nomyo::Client(config));
    return 0;
} catch (const nomyo::AttestationError &e) {
    // The quote comes with the answer. The prompt has been sent and processed.
    std::cerr << "the answer is withheld: " << e.what() << '\n';
    return 1;
} catch (const std::exception &e) {
    std::cerr << "nomyo: " << e.what() << '\n';
    return 1;
}
