/*
 * nomyo.hpp: nomyo.h for C++17. Installed beside the headers nomyo_*.hpp, which it includes. Link with -lnomyo.
 *
 *     nomyo::Client client(nomyo::Config().api_key(key));
 *     nomyo::Response answer = client.create(R"({"model": "m", "messages": [{"role": "user", "content": "Hello"}]})");
 *     std::cout << answer.content().value_or("");
 *
 * Ownership  Each class owns one handle of nomyo.h, can be moved and not copied, and releases the handle when destroyed.
 * Views      A returned std::string_view or Choice points into the handle. It is valid until the object is destroyed or
 *            assigned to. Moving the object keeps the view valid. A view cannot be taken from a temporary Response,
 *            SealedRequest, Result or Secret.
 * Errors     Every failure is an exception derived from nomyo::Error, or std::bad_alloc. A moved-from handle throws
 *            ArgumentError when used, except that Cancel::trigger() does nothing. A moved-from Secret is empty. Each function of Client that can fail has a twin try_..., which throws nothing and
 *            returns a Result: the value or a Failure.
 * No exceptions
 *            Under -fno-exceptions nothing throws, and the functions that would do not exist: use the twins. A setter that
 *            fails keeps its failure, and every call that takes the object fails with that failure. Without memory the C++
 *            standard library ends the process. Result::take() of a failure ends the process too.
 * Deadlines  Every function of Client that can block ends at the client's timeout. Client::with_options() sets another
 *            timeout or a Cancel for them.
 * Threads    `const` members may be called on any number of threads at once, other members on one thread at a time.
 *            Destroy a Client only when no call with it is running.
 * Secrets    A destroyed Response wipes its text. The library cannot wipe a std::string that you copy the text into, nor
 *            the request that you pass in: see Secret and wipe().
 */

#ifndef NOMYO_HPP
#define NOMYO_HPP

#include "nomyo_client.hpp" // and through it:
#include "nomyo_attestation.hpp"
#include "nomyo_config.hpp"
#include "nomyo_error.hpp"
#include "nomyo_options.hpp"
#include "nomyo_response.hpp"
#include "nomyo_result.hpp"
#include "nomyo_secret.hpp"

#include <nomyo.h>

#include <string_view>

NOMYO_HPP_BEGIN

/** The version of the library that is loaded, such as "0.1.0". */
inline std::string_view version() noexcept { return nomyo_version(); }

NOMYO_HPP_END

#endif // NOMYO_HPP
