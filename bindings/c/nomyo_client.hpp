/*
 * nomyo_client.hpp: the client, and requests that the caller transports. Part of nomyo.hpp, which includes it.
 *
 * Each function has a twin try_..., which throws nothing and returns a Result. Under -fno-exceptions only the twins exist.
 */

#ifndef NOMYO_CLIENT_HPP
#define NOMYO_CLIENT_HPP

#include "nomyo_config.hpp"
#include "nomyo_options.hpp"
#include "nomyo_response.hpp"
#include "nomyo_secret.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

NOMYO_HPP_BEGIN

/** The server's key, and its fingerprint for Config::add_server_key_pin(). */
struct ServerKey {
    std::string pem;
    std::string sha256_hex;
};

/** A request that is encrypted and not sent: Client::seal(). It holds no plaintext. Its key pair stays until it is destroyed. */
class SealedRequest : public detail::Handle<nomyo_sealed, detail::Free<nomyo_sealed_free>> {
public:
    /** Takes ownership of a sealed request of nomyo.h. */
    explicit SealedRequest(nomyo_sealed *owned) noexcept : Handle(owned) {}

    /** The HTTP body to POST to `/v1/chat/secure_completion`. It may be sent any number of times. */
    std::string_view body() const & {
        std::size_t size = 0;
        const auto *data = reinterpret_cast<const char *>(nomyo_sealed_body(get(), &size));
        return data ? std::string_view(data, size) : std::string_view();
    }
    std::string_view body() const && = delete;
    /** The HTTP headers to send with it, as a JSON object of strings. The API key is not among them. */
    std::string_view headers() const & {
        std::size_t size = 0;
        const char *data = nomyo_sealed_headers(get(), &size);
        return data ? std::string_view(data, size) : std::string_view();
    }
    std::string_view headers() const && = delete;
};

namespace detail {

/** Frees a handle of a client before the log function that the client may call. */
struct FreeClient {
    std::shared_ptr<LogFunction> log;
    void operator()(nomyo_client *owned) const noexcept { nomyo_client_free(owned); }
};

} // namespace detail

/** A client of one server. Any number of threads may call it at once. Its first call generates an RSA-4096 key pair. */
class Client : public detail::Handle<nomyo_client, detail::FreeClient> {
public:
    /** Does not block: keys and connections are made by the first call. */
    static Result<Client> try_make(const Config &config) noexcept {
        const std::shared_ptr<LogFunction> log = config.log_; // the function may destroy the configuration
        nomyo_client *out = nullptr;
        if (auto failure = detail::call(nomyo_client_new, config, &out)) return std::move(*failure);
        return Client(out, log);
    }

    /**
     * Another client that shares the connections, the keys and the server's key with this one, and has `options` as its
     * defaults. Their timeout and Cancel hold for every function that blocks, not only for create(). Cheap. The two may be
     * destroyed in any order.
     */
    Result<Client> try_with_options(const CallOptions &options) const noexcept {
        const std::shared_ptr<LogFunction> log = release().log;
        nomyo_client *out = nullptr;
        if (auto failure = detail::call(nomyo_client_with_options, *this, options, &out)) return std::move(*failure);
        return Client(out, log);
    }

    /** Generates the keys (0.7 s on average, several at worst), connects and fetches the server's key. */
    Result<void> try_warm_up() const noexcept { return call(nomyo_client_warm_up); }

    /**
     * Encrypts and sends one chat request, an OpenAI-style JSON object of at most 10 MiB, and waits for the whole answer.
     * Blocks for the timeout at most, key generation included. `options` hold for this call and override the client's.
     */
    Result<Response> try_create(std::string_view json, const CallOptions *options = nullptr) const noexcept {
        nomyo_response *out = nullptr;
        if (auto failure = call(nomyo_create, detail::bytes(json), json.size(), options, &out)) return std::move(*failure);
        return Response(out);
    }

    /**
     * Encrypts a request like create(), for the server whose public key is `server_pem`, and sends nothing. The security of the
     * request depends on the origin of that key.
     */
    Result<SealedRequest> try_seal(std::string_view server_pem, std::string_view json,
                                   const CallOptions *options = nullptr) const noexcept {
        nomyo_sealed *out = nullptr;
        if (auto failure = call(nomyo_seal, detail::bytes(server_pem), server_pem.size(), detail::bytes(json), json.size(),
                                options, &out))
            return std::move(*failure);
        return SealedRequest(out);
    }
    /** Decrypts the body of the HTTP response 200 to `sealed`. This client or another may have sealed the request. */
    Result<Response> try_open(const SealedRequest &sealed, std::string_view body) const noexcept {
        nomyo_response *out = nullptr;
        if (auto failure = call(nomyo_open, sealed, detail::bytes(body), body.size(), &out)) return std::move(*failure);
        return Response(out);
    }

