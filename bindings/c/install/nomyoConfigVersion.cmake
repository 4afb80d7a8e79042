# The version is the installed header's. Its first number is the ABI's: a later version with the same first number will do.
file(STRINGS "${CMAKE_CURRENT_LIST_DIR}/../../../include/nomyo.h" _nomyo_numbers
    REGEX "^#define NOMYO_VERSION_(MAJOR|MINOR|PATCH) [0-9]+$")
string(REGEX REPLACE "#define NOMYO_VERSION_[A-Z]+ " "" _nomyo_numbers "${_nomyo_numbers}")
string(REPLACE ";" "." PACKAGE_VERSION "${_nomyo_numbers}")
string(REGEX MATCH "^[0-9]+" _nomyo_abi "${PACKAGE_VERSION}")
string(REGEX MATCH "^[0-9]+" _nomyo_wanted "${PACKAGE_FIND_VERSION}")
if(PACKAGE_FIND_VERSION STREQUAL "" OR
   (_nomyo_abi STREQUAL _nomyo_wanted AND NOT PACKAGE_FIND_VERSION VERSION_GREATER PACKAGE_VERSION))
    set(PACKAGE_VERSION_COMPATIBLE TRUE)
    if(PACKAGE_FIND_VERSION VERSION_EQUAL PACKAGE_VERSION)
        set(PACKAGE_VERSION_EXACT TRUE)
    endif()
endif()
