# Runs the port without vcpkg: these functions do what vcpkg's do, as its documentation says. The archive comes from ARCHIVES.
#
#   cmake -DPORT=DIR -DVERSION=V -DARCHIVES=DIR -DCURRENT_PACKAGES_DIR=DIR -DVCPKG_TARGET_ARCHITECTURE=x64 -DVCPKG_LIBRARY_LINKAGE=dynamic -P THIS
function(vcpkg_download_distfile OUT)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "FILENAME;SHA512" "URLS")
    file(SHA512 "${ARCHIVES}/${arg_FILENAME}" found)
    if(NOT found STREQUAL arg_SHA512)
        message(FATAL_ERROR "${arg_FILENAME} has another SHA-512 than the port says")
    endif()
    set(${OUT} "${ARCHIVES}/${arg_FILENAME}" PARENT_SCOPE)
endfunction()

function(vcpkg_extract_source_archive OUT)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "ARCHIVE" "")
    file(ARCHIVE_EXTRACT INPUT "${arg_ARCHIVE}" DESTINATION "${CURRENT_PACKAGES_DIR}/../source")
    file(GLOB inside "${CURRENT_PACKAGES_DIR}/../source/*")
    set(${OUT} "${inside}" PARENT_SCOPE)
endfunction()

function(vcpkg_install_copyright)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "" "FILE_LIST")
    foreach(licence ${arg_FILE_LIST})
        if(NOT EXISTS "${licence}")
            message(FATAL_ERROR "there is no ${licence}")
        endif()
    endforeach()
endfunction()

include("${PORT}/portfile.cmake")
