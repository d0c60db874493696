# How filch's own targets are built: flags, sanitizers, and the files chosen for this platform.

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
find_package(Threads REQUIRED)

# filch_compiles_for(macro result): the compiler says what it compiles for, which need not be this machine.
include(CheckCSourceCompiles)
function(filch_compiles_for macro result)
    check_c_source_compiles("#if !defined(${macro}) || defined(__ILP32__)
        #error
        #endif
        int main(void) { return 0; }" ${result})
endfunction()

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
else()
    set(filch_switch ${FILCH_SWITCH})
endif()

if(filch_switch STREQUAL "ucontext")
    set(FILCH_SWITCH_SOURCES runtime/stack/switch_ucontext.c)
    set(FILCH_DEFINITIONS FILCH_SWITCH_UCONTEXT)
elseif(filch_switch MATCHES "^(x86_64|aarch64)$")
    enable_language(ASM)
    set(FILCH_SWITCH_SOURCES runtime/stack/switch_asm.c)
    set(FILCH_SWITCH_SOURCES_APART runtime/stack/switch_${filch_switch}.S)
    set(FILCH_DEFINITIONS "")
else()
    message(FATAL_ERROR "FILCH_SWITCH must be auto, x86_64, aarch64 or ucontext")
endif()

if(FILCH_OS STREQUAL "linux" OR (FILCH_OS STREQUAL "auto" AND CMAKE_SYSTEM_NAME STREQUAL "Linux"))
    set(FILCH_OS_SOURCES runtime/os/os_linux.c runtime/os/os_linux_poll.c)
    # Compiled with the rest, whose locks it needs, and called by the above.
    set(FILCH_OS_SOURCES_INSIDE runtime/os/os_linux_plain_poll.c)
    set(FILCH_OS_NAMES_INSIDE ask close drop interrupt open wait)
    list(TRANSFORM FILCH_OS_NAMES_INSIDE PREPEND filch_os_plain_poll_)
elseif(FILCH_OS MATCHES "^(auto|posix)$")
    set(FILCH_OS_SOURCES runtime/os/os_posix.c runtime/os/os_posix_poll.c)
else()
    message(FATAL_ERROR "FILCH_OS must be auto, linux or posix")
endif()

# Probes for the system's tracers, where the header for them is there: no library is needed.
include(CheckIncludeFile)
check_include_file(sys/sdt.h FILCH_HAS_SDT)
if(FILCH_HAS_SDT)
    list(APPEND FILCH_DEFINITIONS FILCH_PROBES)
endif()

# The suites' copies of the library have them in every build (tests/CMakeLists.txt).
if(FILCH_ASSERTIONS STREQUAL "ON" OR
   (FILCH_ASSERTIONS STREQUAL "auto" AND (FILCH_SANITIZE OR CMAKE_BUILD_TYPE STREQUAL "Debug")))
    list(APPEND FILCH_DEFINITIONS FILCH_ASSERTIONS)
endif()

set(FILCH_WARNINGS -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
if(FILCH_WERROR)
    list(APPEND FILCH_WARNINGS -Werror)
endif()

set(FILCH_SANITIZE_FLAGS "")
if(FILCH_SANITIZE)
    set(FILCH_SANITIZE_FLAGS -fsanitize=${FILCH_SANITIZE} -fno-omit-frame-pointer -g)
    if(FILCH_SANITIZE MATCHES "undefined")
        list(APPEND FILCH_SANITIZE_FLAGS -fno-sanitize-recover=all)
    endif()
    if(FILCH_SANITIZE STREQUAL "thread")
        # ThreadSanitizer does not know the C library's C11 thread calls: this build sees the same
        # calls over POSIX threads instead.
        include_directories(BEFORE SYSTEM ${PROJECT_SOURCE_DIR}/tests/shadow/tsan)
        # It does not see free fences either. filch has them in the wake-up handshake alone, where
        # they order atomics and publish no plain data, so nothing is reported for them.
        if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
            list(APPEND FILCH_SANITIZE_FLAGS -Wno-tsan)
        endif()
    endif()
endif()

# In somebody's project that says nothing of it the library is optimized all the same.
set(filch_optimize "")
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES AND NOT CMAKE_C_FLAGS MATCHES "-O")
    set(filch_optimize -O2)
endif()

# Flags that every target of the project is compiled with.
function(filch_compile_options target)
    target_compile_options(${target} PRIVATE ${FILCH_WARNINGS} ${FILCH_SANITIZE_FLAGS})
    target_link_options(${target} PRIVATE ${FILCH_SANITIZE_FLAGS})
endfunction()

include(FilchWhole)

# Where the library's sources find each other's headers; users see the public ones.
set(FILCH_PUBLIC_INCLUDES ${PROJECT_SOURCE_DIR}/api/include ${PROJECT_SOURCE_DIR}/runtime/include)
set(FILCH_PRIVATE_INCLUDES ${PROJECT_SOURCE_DIR}/runtime ${PROJECT_SOURCE_DIR}/api)

# filch_compile(target source...): an object library of these.
function(filch_compile target)
    list(TRANSFORM ARGN PREPEND ${PROJECT_SOURCE_DIR}/ OUTPUT_VARIABLE sources)
    add_library(${target} OBJECT ${sources})
    target_include_directories(${target} PRIVATE ${FILCH_PUBLIC_INCLUDES} ${FILCH_PRIVATE_INCLUDES})
    target_compile_definitions(${target} PRIVATE ${FILCH_DEFINITIONS})
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON
                                               C_VISIBILITY_PRESET hidden)
    target_compile_options(${target} PRIVATE ${filch_optimize})
    filch_compile_options(${target})
    if(NOT FILCH_SANITIZE)
        target_compile_options(${target} PRIVATE -fstack-protector-strong)
    endif()
