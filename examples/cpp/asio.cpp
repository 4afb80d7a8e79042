// Sends each line of standard input as a prompt, all at once, and prints the answers in the order of the lines. The HTTP
// requests are this program's own: Asio and OpenSSL. The library encrypts and decrypts, on a pool of threads, so that even
// large prompts and answers do not hold up the loop.
//
//     NOMYO_API_KEY=... asio [--url URL] [--ca FILE] [--pin FINGERPRINT] < prompts
//
// A timer of the loop counts its ticks, which shows that the loop keeps turning. bindings/c/EVENT_LOOPS.md explains the rest.
// The program makes no retries, and gives up after ten minutes.
//
//     c++ -std=c++17 asio.cpp $(pkg-config --cflags --libs nomyo openssl) -pthread

#include <nomyo.hpp>

#define ASIO_STANDALONE
#include <asio.hpp>
#include <asio/ssl.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <iostream>
#include <memory>
#include <regex>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

using namespace std::chrono_literals;
using asio::ip::tcp;

template <class T, void (*release)(T *)> struct Releaser {
    void operator()(T *owned) const noexcept { release(owned); }
};
using ClientHandle = std::unique_ptr<nomyo_client, Releaser<nomyo_client, nomyo_client_free>>;
using SealedHandle = std::unique_ptr<nomyo_sealed, Releaser<nomyo_sealed, nomyo_sealed_free>>;
using ErrorHandle = std::unique_ptr<nomyo_error, Releaser<nomyo_error, nomyo_error_free>>;

// Calls a function of nomyo.h whose last argument is the error.
template <class F, class... A> static void call(F *function, A... arguments) {
    nomyo_error *error = nullptr;
    const int32_t status = function(arguments..., &error);
    const ErrorHandle owned(error);
    if (status != NOMYO_OK) throw std::runtime_error(nomyo_error_message(error));
}

static const uint8_t *bytes(std::string_view text) { return reinterpret_cast<const uint8_t *>(text.data()); }

// Text in locked memory, which is wiped when it is freed. It has a fixed size and does not move.
class Secret {
public:
    explicit Secret(std::size_t room)
        : room_(room), data_(static_cast<char *>(nomyo_secret_alloc(room, nullptr)), nomyo_secret_free) {
        if (!data_) throw std::bad_alloc();
    }
    Secret &operator<<(std::string_view text) {
        if (text.size() > room_ - size_) throw std::length_error("a text is too long");
        std::copy(text.begin(), text.end(), data_.get() + size_);
        size_ += text.size();
        return *this;
    }
    void append_json_string(std::string_view text) {
        const std::size_t len = nomyo_json_string(bytes(text), text.size(), data_.get() + size_, room_ - size_);
        if (len == 0 || len > room_ - size_) throw std::runtime_error("a prompt is not UTF-8");
        size_ += len - 1; // without the NUL
    }
    void read_from(int descriptor) { // into place: a stream would keep a copy that nobody wipes
        ssize_t n = 1;
        while (size_ < room_ && (n = ::read(descriptor, data_.get() + size_, room_ - size_)) > 0)
            size_ += static_cast<std::size_t>(n);
        if (n != 0) throw std::runtime_error("the prompts cannot be read: less than 65536 bytes of text");
    }
    std::string_view text() const { return {data_.get(), size_}; }

private:
    std::size_t room_, size_ = 0;
    std::unique_ptr<char, void (*)(void *)> data_;
};

struct Url {
    std::string host, port, prefix;
    explicit Url(const std::string &url) {
        std::smatch part;
        if (!std::regex_match(url, part, std::regex(R"(https://([^:/]+)(?::(\d+))?(/.*?)?/?)")))
            throw std::runtime_error("the URL is not https://HOST[:PORT][/PATH]");
        host = part[1], port = part[2].matched ? part[2].str() : "443", prefix = part[3];
    }
};

// The body of a response with status 200. Nothing checks that the body is whole: neither half a key nor half a package can
// be used.
static std::string body_of(const std::string &response) {
    const std::size_t head = response.find("\r\n\r\n");
    const std::string status = response.substr(0, 7) == "HTTP/1." ? response.substr(8, 5) : "";
    if (status == " 401 ") throw std::runtime_error("HTTP 401: check the API key");
    if (status != " 200 " || head == std::string::npos) throw std::runtime_error("the server did not answer with HTTP 200");
    const std::regex chunked("\r\ntransfer-encoding: *chunked", std::regex::icase);
    if (!std::regex_search(response.substr(0, head), chunked)) return response.substr(head + 4);
    std::string body;
    for (std::size_t at = head + 4, size; (size = std::strtoul(&response[at], nullptr, 16)) > 0; at += size + 2) {
        at = response.find("\r\n", at);
        if (at == std::string::npos || size > response.size() - (at += 2)) break;
        body.append(response, at, size);
        if (at + size + 2 > response.size()) break;
    }
    return body;
}

