# What the library is made of.

# Its sources are listed once, in api/filch_all.c; those of one platform are chosen here.
file(STRINGS ${PROJECT_SOURCE_DIR}/api/filch_all.c filch_included REGEX "^#include \"")
list(TRANSFORM filch_included REPLACE "^#include \"(.*)\".*$" "\\1")
list(FILTER filch_included EXCLUDE REGEX "/(os|switch)_")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/api/filch_all.c)
set(FILCH_SOURCES "")
foreach(source IN LISTS filch_included)
    foreach(half IN ITEMS runtime api)
        if(EXISTS ${PROJECT_SOURCE_DIR}/${half}/${source})
            list(APPEND FILCH_SOURCES ${half}/${source})
        endif()
    endforeach()
endforeach()

# Is this a build to look for faults in?
string(TOLOWER "${CMAKE_BUILD_TYPE}" filch_build_type)
set(filch_is_debugged OFF)
if(FILCH_SANITIZE OR filch_build_type STREQUAL "debug")
    set(filch_is_debugged ON)
endif()

# filch_choose(option automatic result): what an option of auto, ON and OFF comes to.
function(filch_choose option automatic result)
    string(TOLOWER "${${option}}" value)
    if(value STREQUAL "auto")
        set(value "${automatic}")
    elseif(NOT value MATCHES "^(on|off|true|false|yes|no|1|0)$")
        message(FATAL_ERROR "${option} must be auto, ON or OFF, not ${value}")
    endif()
    if(value)
        set(${result} ON PARENT_SCOPE)
    else()
        set(${result} OFF PARENT_SCOPE)
    endif()
endfunction()

# The layer to the system and the switch in assembly are never part of the one file
# (runtime/base/private.h).
set(FILCH_SOURCES_APART runtime/os/os_unix.c runtime/os/os_unix_file.c runtime/os/os_unix_spawn.c
    runtime/os/os_unix_watch.c)
set(FILCH_DEFINITIONS "")

if(FILCH_OS STREQUAL "linux" OR (FILCH_OS STREQUAL "auto" AND CMAKE_SYSTEM_NAME STREQUAL "Linux"))
    list(APPEND FILCH_SOURCES runtime/os/os_linux_plain_poll.c)
    list(APPEND FILCH_SOURCES_APART runtime/os/os_linux.c runtime/os/os_linux_poll.c runtime/os/os_linux_spawn.c
        runtime/os/os_linux_watch.c)
elseif(FILCH_OS MATCHES "^(auto|posix)$")
    list(APPEND FILCH_SOURCES runtime/os/os_posix_poll.c)
    list(APPEND FILCH_SOURCES_APART runtime/os/os_posix.c runtime/os/os_posix_spawn.c runtime/os/os_posix_watch.c)
    list(APPEND FILCH_DEFINITIONS FILCH_OS_POSIX)
else()
    message(FATAL_ERROR "FILCH_OS must be auto, linux or posix")
endif()

# filch_compiles_for(macro result): the compiler says what it compiles for, which need not be this machine.
include(CheckCSourceCompiles)
function(filch_compiles_for macro result)
    check_c_source_compiles("#if !defined(${macro}) || defined(__ILP32__)
        #error
        #endif
        int main(void) { return 0; }" ${result})
endfunction()

set(filch_switch ${FILCH_SWITCH})
if(FILCH_SWITCH STREQUAL "auto")
    filch_compiles_for(__x86_64__ FILCH_COMPILES_FOR_X86_64)
    filch_compiles_for(__aarch64__ FILCH_COMPILES_FOR_AARCH64)
    if(FILCH_COMPILES_FOR_X86_64)
        set(filch_switch x86_64)
    elseif(FILCH_COMPILES_FOR_AARCH64)
        set(filch_switch aarch64)
    else()
        set(filch_switch ucontext)
    endif()
endif()

if(filch_switch STREQUAL "ucontext")
    list(APPEND FILCH_SOURCES runtime/stack/switch_ucontext.c)
    list(APPEND FILCH_DEFINITIONS FILCH_SWITCH_UCONTEXT)
elseif(filch_switch MATCHES "^(x86_64|aarch64)$")
    enable_language(ASM)
    list(APPEND FILCH_SOURCES runtime/stack/switch_asm.c)
    list(APPEND FILCH_SOURCES_APART runtime/stack/switch_${filch_switch}.S)
else()
    message(FATAL_ERROR "FILCH_SWITCH must be auto, x86_64, aarch64 or ucontext")
endif()

# Probes for the system's tracers, where the header for them is there: no library is needed. Each keeps the
# function that it is in from being left out by --gc-sections.
include(CheckIncludeFile)
check_include_file(sys/sdt.h FILCH_HAS_SDT)
filch_choose(FILCH_PROBES "${FILCH_HAS_SDT}" filch_probes)
if(filch_probes)
    if(NOT FILCH_HAS_SDT)
        message(FATAL_ERROR "FILCH_PROBES needs sys/sdt.h (Debian: systemtap-sdt-dev)")
    endif()
    list(APPEND FILCH_DEFINITIONS FILCH_PROBES)
endif()

# The suites' copies of the library have them in every build (tests/CMakeLists.txt).
filch_choose(FILCH_ASSERTIONS "${filch_is_debugged}" filch_assertions)
if(filch_assertions)
    list(APPEND FILCH_DEFINITIONS FILCH_ASSERTIONS)
elseif(CMAKE_CONFIGURATION_TYPES AND FILCH_ASSERTIONS STREQUAL "auto")
    list(APPEND FILCH_DEFINITIONS $<$<CONFIG:Debug>:FILCH_ASSERTIONS>)
endif()

# As one file the compiler sees every caller. One by one they take part of a second to build again, and the
# sanitizers' reports name them.
set(FILCH_WHOLE "auto" CACHE STRING
    "Compile the library as one file: auto (unless in a Debug or sanitizer build), ON or OFF")
set(filch_whole_by_itself ON)
if(filch_is_debugged)
    set(filch_whole_by_itself OFF)
endif()
filch_choose(FILCH_WHOLE "${filch_whole_by_itself}" filch_whole)
if(filch_whole)
    message(STATUS "filch: the library is compiled as one file (FILCH_WHOLE)")
else()
    message(STATUS "filch: the library is compiled file by file (FILCH_WHOLE)")
endif()

# A header to be included before each source. The functions that filch.map lists are seen from outside of
# what the library is linked into, -fvisibility=hidden hides all else; and a program or library that
# contains a copy uses that one (protected), so that two copies in one process do not mix.
file(STRINGS ${PROJECT_SOURCE_DIR}/api/filch.map filch_exports REGEX "filch_[a-z0-9_]+;")
string(REGEX MATCHALL "filch_[a-z0-9_]+" filch_exports "${filch_exports}")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/api/filch.map)
set(filch_exports_header ${CMAKE_CURRENT_BINARY_DIR}/filch_exports.h)
set(text "#ifndef __ASSEMBLER__\n#ifndef _GNU_SOURCE /* as the sources that need it say, too late here */\n")
string(APPEND text "#define _GNU_SOURCE\n#endif\n")
string(APPEND text "#include <filch/filch.h>\n")
foreach(name IN LISTS filch_exports)
    string(APPEND text "extern __typeof__(${name}) ${name} __attribute__((visibility(\"protected\")));\n")
endforeach()
file(CONFIGURE OUTPUT ${filch_exports_header} CONTENT "${text}#endif\n" @ONLY)