endfunction()

# filch_add_parts(parts [OPTIONS ...] [WHOLE [HEADERS ...] [NAMES ...]]): everything that a library is made of,
# compiled once, with these options more; WHOLE: as one whole, from which NAMES, declared in HEADERS, are
# visible beside what filch.map says. What is to be linked is in `parts_FILES`.
#
# The layer to the operating system stays apart. The compiler takes the address of errno to be the same
# throughout a function, but what these functions might be inlined into goes on on another thread
# after a wait.
function(filch_add_parts parts)
    cmake_parse_arguments(PARSE_ARGV 1 with "WHOLE" "" "OPTIONS;HEADERS;NAMES")
    filch_compile(${parts} ${FILCH_SOURCES})
    filch_compile(${parts}_apart ${FILCH_SOURCES_APART})
    target_compile_options(${parts} PRIVATE $<$<COMPILE_LANGUAGE:C>:-fexceptions>) # runtime/sched/unwound.h
    target_compile_options(${parts} PRIVATE ${with_OPTIONS})
    target_compile_options(${parts}_apart PRIVATE ${with_OPTIONS})
    set(exports ${CMAKE_CURRENT_BINARY_DIR}/${parts}_exports.h)
    target_compile_options(${parts} PRIVATE "SHELL:-include ${exports}")
    if(with_WHOLE)
        # Memory for the layer to the system, and what tools/gdb begins at.
        filch_write_exports(${exports} WHOLE HEADERS base/memory.h os/os_plain_poll.h sched/process.h ${with_HEADERS}
            NAMES filch_malloc filch_free filch_process ${FILCH_OS_NAMES_INSIDE}
                ${with_NAMES})
        target_compile_options(${parts} PRIVATE ${filch_whole_compile})
        filch_make_whole(${parts})
        set(${parts}_FILES ${${parts}_WHOLE} $<TARGET_OBJECTS:${parts}_apart> PARENT_SCOPE)
    else()
        filch_write_exports(${exports})
        set(${parts}_FILES $<TARGET_OBJECTS:${parts}> $<TARGET_OBJECTS:${parts}_apart> PARENT_SCOPE)
    endif()
endfunction()

# filch_add_library(target kind parts): a library of these.
function(filch_add_library target kind parts)
    add_library(${target} ${kind} ${${parts}_FILES})
    if(TARGET ${parts}_whole)
        add_dependencies(${target} ${parts}_whole)
    endif()
    target_include_directories(${target}
        PUBLIC "$<BUILD_INTERFACE:${FILCH_PUBLIC_INCLUDES}>"
               $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    target_link_libraries(${target} PUBLIC Threads::Threads)
    set_target_properties(${target} PROPERTIES OUTPUT_NAME filch EXPORT_NAME ${target}
                                               LINKER_LANGUAGE C)
    filch_compile_options(${target})
endfunction()

# Only what the public headers declare leaves the shared library.
function(filch_limit_exports target)
    target_link_options(${target} PRIVATE
        -Wl,--version-script=${PROJECT_SOURCE_DIR}/api/filch.map -Wl,-z,relro,-z,now,-z,noexecstack,-z,defs,-z,nodelete)
    set_target_properties(${target} PROPERTIES LINK_DEPENDS ${PROJECT_SOURCE_DIR}/api/filch.map)
endfunction()
