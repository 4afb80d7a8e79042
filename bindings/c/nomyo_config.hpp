/*
 * nomyo_config.hpp: the settings of a client. Part of nomyo.hpp, which includes it.
 */

#ifndef NOMYO_CONFIG_HPP
#define NOMYO_CONFIG_HPP

#include "nomyo_attestation.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

NOMYO_HPP_BEGIN

/**
 * Receives a log line: one of the NOMYO_LOG_ levels, and text that is gone when the function returns. No line holds a prompt, an
 * answer, a key or a password. The function runs on the thread of the call, on several threads at once. Its exceptions are
 * dropped. It may destroy the Client, the Config, the CallOptions, the Cancel and the SealedRequest of its call. It must not
 * make calls with the library.
 */
using LogFunction = std::function<void(int32_t level, std::string_view line)>;

/** The settings of a client. The environment is read by load_env() alone. */
class Config : public detail::Settings<Config, nomyo_config, nomyo_config_free> {
public:
    Config() : Settings(nomyo_config_new()) { binding("cpp/" + std::string(nomyo_version())); }

    /**
     * Reads NOMYO_API_KEY, NOMYO_BASE_URL, NOMYO_KEY_DIR, NOMYO_KEY_PASSWORD, NOMYO_KEY_GROUP_READ, NOMYO_SERVER_KEY_PIN,
     * NOMYO_TLS_PIN, the proxy variables, SSL_CERT_FILE and SSL_CERT_DIR. No other thread may change the environment meanwhile.
     */
    Config &load_env() { return set(nomyo_config_load_env); }
    /** The server: `https://host[:port][/path]`. Default: `https://api.nomyo.ai`. */
    Config &base_url(const std::string &url) { return set(nomyo_config_set_base_url, url); }
    /** The API key, which is copied. Default: empty, and none is sent. */
    Config &api_key(std::string_view key) { return set(nomyo_config_set_api_key, detail::bytes(key), key.size()); }
    /** WARNING: without TLS the API key can be read and the server's key replaced. For a server on the same machine. */
    Config &allow_http(bool yes = true) { return set(nomyo_config_set_allow_http, int32_t{yes}); }
    /** The timeout of a whole call, and of every other function that blocks. Default: 15 minutes. */
    Config &timeout(std::chrono::milliseconds total) { return set(nomyo_config_set_timeout_ms, detail::count(total)); }
    /** The timeout for DNS, TCP and TLS of one connection. Default: 10 s. */
    Config &connect_timeout(std::chrono::milliseconds total) {
        return set(nomyo_config_set_connect_timeout_ms, detail::count(total));
    }
    /** Trusts the certificate authorities in this PEM file, read now, instead of the platform's trust store. */
    Config &ca_file(const std::string &pem) { return set(nomyo_config_set_ca_file, pem); }
    /** Trusts the certificate authorities in this PEM text too, beside the trust store or the CA file. Repeatable. */
    Config &add_ca_pem(std::string_view pem) { return set(nomyo_config_add_ca_pem, detail::bytes(pem), pem.size()); }
    /** Shows a client certificate to a server that asks for one (mutual TLS). Both PEM files are read now. The key is not encrypted. */
    Config &client_certificate(const std::string &certificate, const std::string &key) {
        return set(nomyo_config_set_client_certificate, certificate, key);
    }
    /** As client_certificate(), from two PEM texts. The key is copied. */
    Config &client_certificate_pem(std::string_view certificate, std::string_view key) {
        return set(nomyo_config_set_client_certificate_pem, detail::bytes(certificate), certificate.size(), detail::bytes(key),
                   key.size());
    }
    /** NOMYO_MEMORY_OFF, _PREFER (the default) or _REQUIRE: the reaction if the system refuses to lock memory. */
    Config &memory_policy(int32_t policy) { return set(nomyo_config_set_memory_policy, policy); }
    /** The number of retries of a failed call: 0 to 10. With 0 no POST is sent twice. Default: 2. */
    Config &max_retries(uint32_t n) { return set(nomyo_config_set_max_retries, n); }
    /** The proxy: `http://`, `https://`, `socks5://` or `socks5h://`. Empty: none. Default: none. */
    Config &proxy(const std::string &url) { return set(nomyo_config_set_proxy, url); }
    /** The rate limit of all of the client's threads together. Default: none. */
    Config &rate_limit(double per_second, uint32_t burst) {
        return set(nomyo_config_set_rate_limit, per_second, burst);
    }
    /** Adds a header to each request, for a gateway in front of the server. A name that was given before gets the new value. */
    Config &header(const std::string &name, std::string_view value) {
        return set(nomyo_config_set_header, name, detail::bytes(value), value.size());
    }
    /** The largest answer that is read, in bytes. Default: 64 MiB. */
    Config &response_limit(uint64_t bytes) { return set(nomyo_config_set_response_limit, bytes); }
    /** The directory of the client's key pair: the pair is loaded from it, or generated into it. Default: none. */
    Config &key_dir(const std::string &dir) { return set(nomyo_config_set_key_dir, dir); }
    /** The password of the private file in the key directory. It is copied. */
    Config &key_password(std::string_view pw) {
        return set(nomyo_config_set_key_password, detail::bytes(pw), pw.size());
    }
    /** The age at which a key pair is replaced. Zero means never. Default: a day. */
    Config &key_rotation(std::chrono::milliseconds after) {
        return set(nomyo_config_set_key_rotation_ms, detail::count(after));
    }
    /** Whether a private file that belongs to root may be readable by its group, as in a Secret volume. Default: false. */
    Config &key_group_read(bool yes = true) { return set(nomyo_config_set_key_group_read, int32_t{yes}); }
    /** Accepts a key of the server: SHA-256 of its SPKI, in hex or as `sha256/` and base64. Repeatable. */
    Config &add_server_key_pin(const std::string &sha256) {
        return set(nomyo_config_add_server_key_pin, sha256);
    }
    /**
     * Requires a certificate in the verified TLS chain (leaf, intermediate or root) whose SPKI has this SHA-256, in hex or
     * as `sha256/` and base64. Repeatable: one match suffices. Checked before the API key or a prompt leaves. A connection
     * without a match is a PinError.
     */
    Config &add_tls_pin(const std::string &sha256) { return set(nomyo_config_add_tls_pin, sha256); }
    /** Whether TLS offers the post-quantum key share X25519MLKEM768. Default: true. */
    Config &set_post_quantum(bool yes) { return set(nomyo_config_set_post_quantum, int32_t{yes}); }
    /** The file that stores the server's key at first use. Any other key is refused from then on. Default: none. */
    Config &known_servers(const std::string &file) {
        return set(nomyo_config_set_known_servers, file);
    }
    /** The age at which the server's key is fetched again. Default: 5 minutes. */
    Config &server_key_ttl(std::chrono::milliseconds ttl) {
        return set(nomyo_config_set_server_key_ttl_ms, detail::count(ttl));
    }
    /** The minimum that an answer's TPM quote must prove. The policy is copied. */
    Config &attestation(const AttestationPolicy &policy) { return set(nomyo_config_set_attestation, policy); }
    /** The caller's name in the User-Agent: `name/version`. */
    Config &binding(const std::string &name) { return set(nomyo_config_set_binding, name); }

