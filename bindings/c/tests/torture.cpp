// Clients and answers, 50 000 of each, dropped in every order, from every thread: every way in which one can end with
// every way in which the other can, and with what belongs to them. Built with AddressSanitizer, as the library is.
//
//     torture_nomyo FIXTURES [ROUNDS]
//
// One sealed request and the package that answers it serve every round, so that none costs network.

#include <nomyo.hpp>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <exception>
#include <fstream>
#include <future>
#include <iostream>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

using nomyo::Client;
using nomyo::Response;

static std::atomic<long> checks{0};
static std::atomic<long> failures{0};

static void check(bool good, const char *what, int line) {
    ++checks;
    if (good) return;
    if (++failures < 20) std::cerr << "torture.cpp:" << line << ": failed: " << what << '\n';
}
#define CHECK(condition) check((condition), #condition, __LINE__)

// What is done on other threads, whichever of them comes first.
class Elsewhere {
public:
    explicit Elsewhere(std::size_t threads) {
        while (threads-- > 0) threads_.emplace_back([this] { work(); });
    }
    ~Elsewhere() {
        {
            const std::lock_guard<std::mutex> held(lock_);
            closed_ = true;
        }
        more_.notify_all();
        for (std::thread &thread : threads_) thread.join();
    }
    template <class F> void run(F f) {
        {
            const std::lock_guard<std::mutex> held(lock_);
            tasks_.emplace_back(std::move(f)); // a packaged task can own what can only be moved
        }
        more_.notify_one();
    }

private:
    void work() {
        for (;;) {
            std::unique_lock<std::mutex> held(lock_);
            more_.wait(held, [this] { return closed_ || !tasks_.empty(); });
            if (tasks_.empty()) return;
            std::packaged_task<void()> task = std::move(tasks_.front());
            tasks_.pop_front();
            held.unlock();
            task();
            task.get_future().get(); // throws what the task threw, which ends the program
        }
    }
    std::mutex lock_;
    std::condition_variable more_;
    std::deque<std::packaged_task<void()>> tasks_;
    bool closed_ = false;
    std::vector<std::thread> threads_;
};

static std::string contents(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    std::string all{std::istreambuf_iterator<char>(file), {}};
    if (all.empty()) throw std::runtime_error(path + " cannot be read");
    return all;
}

// What all rounds share.
class Torture {
public:
    explicit Torture(const std::string &fixtures)
        : package_(contents(fixtures + "/lenient/len_13_rsa2048_client.bin")) {
        const std::string pem = contents(fixtures + "/keys/server_public.pem"), json = R"({"messages":[]})";
        const Client client = with_keys(fixtures);
        sealed_.emplace(client.seal(pem, json));
        const Response first = open(client);
        // Behind this is the time of its opening.
        whole_ = std::string(first.json().substr(0, first.json().find("\"_metadata\"")));
        CHECK(whole_.size() > 100);
    }

    Response open(const Client &client) const { return client.open(*sealed_, package_); }

    void use(const Response &answer) const {
        CHECK(answer.json().substr(0, whole_.size()) == whole_);
        CHECK(answer.content() == answer.content() && answer.payload_id().size() == 36);
    }

    // A call that is cancelled before it begins. Its error is looked at elsewhere, when everything else may be gone.
    void use(const Client &client) {
        nomyo::CallOptions options;
        {
            const nomyo::Cancel cancel;
            options.cancel(cancel);
            cancel.trigger();
        }
        try {
            (void)client.create("{\"messages\":[]}", options);
            CHECK(!"the call was cancelled");
        } catch (const nomyo::CancelledError &e) {
            const std::exception_ptr thrown = std::current_exception();
            elsewhere([thrown] {
                try {
                    std::rethrow_exception(thrown);
                } catch (const nomyo::CancelledError &same) {
                    CHECK(same.attempts() == 0 && std::string_view(same.what()) == same.failure().message());
                }
            });
        }
        const nomyo::Result<Response> result = client.try_create("{\"messages\":[]}", &options);
        CHECK(!result && result.failure()->status() == NOMYO_ERR_CANCELLED);
    }

    template <class F> void elsewhere(F f) { elsewhere_.run(std::packaged_task<void()>(std::move(f))); }

    // Leaves `one` where any thread may take it from, and ends what was there.
    template <class T> void put_in_place(T one, std::size_t where) {
        std::optional<T> &place = std::get<std::array<std::optional<T>, places>>(left_)[where % places];
        std::optional<T> before(std::move(one));
        {
            const std::lock_guard<std::mutex> held(lock_);
            std::swap(place, before);
        }
        if (before) use(*before);
    }

private:
    static constexpr std::size_t places = 16;

    static Client with_keys(const std::string &fixtures) {
        const std::string copy = "/tmp/nomyo-torture-" + std::to_string(getpid()) + ".pem";
        std::ofstream(copy, std::ios::binary) << contents(fixtures + "/keys/client2048_private.pem");
        chmod(copy.c_str(), 0600); // a private key that others may read is refused
        Client client;
        client.load_keys(copy);
        unlink(copy.c_str());
        return client;
    }

    std::string package_, whole_;
    std::optional<nomyo::SealedRequest> sealed_;
    std::mutex lock_;
    std::tuple<std::array<std::optional<Client>, places>, std::array<std::optional<Response>, places>> left_;
    Elsewhere elsewhere_{4}; // destroyed first, since its tasks use the rest
};

