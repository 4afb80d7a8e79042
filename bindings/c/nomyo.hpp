/*
 * nomyo.hpp: nomyo.h for C++17, in one header. Link with -lnomyo.
 *
 *     nomyo::Client client(nomyo::Config().api_key(key));
 *     nomyo::Response answer = client.create(R"({"model": "m", "messages": [{"role": "user", "content": "Hello"}]})");
 *     std::cout << answer.content().value_or("");
 *
 * Ownership  Each class owns one handle of nomyo.h, can be moved and not copied, and releases it when destroyed.
 * Views      A std::string_view that is returned points into the handle: it is valid until that object is destroyed or
 *            assigned to; moving the object keeps it valid. It cannot be taken from a temporary.
 * Errors     Every failure is an exception derived from nomyo::Error, or std::bad_alloc. A moved-from object throws
 *            ArgumentError when used. Client::try_create() throws nothing: it returns the answer or a Failure.
 * Threads    `const` members may be called on any number of threads at once; others on one thread at a time. Destroy a
 *            Client when no call with it is under way.
 * Secrets    The library wipes what a Response shows when the Response is destroyed. It cannot wipe a std::string that
 *            you copy it into, nor the request you pass in.
 */

#ifndef NOMYO_HPP
#define NOMYO_HPP

#include <nomyo.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace nomyo {

/** The version of the library that is loaded, such as "0.1.0". */
inline std::string_view version() noexcept { return nomyo_version(); }

/** Why a call failed, without an exception. */
class Failure {
public:
    /** Takes an error of nomyo.h over; NULL when there was no memory for one. */
    Failure(int32_t status, nomyo_error *owned) noexcept : status_(status), error_(owned) {}

    /** One of the NOMYO_ERR_ numbers. */
    int32_t status() const noexcept { return status_; }
    /** What happened and what to do: never prompt text, keys or the server's words. */
    const char *message() const noexcept { return nomyo_error_message(error_.get()); }
    /** The HTTP status of the server's answer; 0 when there was no answer. */
    int32_t http_status() const noexcept { return nomyo_error_http_status(error_.get()); }
    /** How long the server asked to wait before the next attempt. */
    std::optional<std::chrono::milliseconds> retry_after() const noexcept {
        const int64_t ms = nomyo_error_retry_after_ms(error_.get());
        return ms < 0 ? std::nullopt : std::make_optional(std::chrono::milliseconds(ms));
    }
    /** Whether the same call may succeed if it is repeated later. */
    bool retryable() const noexcept { return nomyo_error_retryable(error_.get()) != 0; }
    /** How many times the network was tried. */
    uint32_t attempts() const noexcept { return nomyo_error_attempts(error_.get()); }
    /**
     * The body of the server's error answer, at most 64 KiB, any bytes; empty when there is none. UNTRUSTED: nobody has
     * authenticated it. Lives as long as this object.
     */
    std::string_view details() const noexcept {
        std::size_t size = 0;
        const char *data = nomyo_error_details(error_.get(), &size);
        return data ? std::string_view(data, size) : std::string_view();
    }

private:
    struct Release {
        void operator()(nomyo_error *owned) const noexcept { nomyo_error_free(owned); }
    };
    int32_t status_;
    std::unique_ptr<nomyo_error, Release> error_;
};

/** A Failure that is thrown. what() is its message. */
class Error : public std::runtime_error {
public:
    explicit Error(std::shared_ptr<const Failure> failure)
        : std::runtime_error(failure->message()), failure_(std::move(failure)) {}
    Error(int32_t status, const std::string &what)
        : std::runtime_error(what), failure_(std::make_shared<Failure>(status, nullptr)) {}

    int32_t status() const noexcept { return failure_->status(); }
    int32_t http_status() const noexcept { return failure_->http_status(); }
    std::optional<std::chrono::milliseconds> retry_after() const noexcept { return failure_->retry_after(); }
    bool retryable() const noexcept { return failure_->retryable(); }
    uint32_t attempts() const noexcept { return failure_->attempts(); }
    /** The failure, which outlives this error. */
    const std::shared_ptr<const Failure> &failure() const noexcept { return failure_; }
    /** As Failure::details(); lives as long as a copy of this error. */
    std::string_view details() const noexcept { return failure_->details(); }

private:
    std::shared_ptr<const Failure> failure_; // shared: an exception must be copied without throwing
};

