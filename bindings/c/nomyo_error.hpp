/*
 * nomyo_error.hpp: the failures of nomyo.hpp, which includes it. As a value they are a Failure. As an exception they are an
 * Error, which does not exist under -fno-exceptions.
 */

#ifndef NOMYO_ERROR_HPP
#define NOMYO_ERROR_HPP

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

/*
 * Under -fno-exceptions the classes have other members, and therefore other names for the linker. Files that are compiled
 * with and without exceptions can be linked into one program. An object cannot be passed between them: that does not link.
 */
#ifdef __cpp_exceptions
#define NOMYO_HPP_BEGIN namespace nomyo {
#define NOMYO_HPP_END }
#else
#define NOMYO_HPP_BEGIN namespace nomyo { inline namespace without_exceptions {
#define NOMYO_HPP_END } }
#endif

NOMYO_HPP_BEGIN

/** How much of a failed request the server may have received. */
enum class Sent {
    no = NOMYO_SENT_NO,       /**< No byte of the request's package left this process, in any attempt. */
    maybe = NOMYO_SENT_MAYBE, /**< Bytes left in an attempt without an answer: the server may have processed the request. */
    yes = NOMYO_SENT_YES,     /**< Every attempt that left was answered; the error reports the last answer. */
};

/** The reason of a failed call, as a value. Copies share one error. Any number of threads may read a Failure at once. */
class Failure {
public:
    /** Takes ownership of an error of nomyo.h. NULL if there was no memory for one. */
    Failure(int32_t status, nomyo_error *owned) noexcept : status_(status) {
#ifdef __cpp_exceptions
        try {
            error_.reset(owned, nomyo_error_free);
        } catch (const std::bad_alloc &) { // the error is freed, and its details are lost
        }
#else
        error_.reset(owned, nomyo_error_free);
#endif
    }
    /** A failure of a call that sent nothing. `literal` is its message, and must live as long as the program. */
    Failure(int32_t status, const char *literal) noexcept : status_(status), literal_(literal) {}

    /** One of the NOMYO_ERR_ numbers. */
    int32_t status() const noexcept { return status_; }
    /** One sentence: the cause and the remedy. It never contains prompt text, keys or the server's words. */
    const char *message() const noexcept {
        if (error_) return nomyo_error_message(error_.get());
        return literal_ ? literal_ : "the call failed, and there was no memory for the details";
    }
    /** The HTTP status of the server's answer. 0 if there was no answer. */
    int32_t http_status() const noexcept { return nomyo_error_http_status(error_.get()); }
    /** The delay that the server requested before the next attempt, if it requested one. */
    std::optional<std::chrono::milliseconds> retry_after() const noexcept {
        const int64_t ms = nomyo_error_retry_after_ms(error_.get());
        return ms < 0 ? std::nullopt : std::make_optional(std::chrono::milliseconds(ms));
    }
    /** Whether the same call may succeed if it is repeated soon. It may also run twice: see sent(). */
    bool retryable() const noexcept { return nomyo_error_retryable(error_.get()) != 0; }
    /** The number of POSTs, or of key fetches if no POST was made. */
    uint32_t attempts() const noexcept { return nomyo_error_attempts(error_.get()); }
    /**
     * How much of the request the server may have. Sent::no for calls that send no prompt. Sent::maybe if there was no memory
     * for the details.
     */
    Sent sent() const noexcept {
        if (!error_ && !literal_) return Sent::maybe; // the details are lost
        return static_cast<Sent>(nomyo_error_sent(error_.get()));
    }
    /** The id of the failed request in the server's log: 36 characters. Empty if no request was sealed. */
    std::string_view payload_id() const noexcept {
        const char *id = nomyo_error_payload_id(error_.get());
        return id ? std::string_view(id) : std::string_view();
    }
    /** The X-Request-ID of the last HTTP response. Empty if it had none. UNTRUSTED: nobody has authenticated it. */
    std::string_view request_id() const noexcept {
        const char *id = nomyo_error_request_id(error_.get());
        return id ? std::string_view(id) : std::string_view();
    }
    /** A header of the last HTTP response, its name in any case. Empty if there was none, and for a name with a NUL. UNTRUSTED. */
    std::string_view header(const std::string &name) const noexcept {
        const bool whole = name.find('\0') == std::string::npos;
        const char *value = whole ? nomyo_error_header(error_.get(), name.c_str()) : nullptr;
        return value ? std::string_view(value) : std::string_view();
    }
    /** All headers of the last HTTP response, as a JSON object of strings. Empty if there was no response. UNTRUSTED. */
    std::string_view headers() const noexcept {
        std::size_t size = 0;
        const char *data = nomyo_error_headers(error_.get(), &size);
        return data ? std::string_view(data, size) : std::string_view();
    }
    /**
     * The body of the server's error answer: at most 64 KiB of any bytes, empty if there was none. UNTRUSTED: nobody has
     * authenticated the body. Lives as long as this object.
     */
    std::string_view details() const noexcept {
        std::size_t size = 0;
        const char *data = nomyo_error_details(error_.get(), &size);
        return data ? std::string_view(data, size) : std::string_view();
    }

private:
    std::shared_ptr<const nomyo_error> error_;
    int32_t status_;
    const char *literal_ = nullptr;
};

