// The scenario table through nomyo.hpp (tests/scenarios/README.md). The arguments are its files.

#include <nomyo.hpp>

#include <cctype>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <sys/socket.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <unistd.h>
#include <variant>

using Json = nlohmann::ordered_json;
using namespace std::chrono;

// Why a scenario does not hold.
struct Broken : std::runtime_error {
    using std::runtime_error::runtime_error;
};

static std::string environment(const char *name) {
    const char *value = std::getenv(name);
    if (value) return value;
    std::cerr << name << " is not set: run this under tests/with_endpoint.sh\n";
    std::exit(2);
}

// Sets the faults of the endpoint, over plain HTTP.
static void set_faults(const Json &faults) {
    const std::string url = environment("NOMYO_TEST_PLAIN_BASE_URL"), body = faults.dump();
    const std::string request = "POST /control/faults HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: "
        + std::to_string(body.size()) + "\r\n\r\n" + body;
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<uint16_t>(std::stoi(url.substr(url.rfind(':') + 1))));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    char answer[64] = {};
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    const bool sent = connect(fd, reinterpret_cast<sockaddr *>(&to), sizeof to) == 0
        && send(fd, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size())
        && recv(fd, answer, sizeof answer - 1, 0) > 0;
    close(fd);
    if (!sent || std::string(answer).rfind("HTTP/1.1 200", 0) != 0) throw Broken("the endpoint does not take these faults");
}

static nomyo::Config configured(const Json &settings) {
    nomyo::Config config;
    config.base_url(environment("NOMYO_TEST_BASE_URL")).ca_file(environment("NOMYO_TEST_CA_FILE"));
    config.api_key(environment("NOMYO_TEST_API_KEY"));
    for (const auto &[name, value] : settings.items()) {
        const auto ms = [&v = value] { return milliseconds(v.get<int64_t>()); };
        const std::string text = value.is_string() ? value.get<std::string>() : "";
        if (name == "base_url") config.base_url(text == "$PLAIN" ? environment("NOMYO_TEST_PLAIN_BASE_URL") : text);
        else if (name == "api_key") config.api_key(text);
        else if (name == "allow_http") config.allow_http(value.get<bool>());
        else if (name == "max_retries") config.max_retries(value.get<uint32_t>());
        else if (name == "timeout_ms") config.timeout(ms());
        else if (name == "connect_timeout_ms") config.connect_timeout(ms());
        else if (name == "response_limit") config.response_limit(value.get<uint64_t>());
        else if (name == "proxy") config.proxy(text);
        else if (name == "server_key_ttl_ms") config.server_key_ttl(ms());
        else if (name == "server_key_pin")
            for (const std::string pin : value)
                config.add_server_key_pin(pin == "$FINGERPRINT" ? environment("NOMYO_TEST_KEY_FINGERPRINT") : pin);
        else if (name == "tls_pin") for (const std::string pin : value) config.add_tls_pin(pin);
        else if (name == "headers") for (const auto &[header, content] : value.items()) config.header(header, content.get<std::string>());
        else if (name == "key_dir" && text == "$GROUP_KEYS") config.key_dir(environment("NOMYO_TEST_GROUP_KEYS"));
        else if (name == "key_group_read") config.key_group_read(value.get<bool>());
        else if (name == "post_quantum") config.set_post_quantum(value.get<bool>());
        else if (name == "attestation" && text == "consistent")
            config.attestation(nomyo::AttestationPolicy().require(NOMYO_ATTESTATION_CONSISTENT));
        else throw Broken("config: " + name + " is not known here");
    }
    return config;
}