class ArgumentError : public Error { using Error::Error; };   // what was passed in cannot be used
class CancelledError : public Error { using Error::Error; };  // Cancel::trigger() ended the call
class ForkedError : public Error { using Error::Error; };     // a client was used in a forked child
class ConnectionError : public Error { using Error::Error; }; // DNS, TCP, TLS, a reset, or closed without an answer
class TimeoutError : public Error { using Error::Error; };    // the connect timeout or the call's deadline passed
class ProtocolError : public Error { using Error::Error; };   // the server's answer is not a valid package or key
class KeyError : public Error { using Error::Error; };        // a client key is missing, unsafe or too weak
class FileError : public Error { using Error::Error; };       // a file could not be read or written
class SecurityError : public Error { using Error::Error; };   // the answer or the server cannot be trusted
class PinError : public SecurityError { using SecurityError::SecurityError; };         // not an accepted server key
class AttestationError : public SecurityError { using SecurityError::SecurityError; }; // proves less than required
class HttpError : public Error { using Error::Error; };                 // an HTTP status that is not 200
class BadRequestError : public HttpError { using HttpError::HttpError; };     // 400
class AuthenticationError : public HttpError { using HttpError::HttpError; }; // 401: missing or wrong API key
class ForbiddenError : public HttpError { using HttpError::HttpError; };      // 403: not at the requested tier
class NotFoundError : public HttpError { using HttpError::HttpError; };       // 404: no secure endpoint there
class RateLimitError : public HttpError { using HttpError::HttpError; };      // 429: too many requests
class ServerError : public HttpError { using HttpError::HttpError; };         // 500
class UnavailableError : public HttpError { using HttpError::HttpError; };    // 503

namespace detail {

[[noreturn]] inline void raise(Failure failure) {
    const int32_t status = failure.status();
    if (status == NOMYO_ERR_MEMORY) throw std::bad_alloc();
    const auto shared = std::make_shared<const Failure>(std::move(failure));
    switch (status) {
    case NOMYO_ERR_ARGUMENT: throw ArgumentError(shared);
    case NOMYO_ERR_CANCELLED: throw CancelledError(shared);
    case NOMYO_ERR_FORKED: throw ForkedError(shared);
    case NOMYO_ERR_CONNECTION: throw ConnectionError(shared);
    case NOMYO_ERR_TIMEOUT: throw TimeoutError(shared);
    case NOMYO_ERR_PROTOCOL: throw ProtocolError(shared);
    case NOMYO_ERR_SECURITY: throw SecurityError(shared);
    case NOMYO_ERR_PIN: throw PinError(shared);
    case NOMYO_ERR_ATTESTATION: throw AttestationError(shared);
    case NOMYO_ERR_KEY: throw KeyError(shared);
    case NOMYO_ERR_IO: throw FileError(shared);
    case NOMYO_ERR_BAD_REQUEST: throw BadRequestError(shared);
    case NOMYO_ERR_AUTHENTICATION: throw AuthenticationError(shared);
    case NOMYO_ERR_FORBIDDEN: throw ForbiddenError(shared);
    case NOMYO_ERR_NOT_FOUND: throw NotFoundError(shared);
    case NOMYO_ERR_RATE_LIMIT: throw RateLimitError(shared);
    case NOMYO_ERR_SERVER: throw ServerError(shared);
    case NOMYO_ERR_UNAVAILABLE: throw UnavailableError(shared);
    case NOMYO_ERR_HTTP: throw HttpError(shared);
    default: throw Error(shared);
    }
}

/** Calls a function of nomyo.h with these arguments and a place for its error. */
template <class F, class... A> void check(F *function, A... arguments) {
    nomyo_error *error = nullptr;
    const int32_t status = function(arguments..., &error);
    if (status != NOMYO_OK) raise(Failure(status, error));
}

/** NUL-terminated text for C, which would silently see less of a text with a NUL inside. */
inline const char *text(const std::string &s) {
    if (s.find('\0') != std::string::npos) throw ArgumentError(NOMYO_ERR_ARGUMENT, "the text contains a NUL");
    return s.c_str();
}

inline const uint8_t *bytes(std::string_view s) noexcept { return reinterpret_cast<const uint8_t *>(s.data()); }

/** What is negative becomes the 0 that the library refuses. */
inline uint64_t count(std::chrono::milliseconds ms) noexcept {
    return ms.count() < 0 ? 0 : static_cast<uint64_t>(ms.count());
}

/** A handle that is released once. NULL has a meaning of its own to some functions, so a moved-from one never gets out. */
template <class T, void (*release)(T *)> class Handle {
public:
    explicit Handle(T *owned) noexcept : owned_(owned) {}
    T *get() const {
        if (!owned_) throw ArgumentError(NOMYO_ERR_ARGUMENT, "the object has been moved from");
        return owned_.get();
    }
    /** NULL when moved from. */
    T *peek() const noexcept { return owned_.get(); }

private:
    struct Release {
        void operator()(T *owned) const noexcept { release(owned); }
    };
    std::unique_ptr<T, Release> owned_;
};

struct FreeText {
    void operator()(nomyo_text *owned) const noexcept { nomyo_text_free(owned); }
};

/** A text of nomyo.h, copied and freed. */
inline std::string taken(nomyo_text *owned) {
    const std::unique_ptr<nomyo_text, FreeText> text(owned);
    return nomyo_text_data(owned, nullptr);
}

template <class T> T *allocated(T *owned) { return owned ? owned : throw std::bad_alloc(); }

} // namespace detail

