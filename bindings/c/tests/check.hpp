// Counts the checks of a program, and knows the local endpoint: run the programs under tests/with_endpoint.sh.

#ifndef CHECK_HPP
#define CHECK_HPP

#include <nomyo.hpp>

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <string>

inline std::atomic<int> checks{0};
inline std::atomic<int> failures{0};

inline void check(bool good, const char *what, const char *file, int line) {
    ++checks;
    if (good) return;
    ++failures;
    std::cerr << file << ':' << line << ": failed: " << what << '\n';
}
#define CHECK(condition) check((condition), #condition, __FILE__, __LINE__)

#ifdef __cpp_exceptions
// Whether `f` throws an E, and not merely something that E is derived from; `look` may check it further.
template <class E, class F, class Look> bool throws(F f, Look look) {
    try {
        f();
    } catch (const E &e) {
        return look(e);
    } catch (const std::exception &e) {
        std::cerr << "threw something else: " << e.what() << '\n';
    }
    return false;
}
template <class E, class F> bool throws(F f) {
    return throws<E>(f, [](const E &) { return true; });
}
#endif

// The closing line and the exit status of a program.
inline int tally(const char *name) {
    std::cout << name << ": " << checks - failures << " passed, " << failures << " failed\n";
    return failures == 0 && checks > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

inline std::string environment(const char *name) {
    const char *value = std::getenv(name);
    if (value) return value;
    std::cerr << name << " is not set: run this under tests/with_endpoint.sh\n";
    std::exit(2);
}

// Not `inline`: files with and without exceptions would share one function, and their Config differs.
[[maybe_unused]] static nomyo::Config config() {
    nomyo::Config c;
    c.base_url(environment("NOMYO_TEST_BASE_URL")).ca_file(environment("NOMYO_TEST_CA_FILE"));
    return c;
}

inline std::string chat(const std::string &said, const std::string &more = "") {
    return R"({"model":"echo","messages":[{"role":"user","content":")" + said + "\"}]" + more + "}";
}

inline std::string fault(const std::string &members) { return chat("x", ",\"nomyo_test\":{" + members + "}"); }

#endif // CHECK_HPP