// Whether an object that was moved from refuses to be used.
static bool refuses(const Client &client) {
    try {
        client.warm_up();
    } catch (const nomyo::ArgumentError &) {
        return !client.try_create("{}");
    }
    return false;
}
static bool refuses(const Response &answer) {
    try {
        (void)answer.choices();
    } catch (const nomyo::ArgumentError &) {
        return true;
    }
    return false;
}

// The ways in which a client or an answer comes to its end. The number chooses between places.
template <class T> using Way = void (*)(Torture &, T, std::size_t);
template <class T> constexpr std::array<Way<T>, 8> ways = {{
    [](Torture &, T, std::size_t) {}, // unused, at the end of the scope
    [](Torture &t, T one, std::size_t) { // moved, and assigned back
        t.use(one);
        T other(std::move(one));
        CHECK(refuses(one));
        one = std::move(other);
        T &same = one;
        one = std::move(same);
        t.use(one);
        other = std::move(one);
    },
    [](Torture &t, T one, std::size_t where) { t.put_in_place(std::move(one), where); }, // by another thread, some time
    [](Torture &t, T one, std::size_t) { // used and ended elsewhere
        t.elsewhere([&t, taken = std::move(one)] { t.use(taken); });
    },
    [](Torture &t, T one, std::size_t) { // shared: by whoever has it last
        const auto shared = std::make_shared<const T>(std::move(one));
        t.elsewhere([&t, shared] { t.use(*shared); });
        t.use(*shared);
    },
    [](Torture &t, T one, std::size_t) { // by an exception, and another one that it meets
        try {
            const T held(std::move(one));
            t.use(held);
            (void)nomyo::Config().timeout(std::chrono::milliseconds(0));
            CHECK(!"a timeout of nothing is refused");
        } catch (const nomyo::ArgumentError &) {
        }
    },
    [](Torture &t, T one, std::size_t where) { // in a container that moves it about
        std::vector<T> several;
        several.push_back(std::move(one));
        several.emplace_back(std::move(several.front()));
        if (where % 2 == 0) several.erase(several.begin());
        t.use(several.back());
    },
    [](Torture &t, T one, std::size_t) { // as what a call returned
        nomyo::Result<T> result(std::move(one));
        nomyo::Result<T> moved(std::move(result));
        if (moved) t.use(*moved.operator->());
        t.use(std::move(moved).take());
    },
}};

// Makes a client and an answer and ends them as the number says: either first, or both at once.
static void round(Torture &t, std::size_t number) {
    constexpr std::size_t n = ways<Client>.size();
    const std::size_t rest = number / n / n;
    const auto end_client = [&t, number, rest](Client one) { ways<Client>[number % n](t, std::move(one), rest); };
    const auto end_answer = [&t, number, rest](Response one) {
        ways<Response>[number / n % n](t, std::move(one), rest);
    };
    Client client;
    Response answer = t.open(client);
    switch (rest % 3) {
    case 0:
        end_client(std::move(client));
        return end_answer(std::move(answer));
    case 1:
        end_answer(std::move(answer));
        return end_client(std::move(client));
    default:
        t.elsewhere([end_client, taken = std::move(client)]() mutable { end_client(std::move(taken)); });
        return end_answer(std::move(answer));
    }
}

static uint64_t mapped() {
    nomyo_memory_info info{};
    nomyo_memory_info_get(&info, sizeof info);
    return info.mapped;
}

static void everything_is_dropped(const std::string &fixtures, std::size_t rounds) {
    const uint64_t before = mapped();
    {
        Torture torture(fixtures);
        std::atomic<std::size_t> next{0};
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i)
            threads.emplace_back([&] {
                for (std::size_t number = next++; number < rounds && failures == 0; number = next++)
                    round(torture, number);
            });
        for (std::thread &thread : threads) thread.join();
    }
    CHECK(mapped() <= before + (uint64_t{2} << 20)); // what was dropped has gone
}

// What a child says that uses freed memory of the library's, and is killed for it.
static std::string use_after_free() {
    int pipe_ends[2];
    if (pipe(pipe_ends) != 0) return "no pipe";
    const pid_t child = fork();
    if (child == 0) {
        dup2(pipe_ends[1], STDERR_FILENO);
        nomyo_cancel *freed = nomyo_cancel_new();
        nomyo_cancel_free(freed);
        nomyo_cancel_trigger(freed);
        _exit(0);
    }
    close(pipe_ends[1]);
    std::string said;
    char some[4096];
    for (ssize_t got; (got = read(pipe_ends[0], some, sizeof some)) > 0;)
        said.append(some, static_cast<std::size_t>(got));
    close(pipe_ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    return status == 0 ? "survived" : said;
}

int main(int argc, char **argv) try {
    if (argc < 2) throw std::runtime_error("usage: torture_nomyo FIXTURES [ROUNDS]");
    // Otherwise nobody watches the library's heap, and all that follows shows little.
    CHECK(use_after_free().find("AddressSanitizer: heap-use-after-free") != std::string::npos);
    everything_is_dropped(argv[1], argc > 2 ? std::stoul(argv[2]) : 50'000);
    std::cout << "torture: " << checks - failures << " passed, " << failures << " failed\n";
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
} catch (const std::exception &e) {
    std::cerr << "torture: " << e.what() << '\n';
    return EXIT_FAILURE;
}
