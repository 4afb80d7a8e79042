# The vcpkg port of libnomyo. It compiles nothing: it takes the archive of a release. `make dist` writes sums.cmake, which has the SHA-512 of
# each target's archive.
include("${CMAKE_CURRENT_LIST_DIR}/sums.cmake")
set(VCPKG_BUILD_TYPE release)
if(VCPKG_TARGET_ARCHITECTURE STREQUAL "x64")
    set(machine x86_64)
elseif(VCPKG_TARGET_ARCHITECTURE STREQUAL "arm64")
    set(machine aarch64)
else()
    message(FATAL_ERROR "nomyo has no archive for ${VCPKG_TARGET_ARCHITECTURE}")
endif()
if(VCPKG_TARGET_IS_WINDOWS)
    set(triple ${machine}-pc-windows-gnu)
elseif(VCPKG_TARGET_IS_OSX)
    set(triple ${machine}-apple-darwin)
else()
    set(triple ${machine}-unknown-linux-gnu)
endif()
if(NOT DEFINED SHA512_OF_${triple})
    message(FATAL_ERROR "nomyo has no archive for ${triple}")
endif()

vcpkg_download_distfile(ARCHIVE
    URLS "https://github.com/nomyo-ai/libnomyo/releases/download/v${VERSION}/libnomyo-${VERSION}-${triple}.tar.gz"
    FILENAME "libnomyo-${VERSION}-${triple}.tar.gz"
    SHA512 "${SHA512_OF_${triple}}")
vcpkg_extract_source_archive(SOURCE_PATH ARCHIVE "${ARCHIVE}")

file(INSTALL "${SOURCE_PATH}/include/" DESTINATION "${CURRENT_PACKAGES_DIR}/include")
file(INSTALL "${SOURCE_PATH}/share/cmake/nomyo/" DESTINATION "${CURRENT_PACKAGES_DIR}/share/cmake/nomyo")
file(INSTALL "${SOURCE_PATH}/lib/pkgconfig/nomyo.pc" DESTINATION "${CURRENT_PACKAGES_DIR}/lib/pkgconfig")
# A port has either the shared library or the static archive, as the triplet says. Archives for macOS and Windows have the shared library alone.
if(VCPKG_LIBRARY_LINKAGE STREQUAL "static" AND EXISTS "${SOURCE_PATH}/lib/libnomyo.a")
    file(INSTALL "${SOURCE_PATH}/lib/libnomyo.a" DESTINATION "${CURRENT_PACKAGES_DIR}/lib")
else()
    file(GLOB libraries "${SOURCE_PATH}/lib/libnomyo.so*" "${SOURCE_PATH}/lib/*.dylib" "${SOURCE_PATH}/lib/*.dll.a")
    file(INSTALL ${libraries} DESTINATION "${CURRENT_PACKAGES_DIR}/lib")
    if(EXISTS "${SOURCE_PATH}/bin")
        file(INSTALL "${SOURCE_PATH}/bin/" DESTINATION "${CURRENT_PACKAGES_DIR}/bin")
    endif()
endif()
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE" "${SOURCE_PATH}/LICENCES-OF-DEPENDENCIES")
