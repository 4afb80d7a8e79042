/*
 * nomyo_options.hpp: the options of one call, and how to cancel it. Part of nomyo.hpp, which includes it.
 */

#ifndef NOMYO_OPTIONS_HPP
#define NOMYO_OPTIONS_HPP

#include "nomyo_result.hpp"

#include <chrono>
#include <string>
#include <string_view>

NOMYO_HPP_BEGIN

/** Cancels the calls that have it, from any thread. It stays triggered. */
class Cancel : public detail::Settings<Cancel, nomyo_cancel, nomyo_cancel_free> {
public:
    Cancel() : Settings(nomyo_cancel_new()) {}
    void trigger() const noexcept { nomyo_cancel_trigger(peek()); }
};

/** Options of one call, or of a client from Client::with_options(). They override the client's. */
class CallOptions : public detail::Settings<CallOptions, nomyo_call_options, nomyo_call_options_free> {
public:
    CallOptions() : Settings(nomyo_call_options_new()) {}

    /** `standard`, `high` or `maximum`. SecurityError if the answer was made at a lower tier. */
    CallOptions &security_tier(const std::string &tier) { return set(nomyo_call_options_set_security_tier, tier); }
    /** Replaces the client's API key. An empty key sends none. It is copied. */
    CallOptions &api_key(std::string_view key) { return set(nomyo_call_options_set_api_key, detail::bytes(key), key.size()); }
    /** Replaces the client's timeout. */
    CallOptions &timeout(std::chrono::milliseconds total) { return set(nomyo_call_options_set_timeout_ms, detail::count(total)); }
    /** Lets `c` cancel the call. It is shared: `c` may be destroyed first. */
    CallOptions &cancel(const Cancel &c) { return set(nomyo_call_options_set_cancel, c); }
};

NOMYO_HPP_END

#endif // NOMYO_OPTIONS_HPP
