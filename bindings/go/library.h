/* The library's header, and a way to call its functions by their address, which cgo does not have. */

#if defined NOMYO_MUSL
#define NOMYO_ARCHIVE_AMD64 "lib/linux_amd64_musl/libnomyo.a"
#define NOMYO_ARCHIVE_ARM64 "lib/linux_arm64_musl/libnomyo.a"
#else
#define NOMYO_ARCHIVE_AMD64 "lib/linux_amd64/libnomyo.a"
#define NOMYO_ARCHIVE_ARM64 "lib/linux_arm64/libnomyo.a"
#endif

#if defined NOMYO_STATIC && !(__has_include("nomyo.h") && \
    ((defined __linux__ && defined __x86_64__ && __has_include(NOMYO_ARCHIVE_AMD64)) || \
     (defined __linux__ && defined __aarch64__ && __has_include(NOMYO_ARCHIVE_ARM64)) || \
     (defined _WIN32 && defined __x86_64__ && __has_include("lib/windows_amd64/libnomyo.a"))))
#ifdef NOMYO_MUSL
#error "nomyo.h or the libnomyo.a of this platform is missing: run `make go-lib-musl` in libnomyo's checkout, or build with -tags nomyo_dynamic"
#else
#error "nomyo.h or the libnomyo.a of this platform is missing: run `make go-lib` in libnomyo's checkout, or build with -tags nomyo_dynamic"
#endif
#else

#include "nomyo.h" /* with stdint.h, which defines __GLIBC__ on a system with glibc */

#if defined NOMYO_STATIC && defined __linux__ && !defined NOMYO_MUSL && !defined __GLIBC__
#error "this libnomyo.a needs glibc, and this C compiler is for another C library: build with -tags musl if that is musl"
#elif defined NOMYO_MUSL && defined __GLIBC__
#error "this libnomyo.a needs musl, and this C compiler is for glibc: set CC to a compiler for musl such as musl-gcc, or build without -tags musl"
#endif

static inline int32_t set_text(void *f, nomyo_config *c, const char *text, nomyo_error **err) {
    return ((int32_t (*)(nomyo_config *, const char *, nomyo_error **))f)(c, text, err);
}

static inline int32_t set_secret(void *f, nomyo_config *c, const uint8_t *p, size_t n, nomyo_error **err) {
    return ((int32_t (*)(nomyo_config *, const uint8_t *, size_t, nomyo_error **))f)(c, p, n, err);
}

static inline int32_t set_int32(void *f, nomyo_config *c, int32_t n, nomyo_error **err) {
    return ((int32_t (*)(nomyo_config *, int32_t, nomyo_error **))f)(c, n, err);
}

static inline int32_t set_uint64(void *f, nomyo_config *c, uint64_t n, nomyo_error **err) {
    return ((int32_t (*)(nomyo_config *, uint64_t, nomyo_error **))f)(c, n, err);
}

static inline int32_t call_client(void *f, const nomyo_client *c, nomyo_error **err) {
    return ((int32_t (*)(const nomyo_client *, nomyo_error **))f)(c, err);
}

static inline int32_t call_keys(void *f, const nomyo_client *c, const char *dir, const uint8_t *pw, size_t n,
                                nomyo_error **err) {
    return ((int32_t (*)(const nomyo_client *, const char *, const uint8_t *, size_t, nomyo_error **))f)(c, dir, pw, n, err);
}

#endif