// One HTTP request on a connection of its own. It lives as long as one of its handlers.
class Exchange : public std::enable_shared_from_this<Exchange> {
    // A handler that goes on, or reports the error. It keeps this object alive.
    template <class F> auto next(F go_on) {
        return [self = shared_from_this(), go_on](asio::error_code failed, const auto &result) {
            if (failed) self->then_(std::make_exception_ptr(std::system_error(failed)), "");
            else go_on(result);
        };
    }

public:
    using Then = std::function<void(std::exception_ptr, const std::string &response)>;

    Exchange(asio::io_context &loop, asio::ssl::context &tls, const Url &url, Then then)
        : names_(loop), stream_(loop, tls), then_(std::move(then)) {
        stream_.set_verify_callback(asio::ssl::host_name_verification(url.host));
        SSL_set_tlsext_host_name(stream_.native_handle(), url.host.c_str());
        host_ = url.host, port_ = url.port;
    }
    // `body` must live until the exchange has ended.
    void start(std::string_view name, const nlohmann::json &headers, const char *api_key, std::string_view body) {
        head_ << name << " HTTP/1.1\r\nHost: " << host_ << ":" << port_ << "\r\nConnection: close\r\n";
        for (const auto &[key, value] : headers.items()) head_ << key << ": " << value.get<std::string>() << "\r\n";
        if (!body.empty()) head_ << "Content-Length: " << std::to_string(body.size()) << "\r\n";
        if (api_key && *api_key) head_ << "Authorization: Bearer " << api_key << "\r\n";
        head_ << "\r\n";
        body_ = body;
        names_.async_resolve(host_, port_, next([this](const tcp::resolver::results_type &found) { connect(found); }));
    }

private:
    static constexpr std::size_t most = 64 * 1024 * 1024;

    void connect(const tcp::resolver::results_type &found) {
        asio::async_connect(stream_.next_layer(), found, next([this](const tcp::endpoint &) { shake_hands(); }));
    }
    void shake_hands() {
        const auto done = next([this](int) { send(); });
        stream_.async_handshake(asio::ssl::stream_base::client, [done](asio::error_code failed) { done(failed, 0); });
    }
    void send() {
        const std::array<asio::const_buffer, 2> parts = {asio::buffer(head_.text()), asio::buffer(body_)};
        asio::async_write(stream_, parts, next([this](std::size_t) { receive(); }));
    }
    void receive() {
        asio::async_read(stream_, asio::dynamic_buffer(response_, most),
                         [self = shared_from_this()](asio::error_code failed, std::size_t) {
                             const bool ended = failed == asio::error::eof || failed == asio::ssl::error::stream_truncated;
                             const std::error_code why = failed ? failed : std::make_error_code(std::errc::message_size);
                             self->then_(ended ? nullptr : std::make_exception_ptr(std::system_error(why)), self->response_);
                         });
    }

    tcp::resolver names_;
    asio::ssl::stream<tcp::socket> stream_;
    Then then_;
    std::string host_, port_, response_;
    Secret head_{16 * 1024}; // has the API key
    std::string_view body_;
};

// All chats. Its members belong to the thread of the loop, except for the client, which any thread may use.
class Chats {
public:
    Chats(const nomyo::Config &config, const Url &url, const char *ca) : url_(url) {
        nomyo_client *client = nullptr;
        call(nomyo_client_new, static_cast<const nomyo_config *>(config.get()), &client);
        client_.reset(client);
        if (ca) tls_.load_verify_file(ca);
        else tls_.set_default_verify_paths();
        tls_.set_verify_mode(asio::ssl::verify_peer); // without it OpenSSL accepts every server
    }
    std::vector<nomyo::Response> ask(const std::vector<std::string_view> &prompts) {
        for (const std::string_view prompt : prompts) chats_.push_back({prompt, nullptr, std::nullopt});
        fetch_key();
        on_a_worker([this] { // uses no network, and takes 0.7 s on average, several seconds at worst
            nomyo_text *key = nullptr;
            call(nomyo_client_public_key, static_cast<const nomyo_client *>(client_.get()), &key);
            nomyo_text_free(key);
            return [this] { has_pair_ = true, seal_all(); };
        });
        patience_.async_wait([this](asio::error_code stopped) {
            if (!stopped) fail(std::make_exception_ptr(std::runtime_error("there was no answer in ten minutes")));
        });
        tick();
        loop_.run();
        workers_.join();
        if (failure_) std::rethrow_exception(failure_);
        std::vector<nomyo::Response> answers;
        for (Chat &chat : chats_) answers.push_back(std::move(*chat.answer));
        return answers;
    }
    std::size_t most_in_flight() const { return most_in_flight_; }
    std::size_t ticks() const { return ticks_; }

private:
    struct Chat {
        std::string_view prompt;
        SealedHandle sealed;
        std::optional<nomyo::Response> answer;
    };