/** What an answer's TPM quote must prove; see the levels of nomyo.h, and what they do not prove. Default: nothing. */
class AttestationPolicy {
public:
    AttestationPolicy() : handle_(detail::allocated(nomyo_attestation_policy_new())) {}

    /** Withholds answers below one of the NOMYO_ATTESTATION_ levels: AttestationError. */
    AttestationPolicy &require(int32_t level) {
        detail::check(nomyo_attestation_policy_require, handle_.get(), level);
        return *this;
    }
    /** Accepts a value of a register, such as `sha256`, 0 and 64 hexadecimal digits; any of several will do. */
    AttestationPolicy &allow_pcr(const std::string &bank, uint32_t index, const std::string &hex) {
        detail::check(nomyo_attestation_policy_allow_pcr, handle_.get(), detail::text(bank), index, detail::text(hex));
        return *this;
    }

    /** For what this class lacks. Remains owned by this object. */
    const nomyo_attestation_policy *get() const { return handle_.get(); }

private:
    detail::Handle<nomyo_attestation_policy, nomyo_attestation_policy_free> handle_;
};

/** What a client is made of. Nothing is read from the environment unless load_env() is called. */
class Config {
public:
    Config() : handle_(detail::allocated(nomyo_config_new())) { binding("cpp/" + std::string(version())); }

