/*
 * nomyo_result.hpp: the value or the failure of a call that throws nothing, and how every call of nomyo.hpp reaches nomyo.h.
 */

#ifndef NOMYO_RESULT_HPP
#define NOMYO_RESULT_HPP

#include "nomyo_error.hpp"

#include <chrono>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

NOMYO_HPP_BEGIN

namespace detail {

/** Ends a take() that has no value. */
[[noreturn]] inline void refuse(Failure failure) {
#ifdef __cpp_exceptions
    raise(std::move(failure));
#else
    (void)failure;
    std::abort();
#endif
}

} // namespace detail

/** The outcome of a call that throws nothing: a value or a Failure. */
template <class T> class [[nodiscard]] Result {
public:
    Result(T value) noexcept : value_(std::in_place_index<0>, std::move(value)) {}
    Result(Failure failure) noexcept : value_(std::in_place_index<1>, std::move(failure)) {}

    explicit operator bool() const noexcept { return value_.index() == 0; }
    /** The value, or NULL after a failure. Lives as long as this object. */
    const T *operator->() const & noexcept { return std::get_if<0>(&value_); }
    const T *operator->() const && = delete;
    /** The failure, or NULL after a success. Lives as long as this object. */
    const Failure *failure() const & noexcept { return std::get_if<1>(&value_); }
    const Failure *failure() const && = delete;
    /** The value. If there is a failure, take() throws it. Under -fno-exceptions take() then ends the process with abort(). */
    T take() && {
        if (auto *failure = std::get_if<1>(&value_)) detail::refuse(std::move(*failure));
        return std::move(*std::get_if<0>(&value_));
    }

private:
    std::variant<T, Failure> value_;
};

/** The outcome of a call that returns nothing. */
template <> class [[nodiscard]] Result<void> {
public:
    Result() noexcept = default;
    Result(std::optional<Failure> failure) noexcept : failure_(std::move(failure)) {}

    explicit operator bool() const noexcept { return !failure_; }
    /** The failure, or NULL after a success. Lives as long as this object. */
    const Failure *failure() const & noexcept { return failure_ ? &*failure_ : nullptr; }
    const Failure *failure() const && = delete;
    /** Throws the failure, if there is one. Under -fno-exceptions it then ends the process with abort(). */
    void take() && {
        if (failure_) detail::refuse(std::move(*failure_));
    }

private:
    std::optional<Failure> failure_;
};