#ifdef __cpp_exceptions

/** A Failure as an exception. what() is its message. */
class Error : public std::runtime_error {
public:
    explicit Error(Failure failure) : std::runtime_error(failure.message()), failure_(std::move(failure)) {}

    int32_t status() const noexcept { return failure_.status(); }
    int32_t http_status() const noexcept { return failure_.http_status(); }
    std::optional<std::chrono::milliseconds> retry_after() const noexcept { return failure_.retry_after(); }
    bool retryable() const noexcept { return failure_.retryable(); }
    uint32_t attempts() const noexcept { return failure_.attempts(); }
    Sent sent() const noexcept { return failure_.sent(); }
    /** As Failure::payload_id(); lives as long as a copy of this error. */
    std::string_view payload_id() const noexcept { return failure_.payload_id(); }
    /** As Failure::request_id(); lives as long as a copy of this error. */
    std::string_view request_id() const noexcept { return failure_.request_id(); }
    /** As Failure::header(); lives as long as a copy of this error. */
    std::string_view header(const std::string &name) const noexcept { return failure_.header(name); }
    /** As Failure::headers(); lives as long as a copy of this error. */
    std::string_view headers() const noexcept { return failure_.headers(); }
    /** As Failure::details(); lives as long as a copy of this error. */
    std::string_view details() const noexcept { return failure_.details(); }
    /** The failure. A copy of it may outlive this error. */
    const Failure &failure() const noexcept { return failure_; }

private:
    Failure failure_;
};

class ArgumentError : public Error { using Error::Error; };   // an argument cannot be used
class CancelledError : public Error { using Error::Error; };  // Cancel::trigger() ended the call
class ForkedError : public Error { using Error::Error; };     // a parent process made the client, or set the credentials
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
    switch (status) {
    case NOMYO_ERR_ARGUMENT: throw ArgumentError(std::move(failure));
    case NOMYO_ERR_CANCELLED: throw CancelledError(std::move(failure));
    case NOMYO_ERR_FORKED: throw ForkedError(std::move(failure));
    case NOMYO_ERR_CONNECTION: throw ConnectionError(std::move(failure));
    case NOMYO_ERR_TIMEOUT: throw TimeoutError(std::move(failure));
    case NOMYO_ERR_PROTOCOL: throw ProtocolError(std::move(failure));
    case NOMYO_ERR_SECURITY: throw SecurityError(std::move(failure));
    case NOMYO_ERR_PIN: throw PinError(std::move(failure));
    case NOMYO_ERR_ATTESTATION: throw AttestationError(std::move(failure));
    case NOMYO_ERR_KEY: throw KeyError(std::move(failure));
    case NOMYO_ERR_IO: throw FileError(std::move(failure));
    case NOMYO_ERR_BAD_REQUEST: throw BadRequestError(std::move(failure));
    case NOMYO_ERR_AUTHENTICATION: throw AuthenticationError(std::move(failure));
    case NOMYO_ERR_FORBIDDEN: throw ForbiddenError(std::move(failure));
    case NOMYO_ERR_NOT_FOUND: throw NotFoundError(std::move(failure));
    case NOMYO_ERR_RATE_LIMIT: throw RateLimitError(std::move(failure));
    case NOMYO_ERR_SERVER: throw ServerError(std::move(failure));
    case NOMYO_ERR_UNAVAILABLE: throw UnavailableError(std::move(failure));
    case NOMYO_ERR_HTTP: throw HttpError(std::move(failure));
    default: throw Error(std::move(failure));
    }
}

} // namespace detail

#endif // __cpp_exceptions

NOMYO_HPP_END

#endif // NOMYO_ERROR_HPP