    /**
     * Calls `function` for log lines of one of the NOMYO_LOG_ levels and more important ones. An empty function ends that.
     * Default: no log. The clients of this configuration share the function, and it is destroyed after the last of them.
     */
    Config &log(int32_t level, LogFunction function) {
        if (!function) {
            set(nomyo_config_set_log, level, static_cast<nomyo_log_fn>(nullptr), static_cast<void *>(nullptr));
            return *this; // the function before lives on: C may still have it after a failure
        }
        auto shared = std::make_shared<LogFunction>(std::move(function));
        set(nomyo_config_set_log, level, &write, static_cast<void *>(shared.get()));
#ifndef __cpp_exceptions
        if (failure()) return *this; // the configuration still has the function before
#endif
        log_ = std::move(shared);
        return *this;
    }

private:
    friend class Client;
    static void write(void *function, int32_t level, const char *line, std::size_t size) noexcept {
#ifdef __cpp_exceptions
        try {
            (*static_cast<LogFunction *>(function))(level, std::string_view(line, size));
        } catch (...) { // no exception may cross the library
        }
#else
        (*static_cast<LogFunction *>(function))(level, std::string_view(line, size));
#endif
    }
    std::shared_ptr<LogFunction> log_;
};

NOMYO_HPP_END

#endif // NOMYO_CONFIG_HPP