namespace detail {

inline const uint8_t *bytes(std::string_view s) noexcept { return reinterpret_cast<const uint8_t *>(s.data()); }

/** Milliseconds for C. A negative duration becomes 0, which the library refuses as a timeout. */
inline uint64_t count(std::chrono::milliseconds ms) noexcept {
    return ms.count() < 0 ? 0 : static_cast<uint64_t>(ms.count());
}

template <auto release> struct Free {
    template <class T> void operator()(T *owned) const noexcept { release(owned); }
};

struct AnyHandle {};

/** Owns one handle of nomyo.h. */
template <class T, class Release> class Handle : public AnyHandle {
public:
    explicit Handle(T *owned, Release release = Release()) noexcept : owned_(owned, std::move(release)) {}

    /**
     * The handle, for functions of nomyo.h. This object keeps the ownership. Throws ArgumentError if this object was moved
     * from, because some functions of nomyo.h take NULL for the defaults. NULL then under -fno-exceptions: check it.
     */
    T *get() const {
#ifdef __cpp_exceptions
        if (!owned_) raise(*fault());
#endif
        return owned_.get();
    }

protected:
    /** The reason why this object cannot be used. */
    std::optional<Failure> fault() const noexcept {
        if (owned_) return std::nullopt;
        return Failure(NOMYO_ERR_ARGUMENT, "the object was moved from, or there was no memory to make it");
    }
    T *peek() const noexcept { return owned_.get(); }
    const Release &release() const noexcept { return owned_.get_deleter(); }

private:
    friend struct Argument;
    std::unique_ptr<T, Release> owned_;
};

/** An argument of a call, as C takes it. */
struct Argument {
    /** The reason why it cannot be passed. */
    template <class A> static std::optional<Failure> fault(const A &argument) noexcept {
        if constexpr (std::is_same_v<A, std::string>) {
            // C would silently read only the text before the NUL.
            if (argument.find('\0') != std::string::npos) return Failure(NOMYO_ERR_ARGUMENT, "the text contains a NUL");
        } else if constexpr (std::is_base_of_v<AnyHandle, A>) {
            return argument.fault();
        } else if constexpr (std::is_base_of_v<AnyHandle, std::remove_pointer_t<A>>) {
            if (argument) return argument->fault();
        }
        return std::nullopt;
    }
    template <class A> static auto of(const A &argument) noexcept {
        if constexpr (std::is_same_v<A, std::string>) return argument.c_str();
        else if constexpr (std::is_base_of_v<AnyHandle, A>) return argument.peek();
        else if constexpr (std::is_base_of_v<AnyHandle, std::remove_pointer_t<A>>) return argument ? argument->peek() : nullptr;
        else return argument;
    }
};

/** Calls a function of nomyo.h with these arguments and an output for its error. Returns the failure, if there is one. */
template <class F, class... A> std::optional<Failure> call(F *function, const A &...arguments) noexcept {
    std::optional<Failure> failure;
    if (((failure = Argument::fault(arguments)).has_value() || ...)) return failure;
    nomyo_error *error = nullptr;
    const int32_t status = function(Argument::of(arguments)..., &error);
    if (status != NOMYO_OK) failure.emplace(status, error);
    return failure;
}

/** A handle that setters change. */
template <class Self, class T, auto release> class Settings : public Handle<T, Free<release>> {
    using Base = Handle<T, Free<release>>;

public:
#ifndef __cpp_exceptions
    /** The first failure of a setter, or NULL. A call that takes this object fails with it. Lives as long as this object. */
    const Failure *failure() const & noexcept { return failure_ ? &*failure_ : nullptr; }
    const Failure *failure() const && = delete;
#endif

protected:
#ifdef __cpp_exceptions
    explicit Settings(T *owned) : Base(owned) {
        if (!owned) throw std::bad_alloc();
    }
#else
    explicit Settings(T *owned) noexcept : Base(owned) {
        if (!owned) failure_.emplace(NOMYO_ERR_MEMORY, "there was no memory for the object");
    }
#endif
    /** Calls a setter. Its failure is thrown, or kept under -fno-exceptions. */
    template <class F, class... A> Self &set(F *function, const A &...arguments) {
#ifdef __cpp_exceptions
        if (auto failure = detail::call(function, static_cast<const Base &>(*this), arguments...)) raise(std::move(*failure));
#else
        if (!failure_) failure_ = detail::call(function, static_cast<const Base &>(*this), arguments...);
#endif
        return static_cast<Self &>(*this);
    }

private:
#ifndef __cpp_exceptions
    friend struct Argument;
    std::optional<Failure> fault() const noexcept { return failure_ ? failure_ : Base::fault(); }
    std::optional<Failure> failure_;
#endif
};

/** Makes a value that allocates by itself. */
template <class F> auto allocating(F make) noexcept -> Result<decltype(make())> {
#ifdef __cpp_exceptions
    try {
        return make();
    } catch (const std::bad_alloc &) {
        return Failure(NOMYO_ERR_MEMORY, "there was no memory for the result");
    }
#else
    return make();
#endif
}

using Text = std::unique_ptr<nomyo_text, Free<nomyo_text_free>>;

inline std::string copied(const Text &text) {
    std::size_t size = 0;
    const char *data = nomyo_text_data(text.get(), &size);
    return data ? std::string(data, size) : std::string();
}

} // namespace detail

NOMYO_HPP_END

#endif // NOMYO_RESULT_HPP
