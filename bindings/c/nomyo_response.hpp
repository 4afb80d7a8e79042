/*
 * nomyo_response.hpp: a decrypted answer and its choices. Part of nomyo.hpp, which includes it.
 */

#ifndef NOMYO_RESPONSE_HPP
#define NOMYO_RESPONSE_HPP

#include "nomyo_result.hpp"

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#if __cplusplus >= 202002L && __has_include(<ranges>)
#include <ranges>
#endif

NOMYO_HPP_BEGIN

namespace detail {

/** A text of an answer: `function` with these arguments. NULL is std::nullopt. */
template <class F, class... A>
std::optional<std::string_view> view(F *function, const nomyo_response *response, const A &...arguments) noexcept {
    std::size_t size = 0;
    const char *data = function(response, arguments..., &size);
    return data ? std::make_optional<std::string_view>(data, size) : std::nullopt;
}

} // namespace detail

/** A tool call that a model asks for. Its texts live as long as the answer. Nobody has checked that `arguments` is JSON. */
struct ToolCall {
    std::optional<std::string_view> id, name, arguments;
};

/** One choice of an answer. It is a view: its texts live as long as the answer, also if the Response is moved. */
class Choice {
public:
    using Text = std::optional<std::string_view>;

    Choice(const nomyo_response *response, std::size_t index) noexcept : response_(response), index_(index) {}

    /** The position among the choices, from 0. */
    std::size_t index() const noexcept { return index_; }
    /** The text. It is usually absent if there are tool calls. */
    Text content() const noexcept { return detail::view(nomyo_response_content, response_, index_); }
    /** The reasoning of a model: the message's `reasoning_content` if it is a string, otherwise its `reasoning`. */
    Text reasoning() const noexcept { return detail::view(nomyo_response_reasoning, response_, index_); }
    /** The message's `tool_calls` as JSON. */
    Text tool_calls() const noexcept { return detail::view(nomyo_response_tool_calls, response_, index_); }
    /** The number of tool calls: at most 1024. Further ones are in tool_calls() alone. */
    std::size_t tool_call_count() const noexcept { return nomyo_response_tool_call_count(response_, index_); }
    /** A tool call by its position, from 0. The texts of one that does not exist are absent. */
    ToolCall tool_call(std::size_t call) const noexcept {
        return {detail::view(nomyo_response_tool_call_id, response_, index_, call),
                detail::view(nomyo_response_tool_call_name, response_, index_, call),
                detail::view(nomyo_response_tool_call_arguments, response_, index_, call)};
    }
    /** The reason why the choice ended: `stop`, `length`, `tool_calls` or `content_filter`. */
    Text finish_reason() const noexcept { return detail::view(nomyo_response_finish_reason, response_, index_); }

private:
    const nomyo_response *response_;
    std::size_t index_;
};

/** The choices of an answer, a view of random access. It and its iterators live as long as the answer. */
class Choices {
public:
    class iterator {
        struct Arrow {
            Choice choice;
            const Choice *operator->() const noexcept { return &choice; }
        };

    public:
        using iterator_concept = std::random_access_iterator_tag;
        using iterator_category = std::input_iterator_tag; // C++17 asks of others that they refer to an object
        using value_type = Choice;
        using difference_type = std::ptrdiff_t;
        using reference = Choice;
        using pointer = Arrow;

        iterator() noexcept = default;
        iterator(const nomyo_response *response, difference_type index) noexcept : response_(response), index_(index) {}

        Choice operator*() const noexcept { return {response_, static_cast<std::size_t>(index_)}; }
        Arrow operator->() const noexcept { return {**this}; }
        Choice operator[](difference_type n) const noexcept { return *(*this + n); }
        iterator &operator+=(difference_type n) noexcept { index_ += n; return *this; }
        iterator &operator-=(difference_type n) noexcept { index_ -= n; return *this; }
        iterator &operator++() noexcept { return *this += 1; }
        iterator &operator--() noexcept { return *this -= 1; }
        iterator operator++(int) noexcept { const iterator before = *this; ++*this; return before; }
        iterator operator--(int) noexcept { const iterator before = *this; --*this; return before; }
        friend iterator operator+(iterator a, difference_type n) noexcept { return a += n; }
        friend iterator operator+(difference_type n, iterator a) noexcept { return a += n; }
        friend iterator operator-(iterator a, difference_type n) noexcept { return a -= n; }
        friend difference_type operator-(iterator a, iterator b) noexcept { return a.index_ - b.index_; }
        friend bool operator==(iterator a, iterator b) noexcept { return a.index_ == b.index_; }
        friend bool operator!=(iterator a, iterator b) noexcept { return a.index_ != b.index_; }
        friend bool operator<(iterator a, iterator b) noexcept { return a.index_ < b.index_; }
        friend bool operator>(iterator a, iterator b) noexcept { return a.index_ > b.index_; }
        friend bool operator<=(iterator a, iterator b) noexcept { return a.index_ <= b.index_; }
        friend bool operator>=(iterator a, iterator b) noexcept { return a.index_ >= b.index_; }

    private:
        const nomyo_response *response_ = nullptr;
        difference_type index_ = 0;
    };

