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
 *            ArgumentError when used.
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

namespace nomyo {

/** The version of the library that is loaded, such as "0.1.0". */
inline std::string_view version() noexcept { return nomyo_version(); }

/** Why a call failed. what() says what happened and what to do: never prompt text, keys or the server's words. */
class Error : public std::runtime_error {
public:
    Error(int32_t status, const std::string &what, std::shared_ptr<const nomyo_error> error = nullptr)
        : std::runtime_error(what), status_(status), error_(std::move(error)) {}

    /** One of the NOMYO_ERR_ numbers. */
    int32_t status() const noexcept { return status_; }
    /** The HTTP status of the server's answer; 0 when there was no answer. */
    int32_t http_status() const noexcept { return nomyo_error_http_status(error_.get()); }
    /** How long the server asked to wait before the next attempt. */
    std::optional<std::chrono::milliseconds> retry_after() const noexcept {
        const int64_t ms = nomyo_error_retry_after_ms(error_.get());
        return ms < 0 ? std::nullopt : std::make_optional(std::chrono::milliseconds(ms));
    }
    /** Whether the same call may succeed if it is repeated later. */
    bool retryable() const noexcept { return nomyo_error_retryable(error_.get()) != 0; }
    /** How many times the request was tried on the network. */
    uint32_t attempts() const noexcept { return nomyo_error_attempts(error_.get()); }
    /**
     * The body of the server's error answer, at most 64 KiB, any bytes; empty when there is none. UNTRUSTED: nobody has
     * authenticated it. Lives as long as a copy of this error.
     */
    std::string_view details() const noexcept {
        std::size_t size = 0;
        const char *data = nomyo_error_details(error_.get(), &size);
        return data ? std::string_view(data, size) : std::string_view();
    }

private:
    int32_t status_;
    std::shared_ptr<const nomyo_error> error_; // shared: an exception must be copied without throwing
};

/** What was passed in cannot be used. */
class ArgumentError : public Error { using Error::Error; };
/** DNS, TCP, TLS, a reset, or closed without an answer. */
class ConnectionError : public Error { using Error::Error; };
/** The connect timeout or the call's deadline passed. */
class TimeoutError : public Error { using Error::Error; };
/** The answer or the server cannot be trusted: NOMYO_ERR_SECURITY, NOMYO_ERR_PIN, NOMYO_ERR_ATTESTATION. */
class SecurityError : public Error { using Error::Error; };
/** The server answered with an HTTP status that is not 200. */
class HttpError : public Error { using Error::Error; };
/** HTTP 401: missing or wrong API key. */
class AuthenticationError : public HttpError { using HttpError::HttpError; };
/** HTTP 429: too many requests. */
class RateLimitError : public HttpError { using HttpError::HttpError; };

namespace detail {

[[noreturn]] inline void raise(int32_t status, nomyo_error *owned) {
    const std::shared_ptr<const nomyo_error> error(owned, [](nomyo_error *e) { nomyo_error_free(e); });
    const std::string what = nomyo_error_message(owned);
    switch (status) {
    case NOMYO_ERR_ARGUMENT: throw ArgumentError(status, what, error);
    case NOMYO_ERR_CONNECTION: throw ConnectionError(status, what, error);
    case NOMYO_ERR_TIMEOUT: throw TimeoutError(status, what, error);
    case NOMYO_ERR_SECURITY:
    case NOMYO_ERR_PIN:
    case NOMYO_ERR_ATTESTATION: throw SecurityError(status, what, error);
    case NOMYO_ERR_AUTHENTICATION: throw AuthenticationError(status, what, error);
    case NOMYO_ERR_RATE_LIMIT: throw RateLimitError(status, what, error);
    case NOMYO_ERR_BAD_REQUEST:
    case NOMYO_ERR_FORBIDDEN:
    case NOMYO_ERR_NOT_FOUND:
    case NOMYO_ERR_SERVER:
    case NOMYO_ERR_UNAVAILABLE:
    case NOMYO_ERR_HTTP: throw HttpError(status, what, error);
    case NOMYO_ERR_MEMORY: throw std::bad_alloc();
    default: throw Error(status, what, error);
    }
}

/** Calls a function of nomyo.h with these arguments and a place for its error. */
template <class F, class... A> void check(F *function, A... arguments) {
    nomyo_error *error = nullptr;
    const int32_t status = function(arguments..., &error);
    if (status != NOMYO_OK) raise(status, error);
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

private:
    struct Release {
        void operator()(T *owned) const noexcept { release(owned); }
    };
    std::unique_ptr<T, Release> owned_;
};

template <class T> T *allocated(T *owned) { return owned ? owned : throw std::bad_alloc(); }

} // namespace detail

/** What a client is made of. Nothing is read from the environment unless load_env() is called. */
class Config {
public:
    Config() : handle_(detail::allocated(nomyo_config_new())) { binding("cpp/" + std::string(version())); }

    /** Reads NOMYO_API_KEY and NOMYO_BASE_URL. Not while another thread changes the environment. */
    Config &load_env() { return set(nomyo_config_load_env); }
    /** The server: `https://host[:port][/path]`. Default: `https://api.nomyo.ai`. */
    Config &base_url(const std::string &url) { return set(nomyo_config_set_base_url, detail::text(url)); }
    /** The API key; empty, the default, for none. It is copied. */
    Config &api_key(std::string_view key) { return set(nomyo_config_set_api_key, detail::bytes(key), key.size()); }
    /** WARNING: without TLS the API key can be read and the server's key replaced. For a server on the same machine. */
    Config &allow_http(bool yes = true) { return set(nomyo_config_set_allow_http, int32_t{yes}); }
    /** How many failed attempts of a call are repeated, at most 10. Default: 2. */
    Config &max_retries(uint32_t n) { return set(nomyo_config_set_max_retries, n); }
    /** How long a whole call may take. Default: 15 minutes. */
    Config &timeout(std::chrono::milliseconds total) { return set(nomyo_config_set_timeout_ms, detail::count(total)); }
    /** How long name resolution, TCP and TLS of one connection may take. Default: 10 s. */
    Config &connect_timeout(std::chrono::milliseconds total) {
        return set(nomyo_config_set_connect_timeout_ms, detail::count(total));
    }
    /** Believes the authorities in this PEM file, read now, instead of the platform's trust store. */
    Config &ca_file(const std::string &pem) { return set(nomyo_config_set_ca_file, detail::text(pem)); }
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

    /** For what this class lacks. Remains owned by this object. */
    nomyo_request *get() const { return handle_.get(); }

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