    /** Generates a key pair and uses it from now on: in memory, or in the directory `dir`, which must have none yet. */
    Result<void> try_generate_keys() const noexcept {
        return call(nomyo_client_generate_keys, static_cast<const char *>(nullptr), static_cast<const uint8_t *>(nullptr),
                    std::size_t{0});
    }
    Result<void> try_generate_keys(const std::string &dir, std::string_view pw = {}) const noexcept {
        return call(nomyo_client_generate_keys, dir, detail::bytes(pw), pw.size());
    }
    /** Loads a key pair from files and uses it from now on. `public_pem` may be empty: the private file has both halves. */
    Result<void> try_load_keys(const std::string &private_pem, const std::string &public_pem = {},
                               std::string_view pw = {}) const noexcept {
        if (!public_pem.empty()) return call(nomyo_client_load_keys, private_pem, public_pem, detail::bytes(pw), pw.size());
        return call(nomyo_client_load_keys, private_pem, static_cast<const char *>(nullptr), detail::bytes(pw), pw.size());
    }
    /**
     * Loads a key pair from PEM texts in memory and uses it from now on. `public_pem` may be empty: the private key has both
     * halves. Nothing is kept of the arguments: the caller wipes its own memory.
     */
    Result<void> try_load_keys_pem(std::string_view private_pem, std::string_view public_pem = {},
                                   std::string_view pw = {}) const noexcept {
        return call(nomyo_client_load_keys_pem, detail::bytes(private_pem), private_pem.size(), detail::bytes(public_pem),
                    public_pem.size(), detail::bytes(pw), pw.size());
    }
    /** The private half of the key pair in use, as PKCS#8 PEM, encrypted unless `pw` is empty. A NUL follows the text. */
    Result<Secret> try_private_key_pem(std::string_view pw = {}) const noexcept {
        uint8_t *out = nullptr;
        std::size_t size = 0;
        if (auto failure = call(nomyo_client_private_key_pem, detail::bytes(pw), pw.size(), &out, &size))
            return std::move(*failure);
        return Secret(reinterpret_cast<char *>(out), size);
    }
    /** Writes a copy of the key pair in use to the directory `dir`, which must have none yet. */
    Result<void> try_save_keys(const std::string &dir, std::string_view pw = {}) const noexcept {
        return call(nomyo_client_save_keys, dir, detail::bytes(pw), pw.size());
    }
    /** Replaces the key pair now, in its key directory too. */
    Result<void> try_rotate_keys() const noexcept { return call(nomyo_client_rotate_keys); }
    /** The public half of the key pair in use, as SPKI PEM. */
    Result<std::string> try_public_key() const noexcept { return text(nomyo_client_public_key); }
    /** The server's key, fetched if it is not known yet. Compare the fingerprint with the operator's. */
    Result<ServerKey> try_server_key() const noexcept {
        nomyo_text *pem = nullptr, *sha256_hex = nullptr;
        if (auto failure = call(nomyo_client_server_key, &pem, &sha256_hex)) return std::move(*failure);
        const detail::Text first(pem), second(sha256_hex);
        return detail::allocating([&] { return ServerKey{detail::copied(first), detail::copied(second)}; });
    }
    /**
     * The verified certificate chain of the connection as JSON, for Config::add_tls_pin():
     * `[{"role": "leaf" | "intermediate" | "root", "sha256": "sha256/...", "subject": "CN=..."}, ...]`. Connects if there
     * is no connection yet. ArgumentError for an `http://` server.
     */
    Result<std::string> try_tls_chain() const noexcept { return text(nomyo_client_tls_chain); }

#ifdef __cpp_exceptions
    explicit Client(const Config &config = Config()) : Client(try_make(config).take()) {}
    Client with_options(const CallOptions &options) const { return try_with_options(options).take(); }
    void warm_up() const { try_warm_up().take(); }
    Response create(std::string_view json) const { return try_create(json).take(); }
    Response create(std::string_view json, const CallOptions &options) const { return try_create(json, &options).take(); }
    SealedRequest seal(std::string_view server_pem, std::string_view json) const { return try_seal(server_pem, json).take(); }
    SealedRequest seal(std::string_view server_pem, std::string_view json, const CallOptions &options) const {
        return try_seal(server_pem, json, &options).take();
    }
    Response open(const SealedRequest &sealed, std::string_view body) const { return try_open(sealed, body).take(); }
    void generate_keys() const { try_generate_keys().take(); }
    void generate_keys(const std::string &dir, std::string_view pw = {}) const { try_generate_keys(dir, pw).take(); }
    void load_keys(const std::string &private_pem, const std::string &public_pem = {}, std::string_view pw = {}) const {
        try_load_keys(private_pem, public_pem, pw).take();
    }
    void load_keys_pem(std::string_view private_pem, std::string_view public_pem = {}, std::string_view pw = {}) const {
        try_load_keys_pem(private_pem, public_pem, pw).take();
    }
    Secret private_key_pem(std::string_view pw = {}) const { return try_private_key_pem(pw).take(); }
    void save_keys(const std::string &dir, std::string_view pw = {}) const { try_save_keys(dir, pw).take(); }
    void rotate_keys() const { try_rotate_keys().take(); }
    std::string public_key() const { return try_public_key().take(); }
    ServerKey server_key() const { return try_server_key().take(); }
    std::string tls_chain() const { return try_tls_chain().take(); }
#endif

private:
    Client(nomyo_client *owned, std::shared_ptr<LogFunction> log) noexcept : Handle(owned, {std::move(log)}) {}

    /** A call of this client. The log function may destroy the client meanwhile: `log` keeps the function until the call ends. */
    template <class F, class... A> std::optional<Failure> call(F *function, const A &...arguments) const noexcept {
        const std::shared_ptr<LogFunction> log = release().log;
        return detail::call(function, *this, arguments...);
    }
    template <class F> Result<std::string> text(F *function) const noexcept {
        nomyo_text *out = nullptr;
        if (auto failure = call(function, &out)) return std::move(*failure);
        const detail::Text owned(out);
        return detail::allocating([&] { return detail::copied(owned); });
    }
};

NOMYO_HPP_END

#endif // NOMYO_CLIENT_HPP
