# How filch's own targets are built: flags, sanitizers, and the files chosen for this platform.

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
find_package(Threads REQUIRED)

include(CheckCSourceCompiles)

# Some processors of 32 bits have a library for atomics of 64.
check_c_source_compiles("#include <stdatomic.h>
    static _Atomic(unsigned long long) x;
    int main(void) { return (int)atomic_fetch_add(&x, 1); }" FILCH_HAS_ATOMICS)
set(filch_atomics "")
if(NOT FILCH_HAS_ATOMICS)
    set(filch_atomics -latomic)
endif()

# Frames are unwound (runtime/sched/unwound.h) where that can be linked: with musl-gcc it cannot, which takes the
# library for it from a gcc that is made for glibc.
set(CMAKE_REQUIRED_FLAGS -fexceptions)
check_c_source_compiles("static volatile int seen;
    static void see(int *x) { seen = *x; }
    int main(int n, char **names) {
        void (*volatile call)(char **) = 0;
        __attribute__((cleanup(see))) int x = n;
        if (x < 0) call(names);
        return 0;
    }" FILCH_CAN_UNWIND)
unset(CMAKE_REQUIRED_FLAGS)
set(filch_unwind "")
if(FILCH_CAN_UNWIND)
    set(filch_unwind -fexceptions)
endif()

set(FILCH_WARNINGS -Wall -Wextra -Wpedantic -Wconversion -Wshadow -DFILCH_LONG_ERRORS)
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
        # ThreadSanitizer does not see free fences. filch has them in the wake-up handshake alone, where
        # they order atomics and publish no plain data, so nothing is reported for them.
        if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
            list(APPEND FILCH_SANITIZE_FLAGS -Wno-tsan)
        endif()
    endif()
endif()
if("${FILCH_SANITIZE_FLAGS} ${CMAKE_C_FLAGS}" MATCHES "-fsanitize=[a-z,]*thread")
    # It does not know the C library's C11 thread calls: this build sees the same calls over POSIX
    # threads instead.
    include_directories(BEFORE SYSTEM ${PROJECT_SOURCE_DIR}/tests/shadow/tsan)
endif()

# As part of another project that names no build type the library is optimized all the same.
set(filch_optimize "")
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES AND NOT CMAKE_C_FLAGS MATCHES "-O")
    set(filch_optimize -O2)
endif()

# Flags that every target of the project is compiled with.
function(filch_compile_options target)
    target_compile_options(${target} PRIVATE ${FILCH_WARNINGS} ${FILCH_SANITIZE_FLAGS})
    target_link_options(${target} PRIVATE ${FILCH_SANITIZE_FLAGS})
endfunction()

include(FilchSources)

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
    # In sections of their own: a program leaves out what it does not use (-Wl,--gc-sections).
    target_compile_options(${target} PRIVATE ${filch_optimize} -ffunction-sections -fdata-sections)
    filch_compile_options(${target})
    if(NOT FILCH_SANITIZE)
        target_compile_options(${target} PRIVATE -fstack-protector-strong)
    endif()
endfunction()

# filch_add_parts(parts [WHOLE] [OPTIONS ...]): everything that a library is made of, compiled once, with
# these options more; WHOLE: as one file. What is to be linked is in `parts_FILES`.
function(filch_add_parts parts)
    cmake_parse_arguments(PARSE_ARGV 1 with "WHOLE" "" "OPTIONS")
    if(with_WHOLE)
        filch_compile(${parts} api/filch_all.c)
    else()
        filch_compile(${parts} ${FILCH_SOURCES})
    endif()
    filch_compile(${parts}_apart ${FILCH_SOURCES_APART})
    target_compile_options(${parts} PRIVATE ${filch_unwind})
    target_compile_options(${parts} PRIVATE "SHELL:-include \"${filch_exports_header}\"" ${with_OPTIONS})
    target_compile_options(${parts}_apart PRIVATE ${with_OPTIONS})
    set(${parts}_FILES $<TARGET_OBJECTS:${parts}> $<TARGET_OBJECTS:${parts}_apart> PARENT_SCOPE)
endfunction()

# filch_add_library(target kind parts): a library of these.
function(filch_add_library target kind parts)
    add_library(${target} ${kind} ${${parts}_FILES})
    target_include_directories(${target}
        PUBLIC "$<BUILD_INTERFACE:${FILCH_PUBLIC_INCLUDES}>"
               $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    target_link_libraries(${target} PUBLIC Threads::Threads ${filch_atomics})
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