    /**
     * Reads NOMYO_API_KEY, NOMYO_BASE_URL, NOMYO_KEY_DIR, NOMYO_KEY_PASSWORD and NOMYO_SERVER_KEY_PIN. Not while another
     * thread changes the environment.
     */
    Config &load_env() { return set(nomyo_config_load_env); }
    /** The server: `https://host[:port][/path]`. Default: `https://api.nomyo.ai`. */
    Config &base_url(const std::string &url) { return set(nomyo_config_set_base_url, detail::text(url)); }
    /** The API key; empty, the default, for none. It is copied. */
    Config &api_key(std::string_view key) { return set(nomyo_config_set_api_key, detail::bytes(key), key.size()); }
    /** WARNING: without TLS the API key can be read and the server's key replaced. For a server on the same machine. */
    Config &allow_http(bool yes = true) { return set(nomyo_config_set_allow_http, int32_t{yes}); }
    /** How long a whole call may take. Default: 15 minutes. */
    Config &timeout(std::chrono::milliseconds total) { return set(nomyo_config_set_timeout_ms, detail::count(total)); }
    /** How long name resolution, TCP and TLS of one connection may take. Default: 10 s. */
    Config &connect_timeout(std::chrono::milliseconds total) {
        return set(nomyo_config_set_connect_timeout_ms, detail::count(total));
    }
    /** Believes the authorities in this PEM file, read now, instead of the platform's trust store. */
    Config &ca_file(const std::string &pem) { return set(nomyo_config_set_ca_file, detail::text(pem)); }
    /** One of NOMYO_MEMORY_OFF, _PREFER (the default), _REQUIRE: what to do when the system refuses to lock memory. */
    Config &memory_policy(int32_t policy) { return set(nomyo_config_set_memory_policy, policy); }
    /** How often a call is tried again: 0 to 10. Default: 2. */
    Config &max_retries(uint32_t n) { return set(nomyo_config_set_max_retries, n); }
    /** The proxy, `http://` or `socks5://`; empty for none. Default: the environment's. */
    Config &proxy(const std::string &url) { return set(nomyo_config_set_proxy, detail::text(url)); }
    /** How many requests may leave, for all of the client's threads together. Default: any number. */
    Config &rate_limit(double per_second, uint32_t burst) {
        return set(nomyo_config_set_rate_limit, per_second, burst);
    }
    /** The largest answer that is read, in bytes. Default: 64 MiB. */
    Config &response_limit(uint64_t bytes) { return set(nomyo_config_set_response_limit, bytes); }
    /** The directory that keeps the client's pair: loaded from there, or generated into it. Default: none. */
    Config &key_dir(const std::string &dir) { return set(nomyo_config_set_key_dir, detail::text(dir)); }
    /** The password of the private file in the key directory. It is copied. */
    Config &key_password(std::string_view pw) {
        return set(nomyo_config_set_key_password, detail::bytes(pw), pw.size());
    }
    /** How long a pair is used; zero for ever. Default: a day. */
    Config &key_rotation(std::chrono::milliseconds after) {
        return set(nomyo_config_set_key_rotation_ms, detail::count(after));
    }
    /** Accepts a key of the server: SHA-256 of its SPKI, in hex or as `sha256/` and base64. May be called for several. */
    Config &server_key_pin(const std::string &sha256) {
        return set(nomyo_config_set_server_key_pin, detail::text(sha256));
    }
    /** The file that remembers the server's key at first use, and refuses another from then on. Default: none. */
    Config &known_servers(const std::string &file) {
        return set(nomyo_config_set_known_servers, detail::text(file));
    }
    /** How long the server's key is used before it is fetched again. Default: 5 minutes. */
    Config &server_key_ttl(std::chrono::milliseconds ttl) {
        return set(nomyo_config_set_server_key_ttl_ms, detail::count(ttl));
    }
    /** What an answer's TPM quote must prove. The policy is copied. */
    Config &attestation(const AttestationPolicy &policy) { return set(nomyo_config_set_attestation, policy.get()); }
    /** What the User-Agent calls the caller: `name/version`. */
    Config &binding(const std::string &name) { return set(nomyo_config_set_binding, detail::text(name)); }

    /** For what this class lacks. Remains owned by this object. */
    nomyo_config *get() const { return handle_.get(); }

private:
    template <class F, class... A> Config &set(F *function, A... arguments) {
        detail::check(function, handle_.get(), arguments...);
        return *this;
    }
    detail::Handle<nomyo_config, nomyo_config_free> handle_;
};

/** Ends the calls that it was given to, from any thread; stays triggered. */
class Cancel {
public:
    Cancel() : handle_(detail::allocated(nomyo_cancel_new())) {}
    void trigger() const noexcept { nomyo_cancel_trigger(handle_.peek()); }

    /** For what this class lacks. Remains owned by this object. */
    const nomyo_cancel *get() const { return handle_.get(); }

private:
    detail::Handle<nomyo_cancel, nomyo_cancel_free> handle_;
};

/** The options of one call, over the client's. */
class Request {
public:
    Request() : handle_(detail::allocated(nomyo_request_new())) {}

    /** `standard`, `high` or `maximum`. An answer made at a lower tier is withheld: SecurityError. */
    Request &security_tier(const std::string &tier) {
        return set(nomyo_request_set_security_tier, detail::text(tier));
    }
    /** Another API key than the client's; empty sends none. It is copied. */
    Request &api_key(std::string_view key) { return set(nomyo_request_set_api_key, detail::bytes(key), key.size()); }
    /** Another timeout than the client's. */
    Request &timeout(std::chrono::milliseconds total) { return set(nomyo_request_set_timeout_ms, detail::count(total)); }
    /** What cancels the call. It is shared: `c` may be destroyed before. */
    Request &cancel(const Cancel &c) { return set(nomyo_request_set_cancel, c.get()); }

