// Requests that the caller transports, and quotes that were received elsewhere: run under tests/with_endpoint.sh.
//
//     sealed FIXTURES      the directory tests/fixtures

#include <nomyo.hpp>

#include "check.hpp"

#include <arpa/inet.h>
#include <fstream>
#include <netinet/in.h>
#include <nlohmann/json.hpp>
#include <string>
#include <sys/socket.h>
#include <type_traits>
#include <unistd.h>

using Json = nlohmann::json;

static_assert(std::is_nothrow_move_constructible_v<nomyo::SealedRequest> && !std::is_copy_constructible_v<nomyo::SealedRequest>);

// POSTs a sealed request over plain HTTP, and returns the body of the answer.
static std::string posted(const nomyo::SealedRequest &sealed) {
    const std::string url = environment("NOMYO_TEST_PLAIN_BASE_URL");
    std::string request = "POST /v1/chat/secure_completion HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: "
        + std::to_string(sealed.body().size()) + "\r\n";
    const Json headers = Json::parse(sealed.headers());
    for (const auto &[name, value] : headers.items()) request += name + ": " + value.get<std::string>() + "\r\n";
    request.append("\r\n").append(sealed.body());
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<uint16_t>(std::stoi(url.substr(url.rfind(':') + 1))));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    std::string answer;
    char some[4096];
    if (connect(fd, reinterpret_cast<sockaddr *>(&to), sizeof to) == 0 && send(fd, request.data(), request.size(), MSG_NOSIGNAL) > 0)
        for (ssize_t got; (got = recv(fd, some, sizeof some, 0)) > 0;) answer.append(some, static_cast<std::size_t>(got));
    close(fd);
    const std::size_t body = answer.find("\r\n\r\n");
    if (answer.rfind("HTTP/1.1 200", 0) != 0 || body == std::string::npos) throw std::runtime_error("no 200: " + answer.substr(0, 200));
    return answer.substr(body + 4);
}

static void a_sealed_request_is_answered(const nomyo::Client &client) {
    const std::string pem = client.server_key().pem, prompt = "nobody on the way reads this";
    nomyo::CallOptions options;
    options.security_tier("high");
    nomyo::SealedRequest sealed = client.seal(pem, chat(prompt), options);
    CHECK(sealed.headers().find("\"high\"") != std::string_view::npos && sealed.body().find(prompt) == std::string_view::npos);
    const std::string package = posted(sealed);
    CHECK(package.find(prompt) == std::string::npos);
    const nomyo::Response answer = client.open(sealed, package);
    CHECK(answer.content() == prompt && answer.attempts() == 0 && answer.request_id().empty());
    const nomyo::Client other(config());
    const nomyo::Response again = other.open(sealed, package); // another client has the pair through the sealed request
    CHECK(again.content() == prompt);

    const nomyo::SealedRequest second = client.seal(pem, chat("second"));
    CHECK(throws<nomyo::SecurityError>([&] { (void)client.open(second, package); })); // answers another request
    CHECK(throws<nomyo::ProtocolError>([&] { (void)client.open(second, "no package"); }));
    CHECK(throws<nomyo::ProtocolError>([&] { (void)client.seal("no key", chat("x")); }));
    CHECK(throws<nomyo::ArgumentError>([&] { (void)client.seal(pem, "[]"); }));
    const nomyo::SealedRequest moved(std::move(sealed));
    CHECK(throws<nomyo::ArgumentError>([&] { (void)client.open(sealed, package); }));
    CHECK(throws<nomyo::ArgumentError>([&] { (void)sealed.body(); }));
    const nomyo::Response late = client.try_open(moved, package).take();
    CHECK(late.content() == prompt);
}

static Json quote(const std::string &file, const std::string &name) {
    std::ifstream lines(file);
    for (std::string line; std::getline(lines, line);)
        if (const Json one = Json::parse(line); one.at("name") == name) return one;
    throw std::runtime_error(file + " has no " + name);
}

static void a_quote_is_judged(const std::string &fixtures) {
    const Json good = quote(fixtures + "/tpm/swtpm.jsonl", "rsassa-owner"), bad = quote(fixtures + "/tpm/forged.jsonl", "bad-magic");
    const std::string id = good.at("payload_id"), block = good.at("tpm_attestation").dump();
    nomyo::AttestationPolicy policy;
    policy.require(NOMYO_ATTESTATION_CONSISTENT);
    const nomyo_attestation verdict = nomyo::attestation_verify(block, id, policy);
    CHECK(verdict.level == NOMYO_ATTESTATION_CONSISTENT && verdict.failed_check == 0 && verdict.pcr_count > 0);
    CHECK(nomyo::attestation_verify(bad.at("tpm_attestation").dump(), id).level == NOMYO_ATTESTATION_INVALID);
    CHECK(throws<nomyo::AttestationError>([&] { (void)nomyo::attestation_verify(bad.at("tpm_attestation").dump(), id, policy); }));
    CHECK(throws<nomyo::AttestationError>([&] { (void)nomyo::attestation_verify(block, std::string(id.rbegin(), id.rend()), policy); }));
    CHECK(throws<nomyo::ArgumentError>([&] { (void)nomyo::attestation_verify("\xff", id); }));
    const auto tried = nomyo::try_attestation_verify(block, id, &policy);
    CHECK(tried && tried->level == NOMYO_ATTESTATION_CONSISTENT);
    const nomyo::AttestationPolicy taken(std::move(policy));
    CHECK(throws<nomyo::ArgumentError>([&] { (void)nomyo::attestation_verify(block, id, policy); })); // moved from: not "no policy"
}

int main(int argc, char **argv) try {
    if (argc != 2) throw std::runtime_error("usage: sealed FIXTURES");
    a_sealed_request_is_answered(nomyo::Client(config()));
    a_quote_is_judged(argv[1]);
    return tally("sealed");
} catch (const std::exception &e) {
    std::cerr << "sealed: " << e.what() << '\n';
    return 1;
}
