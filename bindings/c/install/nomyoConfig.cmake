# find_package(nomyo) gives nomyo::nomyo, the shared library, and nomyo::static.
get_filename_component(_nomyo_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
foreach(_nomyo_directory lib "lib/${CMAKE_LIBRARY_ARCHITECTURE}" lib64)
    if(EXISTS "${_nomyo_prefix}/${_nomyo_directory}/libnomyo.so")
        set(_nomyo_lib "${_nomyo_prefix}/${_nomyo_directory}")
        break()
    endif()
endforeach()

if(NOT DEFINED _nomyo_lib)
    set(nomyo_FOUND FALSE)
    set(nomyo_NOT_FOUND_MESSAGE
        "There is no libnomyo.so in the directories of libraries below ${_nomyo_prefix}. Install nomyo again.")
elseif(NOT TARGET nomyo::nomyo)
    add_library(nomyo::nomyo SHARED IMPORTED)
    set_target_properties(nomyo::nomyo PROPERTIES
        IMPORTED_LOCATION "${_nomyo_lib}/libnomyo.so"
        INTERFACE_INCLUDE_DIRECTORIES "${_nomyo_prefix}/include")
    add_library(nomyo::static STATIC IMPORTED)
    set_target_properties(nomyo::static PROPERTIES
        IMPORTED_LOCATION "${_nomyo_lib}/libnomyo.a"
        INTERFACE_LINK_LIBRARIES "-lm;-ldl;-lpthread"
        INTERFACE_INCLUDE_DIRECTORIES "${_nomyo_prefix}/include")
endif()
unset(_nomyo_lib)