static std::string fixture(const std::string &name) {
    std::ifstream file(NOMYO_FIXTURES "/keys/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

static void load(const nomyo::Client &client, const Json &keys) {
    for (const auto &[name, value] : keys.items())
        if (std::string(" private public password reload ").find(' ' + name + ' ') == std::string::npos)
            throw Broken("keys: " + name + " is not known here");
    const std::string public_pem = keys.contains("public") ? fixture(keys.at("public")) : "";
    client.load_keys_pem(fixture(keys.at("private")), public_pem, keys.value("password", ""));
    if (!keys.contains("reload")) return;
    const std::string password = keys.at("reload"), before = client.public_key();
    const nomyo::Secret exported = client.private_key_pem(password);
    client.load_keys_pem(exported.view(), {}, password);
    if (client.public_key() != before) throw Broken("another pair is loaded than was exported");
}

static nomyo::CallOptions chosen(const Json &options, const nomyo::Cancel &cancel) {
    nomyo::CallOptions request;
    for (const auto &[name, value] : options.items()) {
        if (name == "security_tier") request.security_tier(value.get<std::string>());
        else if (name == "api_key") request.api_key(value.get<std::string>());
        else if (name == "timeout_ms") request.timeout(milliseconds(value.get<int64_t>()));
        else if (name == "cancelled" && value == true) {
            cancel.trigger();
            request.cancel(cancel);
        } else throw Broken("options: " + name + " is not known here");
    }
    return request;
}

static void same(const std::string &what, const Json &wanted, const Json &got) {
    if (wanted != got) throw Broken(what + " is " + got.dump(-1, ' ', false, Json::error_handler_t::replace));
}

static void has(const std::string &what, std::string_view text, const std::string &part) {
    if (text.find(part) == std::string_view::npos) throw Broken(what + " \"" + std::string(text) + "\" has no \"" + part + '"');
}

static std::string upper(std::string text) {
    for (char &c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return text;
}

static Json json_of(nomyo::Response::Text text) { return text ? Json(std::string(*text)) : Json(nullptr); }

// An absent header is empty in C++.
static Json json_of_header(std::string_view value) { return value.empty() ? Json(nullptr) : Json(std::string(value)); }

static const char *name_of(nomyo::Sent sent) {
    return sent == nomyo::Sent::no ? "no" : sent == nomyo::Sent::maybe ? "maybe" : "yes";
}

// Whether it has the form of a payload id: five groups of hexadecimal digits.
static bool is_payload_id(std::string_view id) {
    return id.size() == 36 && id.find_first_not_of("0123456789abcdef-") == std::string_view::npos;
}

static void judge(const nomyo::Response &answer, const Json &expect) {
    same("status", expect.at("status"), "NOMYO_OK");
    for (const auto &[name, wanted] : expect.items()) {
        if (name == "status") continue;
        if (name == "attempts") same(name, wanted, answer.attempts());
        else if (name == "payload_id") same(name, wanted, is_payload_id(answer.payload_id()));
        else if (name == "choices") same(name, wanted, answer.choices().size());
        else if (name == "content") same(name, wanted, json_of(answer.content()));
        else if (name == "reasoning") same(name, wanted, json_of(answer.reasoning()));
        else if (name == "finish_reason") same(name, wanted, json_of(answer.finish_reason()));
        else if (name == "tool_calls_has") has(name, answer.tool_calls().value_or(""), wanted);
        else if (name == "request_id") same(name, wanted, json_of_header(answer.request_id()));
        else if (name == "headers")
            for (const auto &[header, value] : wanted.items()) same(header, value, json_of_header(answer.header(header)));
        else if (name == "usage") {
            const nomyo_usage usage = answer.usage();
            same(name, wanted, {{"prompt_tokens", usage.prompt_tokens}, {"completion_tokens", usage.completion_tokens},
                {"total_tokens", usage.total_tokens}, {"cached_tokens", usage.cached_tokens},
                {"reasoning_tokens", usage.reasoning_tokens}});
        } else if (name == "tool_calls") {
            Json calls = Json::array();
            const nomyo::Choice choice = answer.choices()[0];
            for (std::size_t i = 0; i < choice.tool_call_count(); i++) {
                const nomyo::ToolCall call = choice.tool_call(i);
                calls.push_back({{"id", json_of(call.id)}, {"name", json_of(call.name)}, {"arguments", json_of(call.arguments)}});
            }
            same(name, wanted, calls);
        } else if (name == "attestation")
            same(name, upper(wanted), nomyo_attestation_level_name(answer.attestation().level));
        else if (name == "pointers") {
            for (const auto &[pointer, value] : wanted.items()) {
                const auto raw = answer.pointer(pointer);
                same(pointer, value, raw ? Json::parse(*raw) : Json(nullptr));
            }
        } else throw Broken("expect: " + name + " is not known here");
    }
}

static void judge(const nomyo::Failure &failure, const Json &expect) {
    if (expect.at("status") != nomyo_status_name(failure.status()))
        throw Broken(std::string(nomyo_status_name(failure.status())) + ": " + failure.message());
    for (const auto &[name, wanted] : expect.items()) {
        if (name == "status") continue;
        if (name == "sent") same(name, wanted, name_of(failure.sent()));
        else if (name == "payload_id") same(name, wanted, is_payload_id(failure.payload_id()));
        else if (name == "request_id") same(name, wanted, json_of_header(failure.request_id()));
        else if (name == "headers")
            for (const auto &[header, value] : wanted.items()) same(header, value, json_of_header(failure.header(header)));
        else if (name == "http_status") same(name, wanted, failure.http_status());
        else if (name == "attempts") same(name, wanted, failure.attempts());
        else if (name == "retryable") same(name, wanted, failure.retryable());
        else if (name == "retry_after_ms") same(name, wanted, failure.retry_after().value_or(-1ms).count());
        else if (name == "details_has") has(name, failure.details(), wanted);
        else if (name == "message_has") for (const std::string part : wanted) has(name, failure.message(), part);
        else throw Broken("expect: " + name + " is not known here");
    }
}

// A client for each configuration, or the failure that there is instead of one: keys take their time.
using Client = std::variant<nomyo::Client, nomyo::Failure>;
static std::map<std::string, Client> clients;

static Client &client_for(const Json &settings) {
    const std::string key = settings.dump();
    const auto known = clients.find(key);
    if (known != clients.end()) return known->second;
    try {
        return clients.emplace(key, nomyo::Client(configured(settings))).first->second;
    } catch (const nomyo::Error &e) {
        return clients.emplace(key, e.failure()).first->second;
    }
}

static void run(const Json &scenario) {
    for (const auto &[name, value] : scenario.items())
        if (std::string(" name config keys server request raw options expect ").find(' ' + name + ' ') == std::string::npos)
            throw Broken(name + " is not known here");
    const Json expect = scenario.at("expect");
    const Client &client = client_for(scenario.value("config", Json::object()));
    if (const auto *failure = std::get_if<1>(&client)) return judge(*failure, expect);
    struct Faults {
        explicit Faults(const Json &faults) { if (!faults.is_null()) set_faults(faults), set = true; }
        ~Faults() { if (set) set_faults(Json::object()); }
        bool set = false;
    } const faults(scenario.value("server", Json()));
    const std::string json = scenario.contains("raw") ? scenario.at("raw").get<std::string>() : scenario.at("request").dump();
    const nomyo::Cancel cancel;
    std::optional<nomyo::Failure> thrown;
    try {
        const nomyo::CallOptions options = chosen(scenario.value("options", Json::object()), cancel);
        if (scenario.contains("keys")) load(std::get<0>(client), scenario.at("keys"));
        const auto result = std::get<0>(client).try_create(json, &options);
        return result ? judge(*result.operator->(), expect) : judge(*result.failure(), expect);
    } catch (const nomyo::Error &e) {
        thrown = e.failure();
    }
    judge(*thrown, expect);
}

int main(int argc, char **argv) {
    int passed = 0, failed = 0;
    for (int i = 1; i < argc; i++) {
        std::ifstream file(argv[i]);
        for (const Json &scenario : Json::parse(file)) {
            const std::string name = scenario.at("name");
            try {
                run(scenario);
                ++passed;
                std::cout << "scenario " << name << " ok\n";
            } catch (const std::exception &e) {
                ++failed;
                std::cout << "scenario " << name << " FAILED: " << e.what() << '\n';
            }
        }
    }
    clients.clear();
    std::cout << "scenarios-cpp: " << passed << " passed, " << failed << " failed\n";
    return failed == 0 && passed >= 60 ? EXIT_SUCCESS : EXIT_FAILURE;
}