    /** For what this class lacks. Remains owned by this object. */
    nomyo_request *get() const { return handle_.get(); }
    /** NULL when moved from. */
    const nomyo_request *peek() const noexcept { return handle_.peek(); }

private:
    template <class F, class... A> Request &set(F *function, A... arguments) {
        detail::check(function, handle_.get(), arguments...);
        return *this;
    }
    detail::Handle<nomyo_request, nomyo_request_free> handle_;
};

/** A decrypted answer, wiped when destroyed. A text that the answer does not have is std::nullopt. */
class Response {
public:
    using Text = std::optional<std::string_view>;

    /** Takes a response of nomyo.h over. */
    explicit Response(nomyo_response *owned) noexcept : handle_(owned) {}

    /** The whole answer as JSON. */
    std::string_view json() const & { return view(nomyo_response_json).value_or(""); }
    std::string_view json() const && = delete;
    /** How many choices the answer has. */
    std::size_t choices() const { return nomyo_response_choices(handle_.get()); }
    /** The text of a choice. With tool calls there usually is none. */
    Text content(std::size_t choice = 0) const & { return view(nomyo_response_content, choice); }
    Text content(std::size_t choice = 0) const && = delete;
    /** What a thinking model thought: the message's `reasoning_content`. */
    Text reasoning(std::size_t choice = 0) const & { return view(nomyo_response_reasoning, choice); }
    Text reasoning(std::size_t choice = 0) const && = delete;
    /** The message's `tool_calls` as JSON. */
    Text tool_calls(std::size_t choice = 0) const & { return view(nomyo_response_tool_calls, choice); }
    Text tool_calls(std::size_t choice = 0) const && = delete;
    /** Why the choice ended: `stop`, `length`, `tool_calls`, `content_filter`. */
    Text finish_reason(std::size_t choice = 0) const & { return view(nomyo_response_finish_reason, choice); }
    Text finish_reason(std::size_t choice = 0) const && = delete;
    /** Any value of the answer, as JSON: a JSON Pointer such as `/usage/total_tokens`; empty is the whole answer. */
    Text pointer(const std::string &rfc6901) const & { return view(nomyo_response_pointer, detail::text(rfc6901)); }
    Text pointer(const std::string &rfc6901) const && = delete;
    /** The verdict on the answer's TPM quote. */
    nomyo_attestation attestation() const {
        nomyo_attestation verdict{};
        // Fails for a NULL argument only, and here there is none.
        (void)nomyo_response_attestation(handle_.get(), &verdict, sizeof verdict);
        return verdict;
    }
    /** Every check of it as JSON: its name, its result and why. */
    std::string_view attestation_report() const & { return view(nomyo_response_attestation_report).value_or(""); }
    std::string_view attestation_report() const && = delete;
    /** The id that the request was sent under: 36 characters. */
    std::string_view payload_id() const & { return nomyo_response_payload_id(handle_.get()); }
    std::string_view payload_id() const && = delete;

private:
    template <class F, class... A> Text view(F *function, A... arguments) const {
        std::size_t size = 0;
        const char *data = function(handle_.get(), arguments..., &size);
        return data ? Text(std::in_place, data, size) : std::nullopt;
    }
    detail::Handle<nomyo_response, nomyo_response_free> handle_;
};

/** What a call that throws nothing returned: a value or a Failure. */
template <class T> class Result {
public:
    explicit Result(T value) noexcept : value_(std::move(value)) {}
    explicit Result(Failure failure) noexcept : value_(std::move(failure)) {}

    explicit operator bool() const noexcept { return std::holds_alternative<T>(value_); }
    /** The value, while this object lives; NULL after a failure. */
    const T *operator->() const & noexcept { return std::get_if<T>(&value_); }
    const T *operator->() const && = delete;
    /** The failure, while this object lives; NULL after a success. */
    const Failure *failure() const & noexcept { return std::get_if<Failure>(&value_); }
    const Failure *failure() const && = delete;
    /** The value; throws the failure. */
    T take() && {
        if (auto *failure = std::get_if<Failure>(&value_)) detail::raise(std::move(*failure));
        return std::move(*std::get_if<T>(&value_));
    }

private:
    std::variant<T, Failure> value_;
};

