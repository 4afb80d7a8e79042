# find_package(nomyo) gives nomyo::nomyo, the shared library, and nomyo::static, the static one. Without an installed static library there
# is no nomyo::static. Without an installed shared library nomyo::nomyo is the static one.
set(_nomyo_name libnomyo.so)
set(_nomyo_needs "-lm;-ldl;-lpthread")
if(APPLE)
    set(_nomyo_name libnomyo.dylib)
    set(_nomyo_needs "-framework Security;-framework CoreFoundation;-liconv;-lm")
elseif(WIN32)
    set(_nomyo_name libnomyo.dll.a)
endif()
get_filename_component(_nomyo_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
foreach(_nomyo_directory lib "lib/${CMAKE_LIBRARY_ARCHITECTURE}" lib64)
    if(EXISTS "${_nomyo_prefix}/${_nomyo_directory}/${_nomyo_name}" OR EXISTS "${_nomyo_prefix}/${_nomyo_directory}/libnomyo.a")
        set(_nomyo_lib "${_nomyo_prefix}/${_nomyo_directory}")
        break()
    endif()
endforeach()

if(NOT DEFINED _nomyo_lib)
    set(nomyo_FOUND FALSE)
    set(nomyo_NOT_FOUND_MESSAGE
        "There is no ${_nomyo_name} in the directories of libraries below ${_nomyo_prefix}. Install nomyo again.")
elseif(NOT TARGET nomyo::nomyo)
    if(EXISTS "${_nomyo_lib}/libnomyo.a")
        add_library(nomyo::static STATIC IMPORTED)
        set_target_properties(nomyo::static PROPERTIES
            IMPORTED_LOCATION "${_nomyo_lib}/libnomyo.a"
            INTERFACE_LINK_LIBRARIES "${_nomyo_needs}"
            INTERFACE_INCLUDE_DIRECTORIES "${_nomyo_prefix}/include")
    endif()
    if(EXISTS "${_nomyo_lib}/${_nomyo_name}")
        add_library(nomyo::nomyo SHARED IMPORTED)
        set_target_properties(nomyo::nomyo PROPERTIES
            IMPORTED_LOCATION "${_nomyo_lib}/${_nomyo_name}"
            INTERFACE_INCLUDE_DIRECTORIES "${_nomyo_prefix}/include")
        if(WIN32)
            set_target_properties(nomyo::nomyo PROPERTIES
                IMPORTED_IMPLIB "${_nomyo_lib}/${_nomyo_name}"
                IMPORTED_LOCATION "${_nomyo_prefix}/bin/nomyo.dll")
        endif()
    else()
        add_library(nomyo::nomyo INTERFACE IMPORTED)
        set_target_properties(nomyo::nomyo PROPERTIES INTERFACE_LINK_LIBRARIES nomyo::static)
    endif()
endif()
unset(_nomyo_lib)
unset(_nomyo_name)
unset(_nomyo_needs)