    explicit Choices(const nomyo_response *response) noexcept : response_(response) {}

    iterator begin() const noexcept { return {response_, 0}; }
    iterator end() const noexcept { return {response_, static_cast<std::ptrdiff_t>(size())}; } // at most 1024
    std::size_t size() const noexcept { return nomyo_response_choices(response_); }
    bool empty() const noexcept { return size() == 0; }
    /** The texts of a choice that does not exist are absent. */
    Choice operator[](std::size_t index) const noexcept { return {response_, index}; }

private:
    const nomyo_response *response_;
};

/**
 * A decrypted answer, wiped when destroyed. A text that is absent is std::nullopt. If the object was moved from, its functions
 * throw ArgumentError. Under -fno-exceptions the answer then reads as empty.
 */
class Response : public detail::Handle<nomyo_response, detail::Free<nomyo_response_free>> {
public:
    using Text = std::optional<std::string_view>;

    /** Takes ownership of a response of nomyo.h. */
    explicit Response(nomyo_response *owned) noexcept : Handle(owned) {}

    /** The whole answer as JSON. */
    std::string_view json() const & { return detail::view(nomyo_response_json, get()).value_or(""); }
    std::string_view json() const && = delete;
    /** The choices: `for (auto choice : answer.choices())`. */
    Choices choices() const & { return Choices(get()); }
    Choices choices() const && = delete;
    /** The texts of a choice, as Choice has them. */
    Text content(std::size_t choice = 0) const & { return choices()[choice].content(); }
    Text content(std::size_t choice = 0) const && = delete;
    Text reasoning(std::size_t choice = 0) const & { return choices()[choice].reasoning(); }
    Text reasoning(std::size_t choice = 0) const && = delete;
    Text tool_calls(std::size_t choice = 0) const & { return choices()[choice].tool_calls(); }
    Text tool_calls(std::size_t choice = 0) const && = delete;
    Text finish_reason(std::size_t choice = 0) const & { return choices()[choice].finish_reason(); }
    Text finish_reason(std::size_t choice = 0) const && = delete;
    /**
     * The value at a JSON Pointer such as `/usage/total_tokens`, as JSON. The empty pointer is the whole answer. A pointer that
     * contains a NUL is an ArgumentError. Under -fno-exceptions it has no value.
     */
    Text pointer(const std::string &rfc6901) const & {
        if (auto failure = detail::Argument::fault(rfc6901)) {
#ifdef __cpp_exceptions
            detail::raise(std::move(*failure));
#else
            return std::nullopt;
#endif
        }
        return detail::view(nomyo_response_pointer, get(), rfc6901.c_str());
    }
    Text pointer(const std::string &rfc6901) const && = delete;
    /** The verdict on the answer's TPM quote. */
    nomyo_attestation attestation() const {
        nomyo_attestation verdict{};
        // Fails for a NULL argument only, and the verdict is then NOMYO_ATTESTATION_ABSENT.
        (void)nomyo_response_attestation(get(), &verdict, sizeof verdict);
        return verdict;
    }
    /** Every check of the quote as JSON: its name, its result and the reason. */
    std::string_view attestation_report() const & {
        return detail::view(nomyo_response_attestation_report, get()).value_or("");
    }
    std::string_view attestation_report() const && = delete;
    /** The id of the request: 36 characters. */
    std::string_view payload_id() const & { return known(nomyo_response_payload_id(get())); }
    std::string_view payload_id() const && = delete;
    /** The X-Request-ID of the HTTP response. Empty if it had none. UNTRUSTED: nobody has authenticated it. */
    std::string_view request_id() const & { return known(nomyo_response_request_id(get())); }
    std::string_view request_id() const && = delete;
    /**
     * A header of the HTTP response, its name in any case. Empty if it had none, and for a name with a NUL. UNTRUSTED: nobody has
     * authenticated it.
     */
    std::string_view header(const std::string &name) const & {
        return name.find('\0') == std::string::npos ? known(nomyo_response_header(get(), name.c_str())) : std::string_view();
    }
    std::string_view header(const std::string &name) const && = delete;
    /** All headers of the HTTP response, as a JSON object of strings with names in small letters. Empty if there were none. */
    std::string_view headers() const & { return detail::view(nomyo_response_headers, get()).value_or(""); }
    std::string_view headers() const && = delete;
    /** The tokens that the request has used. A number is -1 if the answer does not have it. */
    nomyo_usage usage() const {
        nomyo_usage usage{-1, -1, -1, -1, -1};
        (void)nomyo_response_usage(get(), &usage, sizeof usage); // fails for a NULL argument only
        return usage;
    }
    /** The number of times that the request was sent. 0 for an answer of Client::open(). */
    uint32_t attempts() const { return nomyo_response_attempts(get()); }

private:
    static std::string_view known(const char *text) noexcept { return text ? std::string_view(text) : std::string_view(); }
};

NOMYO_HPP_END

#if defined(__cpp_lib_ranges)
template <> inline constexpr bool std::ranges::enable_view<nomyo::Choices> = true;
template <> inline constexpr bool std::ranges::enable_borrowed_range<nomyo::Choices> = true;
#endif

#endif // NOMYO_RESPONSE_HPP