/** The server's key, and its fingerprint: what server_key_pin() takes. */
struct ServerKey {
    std::string pem;
    std::string sha256_hex;
};

/** A client of one server. Any number of threads may call it at once. Its first call generates an RSA-4096 pair. */
class Client {
public:
    /** Touches no network. */
    explicit Client(const Config &config = Config()) : handle_(make(config)) {}

    /** Generates the keys (0.7 s on average, several at worst), connects and fetches the server's key, now. */
    void warm_up() const { detail::check(nomyo_client_warm_up, handle_.get()); }

    /**
     * Sends one chat request, an OpenAI-style JSON object of at most 10 MiB, encrypted, and waits for the whole answer:
     * for at most the timeout, and before that, the first time, for the key generation.
     */
    Response create(std::string_view json) const { return send(json, nullptr); }
    /** The same with options for this call. */
    Response create(std::string_view json, const Request &options) const { return send(json, options.get()); }

    /** The same, for code without exceptions. `options` may be NULL. */
    Result<Response> try_create(std::string_view json, const Request *options = nullptr) const noexcept {
        nomyo_response *out = nullptr;
        nomyo_error *error = nullptr;
        const nomyo_request *given = options ? options->peek() : nullptr;
        if (options && !given) return Result<Response>(Failure(NOMYO_ERR_ARGUMENT, nullptr)); // moved from
        const int32_t status = nomyo_create(handle_.peek(), detail::bytes(json), json.size(), given, &out, &error);
        return status == NOMYO_OK ? Result<Response>(Response(out)) : Result<Response>(Failure(status, error));
    }

    /** Generates a pair and uses it from now on: in memory, or in the directory `dir`, which must have none yet. */
    void generate_keys() const { detail::check(nomyo_client_generate_keys, handle_.get(), nullptr, nullptr, 0); }
    void generate_keys(const std::string &dir, std::string_view pw = {}) const {
        detail::check(nomyo_client_generate_keys, handle_.get(), detail::text(dir), detail::bytes(pw), pw.size());
    }
    /** Loads a pair from files and uses it from now on. An empty `public_pem`: it comes out of the private one. */
    void load_keys(const std::string &private_pem, const std::string &public_pem = {}, std::string_view pw = {}) const {
        const char *other = public_pem.empty() ? nullptr : detail::text(public_pem);
        detail::check(nomyo_client_load_keys, handle_.get(), detail::text(private_pem), other, detail::bytes(pw), pw.size());
    }
    /** Writes a copy of the pair in use to the directory `dir`, which must have none yet. */
    void save_keys(const std::string &dir, std::string_view pw = {}) const {
        detail::check(nomyo_client_save_keys, handle_.get(), detail::text(dir), detail::bytes(pw), pw.size());
    }
    /** Replaces the pair by a new one now, in its key directory too. */
    void rotate_keys() const { detail::check(nomyo_client_rotate_keys, handle_.get()); }
    /** The public half of the pair in use, as SPKI PEM. */
    std::string public_key() const {
        nomyo_text *out = nullptr;
        detail::check(nomyo_client_public_key, handle_.get(), &out);
        return detail::taken(out);
    }
    /** The server's key, fetched unless it is there. Compare the fingerprint with what the operator says. */
    ServerKey server_key() const {
        nomyo_text *pem = nullptr, *sha256_hex = nullptr;
        detail::check(nomyo_client_server_key, handle_.get(), &pem, &sha256_hex);
        const std::unique_ptr<nomyo_text, detail::FreeText> first(pem), second(sha256_hex);
        return {nomyo_text_data(pem, nullptr), nomyo_text_data(sha256_hex, nullptr)};
    }

    /** For what this class lacks. Remains owned by this object. */
    const nomyo_client *get() const { return handle_.get(); }

private:
    static nomyo_client *make(const Config &config) {
        nomyo_client *out = nullptr;
        detail::check(nomyo_client_new, config.get(), &out);
        return out;
    }
    Response send(std::string_view json, const nomyo_request *options) const {
        nomyo_response *out = nullptr;
        detail::check(nomyo_create, handle_.get(), detail::bytes(json), json.size(), options, &out);
        return Response(out);
    }
    detail::Handle<nomyo_client, nomyo_client_free> handle_;
};

} // namespace nomyo

#endif // NOMYO_HPP
