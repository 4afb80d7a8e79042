/*
 * nomyo_secret.hpp: memory for the caller's own secrets. Part of nomyo.hpp, which includes it.
 */

#ifndef NOMYO_SECRET_HPP
#define NOMYO_SECRET_HPP

#include "nomyo_result.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

NOMYO_HPP_BEGIN

/**
 * Memory for a secret: zero bytes between guard pages, excluded from core dumps, zeros in a forked child, locked as the memory
 * policy in force requires. It is wiped when this object is destroyed. Accessing one byte past the end crashes the process.
 */
class Secret {
public:
#ifdef __cpp_exceptions
    /** SecurityError if a lock is required and refused. */
    explicit Secret(std::size_t size) : Secret(try_make(size).take()) {}
#endif
    static Result<Secret> try_make(std::size_t size) noexcept {
        nomyo_error *error = nullptr;
        void *owned = nomyo_secret_alloc(size, &error);
        if (owned) return Secret(static_cast<char *>(owned), size);
        if (!error) return Failure(NOMYO_ERR_MEMORY, "there was no memory for the secret");
        return Failure(nomyo_error_status(error), error);
    }

    Secret(Secret &&other) noexcept : owned_(std::move(other.owned_)), size_(std::exchange(other.size_, 0)) {}
    Secret &operator=(Secret &&other) noexcept {
        owned_ = std::move(other.owned_);
        size_ = std::exchange(other.size_, 0);
        return *this;
    }

    /** The memory. NULL if this object was moved from. */
    char *data() & noexcept { return owned_.get(); }
    const char *data() const & noexcept { return owned_.get(); }
    const char *data() const && = delete;
    std::size_t size() const noexcept { return size_; }
    /** All of it, for a request or a password. */
    std::string_view view() const & noexcept { return {owned_.get(), size_}; }
    std::string_view view() const && = delete;

private:
    friend class Client; // private_key_pem()
    Secret(char *owned, std::size_t size) noexcept : owned_(owned), size_(size) {}
    std::unique_ptr<char, detail::Free<nomyo_secret_free>> owned_;
    std::size_t size_;
};

/** Keeps memory of the caller's out of swap as long as this object lives. Destroy it before the memory is freed. */
class MemoryLock {
public:
#ifdef __cpp_exceptions
    /** SecurityError if the system refuses. */
    MemoryLock(void *memory, std::size_t size) : MemoryLock(try_make(memory, size).take()) {}
#endif
    static Result<MemoryLock> try_make(void *memory, std::size_t size) noexcept {
        if (auto failure = detail::call(nomyo_lock, memory, size)) return std::move(*failure);
        return MemoryLock(Locked{memory, size});
    }

    MemoryLock(MemoryLock &&other) noexcept : locked_(std::exchange(other.locked_, std::nullopt)) {}
    MemoryLock &operator=(MemoryLock &&other) noexcept {
        MemoryLock before(std::move(*this));
        locked_ = std::exchange(other.locked_, std::nullopt);
        return *this;
    }
    ~MemoryLock() {
        // Fails only for memory that is not locked, and this memory is.
        if (locked_) (void)detail::call(nomyo_unlock, locked_->memory, locked_->size);
    }

private:
    struct Locked {
        void *memory;
        std::size_t size;
    };
    explicit MemoryLock(Locked locked) noexcept : locked_(locked) {}
    std::optional<Locked> locked_;
};

/** Overwrites memory with zeros. The compiler does not remove that. */
inline void wipe(void *memory, std::size_t size) noexcept { nomyo_wipe(memory, size); }
/** Wipes the text and empties it. Copies that the string left behind when it grew stay. */
inline void wipe(std::string &text) noexcept {
    nomyo_wipe(text.data(), text.size());
    text.clear();
}

/** The protection of secrets in this process. */
inline nomyo_memory_info memory_info() noexcept {
    nomyo_memory_info info{};
    (void)nomyo_memory_info_get(&info, sizeof info); // fails for a NULL argument only
    return info;
}

NOMYO_HPP_END

#endif // NOMYO_SECRET_HPP