    void fail(std::exception_ptr why) {
        if (!failure_) failure_ = why;
        loop_.stop();
    }
    // Runs `work` on a thread of the pool, and what it returns on the loop.
    template <class F> void on_a_worker(F work) {
        asio::post(workers_, [this, work, busy = asio::make_work_guard(loop_)] {
            try {
                asio::post(loop_, work());
            } catch (...) {
                asio::post(loop_, [this, why = std::current_exception()] { fail(why); });
            }
        });
    }
    // Begins an exchange. `then` gets the body.
    template <class F>
    void exchange(const std::string &name, const nlohmann::json &headers, const char *key, std::string_view body, F then) {
        const auto ended = [this, then](std::exception_ptr failed, const std::string &response) {
            in_flight_--;
            try {
                if (failed) std::rethrow_exception(failed);
                then(body_of(response));
            } catch (...) {
                fail(std::current_exception());
            }
        };
        most_in_flight_ = std::max(most_in_flight_, ++in_flight_);
        std::make_shared<Exchange>(loop_, tls_, url_, ended)->start(name, headers, key, body);
    }
    void fetch_key() {
        exchange("GET " + url_.prefix + "/pki/public_key", nlohmann::json::object(), nullptr, "", [this](std::string pem) {
            server_key_ = std::move(pem);
            seal_all();
        });
    }
    void seal_all() {
        if (server_key_.empty() || !has_pair_) return;
        for (Chat &chat : chats_)
            on_a_worker([this, &chat] {
                seal(chat);
                return [this, &chat] { send(chat); };
            });
    }
    void seal(Chat &chat) const { // on a worker
        Secret json(6 * chat.prompt.size() + 256);
        json << R"({"model": "Qwen/Qwen3-0.6B", "messages": [{"role": "user", "content": )";
        json.append_json_string(chat.prompt);
        json << "}]}";
        nomyo_sealed *sealed = nullptr;
        call(nomyo_seal, static_cast<const nomyo_client *>(client_.get()), bytes(server_key_), server_key_.size(),
             bytes(json.text()), json.text().size(), static_cast<const nomyo_call_options *>(nullptr), &sealed);
        chat.sealed.reset(sealed);
    }
    void send(Chat &chat) {
        std::size_t len = 0;
        const uint8_t *body = nomyo_sealed_body(chat.sealed.get(), &len);
        const nlohmann::json headers = nlohmann::json::parse(nomyo_sealed_headers(chat.sealed.get(), nullptr));
        exchange("POST " + url_.prefix + "/v1/chat/secure_completion", headers, std::getenv("NOMYO_API_KEY"),
                 {reinterpret_cast<const char *>(body), len}, [this, &chat](const std::string &package) {
                     on_a_worker([this, &chat, package] {
                         open(chat, package);
                         return [this] { if (++answered_ == chats_.size()) loop_.stop(); };
                     });
                 });
    }
    void open(Chat &chat, const std::string &package) const { // on a worker
        nomyo_response *answer = nullptr;
        call(nomyo_open, static_cast<const nomyo_client *>(client_.get()), static_cast<const nomyo_sealed *>(chat.sealed.get()),
             bytes(package), package.size(), &answer);
        chat.answer.emplace(answer);
    }
    void tick() {
        timer_.expires_after(1ms);
        timer_.async_wait([this](asio::error_code) {
            ticks_ += in_flight_ > 0;
            tick();
        });
    }

    Url url_;
    ClientHandle client_; // wipes the keys
    asio::ssl::context tls_{asio::ssl::context::tls_client};
    std::deque<Chat> chats_; // a chat does not move
    std::string server_key_;
    bool has_pair_ = false;
    std::size_t in_flight_ = 0, most_in_flight_ = 0, answered_ = 0, ticks_ = 0;
    std::exception_ptr failure_;
    asio::io_context loop_{1};
    asio::steady_timer timer_{loop_}, patience_{loop_, 10min};
    asio::thread_pool workers_{2}; // destroyed first: its threads use the other members
};

int main(int argc, char **argv) try {
    std::string url = "https://api.nomyo.ai";
    const char *ca = nullptr;
    nomyo::Config config;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (argv[i] == std::string("--url")) url = argv[i + 1];
        if (argv[i] == std::string("--ca")) ca = argv[i + 1];
        if (argv[i] == std::string("--pin")) config.add_server_key_pin(argv[i + 1]);
    }
    std::setvbuf(stdout, nullptr, _IONBF, 0); // a buffer would keep a copy of the answers
    Secret text(64 * 1024);
    text.read_from(STDIN_FILENO);
    std::vector<std::string_view> prompts;
    for (std::string_view rest = text.text(); !rest.empty();) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        prompts.push_back(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (prompts.empty()) return 0;
    Chats chats(config, Url(url), ca);
    for (const nomyo::Response &answer : chats.ask(prompts)) {
        const std::string_view said = answer.content().value_or("");
        std::printf("%.*s\n", static_cast<int>(said.size()), said.data());
    }
    std::cerr << chats.most_in_flight() << " chats at once, " << chats.ticks() << " ticks\n";
    return 0;
} catch (const std::exception &e) {
    std::cerr << "nomyo: " << e.what() << '\n';
    return 1;
}
