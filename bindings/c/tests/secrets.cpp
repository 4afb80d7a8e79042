// Memory for secrets of the caller's: run under tests/with_endpoint.sh.

#include <nomyo.hpp>

#include "check.hpp"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <fstream>
#include <optional>
#include <string>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <type_traits>
#include <unistd.h>

template <class T> constexpr bool move_only = std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T>
    && !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T>;
static_assert(move_only<nomyo::Secret> && move_only<nomyo::MemoryLock>);

// The exit status of a child that does this; minus the signal that ended it.
template <class F> static int in_a_child(F act) {
    const pid_t child = fork();
    if (child == 0) {
        const rlimit none{0, 0};
        setrlimit(RLIMIT_CORE, &none);
        _exit(act());
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

// Locked bytes of this process, as the kernel counts them.
static long locked() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.rfind("VmLck:", 0) == 0) return std::stol(line.substr(6)) * 1024;
    throw std::runtime_error("/proc/self/status has no VmLck");
}

static void a_secret_is_guarded(const nomyo::Client &client) {
    const std::string request = chat("from a secret");
    nomyo::Secret secret(request.size());
    CHECK(secret.view() == std::string(request.size(), '\0') && secret.size() == request.size());
    std::memcpy(secret.data(), request.data(), request.size());
    const nomyo::Response answer = client.create(secret.view());
    CHECK(answer.content() == "from a secret");
    CHECK(in_a_child([&] { return secret.view().find_first_not_of('\0') == std::string_view::npos ? 7 : 8; }) == 7);
    CHECK(in_a_child([&] { secret.data()[secret.size()] = 'x'; return 0; }) == -SIGSEGV);
    const char *address = secret.data();
    nomyo::Secret moved(std::move(secret));
    CHECK(moved.data() == address && secret.data() == nullptr && secret.view().empty());
    moved = nomyo::Secret(1); // releases the memory
    CHECK(in_a_child([&] { return const_cast<const volatile char *>(address)[0]; }) == -SIGSEGV);
    CHECK(nomyo::Secret(0).size() == 0);
    CHECK(throws<std::bad_alloc>([] { (void)nomyo::Secret(SIZE_MAX); }));
    const auto too_much = nomyo::Secret::try_make(SIZE_MAX);
    CHECK(!too_much && too_much.failure()->status() == NOMYO_ERR_MEMORY && *too_much.failure()->message() != '\0');
}

static void a_lock_ends_with_its_object() {
    const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE)), size = 4 * page;
    void *memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const long before = locked(), whole = static_cast<long>(size);
    std::optional<nomyo::MemoryLock> lock(std::in_place, memory, size);
    CHECK(locked() == before + whole);
    {
        const nomyo::MemoryLock twice(memory, page); // locks nest
        nomyo::MemoryLock moved(std::move(*lock));
        lock.reset(); // was moved from
        CHECK(locked() == before + whole);
        lock.emplace(std::move(moved));
    }
    CHECK(locked() == before + whole);
    lock = nomyo::MemoryLock(memory, page); // assigned: the first lock ends
    CHECK(locked() == before + static_cast<long>(page));
    lock.reset();
    CHECK(locked() == before);
    CHECK(throws<nomyo::ArgumentError>([&] { nomyo::MemoryLock refused(nullptr, 1); }));
    munmap(memory, size);
}

static void a_refused_lock_is_a_failure() {
    const int status = in_a_child([] {
        const rlimit none{0, 0};
        if (setrlimit(RLIMIT_MEMLOCK, &none) != 0) return 1;
        if (geteuid() == 0 && setuid(65534) != 0) return 2; // root may lock everything
        static char memory[64];
        const auto lock = nomyo::MemoryLock::try_make(memory, sizeof memory);
        return !lock && lock.failure()->status() == NOMYO_ERR_SECURITY ? 0 : 3;
    });
    CHECK(status == 0);
}

static void memory_is_wiped() {
    char memory[] = "secret";
    nomyo::wipe(memory, sizeof memory);
    CHECK(std::all_of(std::begin(memory), std::end(memory), [](char c) { return c == 0; }));
    std::string text(1000, 's');
    const char *address = text.data();
    nomyo::wipe(text);
    CHECK(text.empty() && text.data() == address && std::all_of(address, address + 1000, [](char c) { return c == 0; }));
}

static void the_protection_is_reported() {
    const nomyo_memory_info info = nomyo::memory_info();
    CHECK(info.page_size == static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) && info.mapped > 0 && info.policy == NOMYO_MEMORY_PREFER);
}

int main() try {
    a_secret_is_guarded(nomyo::Client(config()));
    a_lock_ends_with_its_object();
    a_refused_lock_is_a_failure();
    memory_is_wiped();
    the_protection_is_reported();
    return tally("secrets");
} catch (const std::exception &e) {
    std::cerr << "secrets: " << e.what() << '\n';
    return 1;
}
