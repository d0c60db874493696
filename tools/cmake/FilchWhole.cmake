# The library as one whole.
#
# What the public headers do not declare is nobody else's. A compiler that sees all sources at once and knows that can inline and specialize
# throughout, which takes a quarter to a third off short calls (tools/bench/RESULTS.md). Here gcc's link-time optimization does so and leaves
# an ordinary object file behind: whoever links the library needs no flags for it.

set(FILCH_WHOLE "auto" CACHE STRING
    "Compile the library as one whole: auto (where gcc can and optimizes), ON or OFF")

set(filch_whole_compile -flto)
# Without the plugin: it would keep whatever another file of the final program might ask for.
set(filch_whole_link
    -fPIC -flto -flto-partition=none -fno-use-linker-plugin -fwhole-program -r -nostdlib)

# Try it with two small files: does one function stay visible, and the other not?
function(filch_try_whole result)
    set(folder ${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/filch-whole)
    file(WRITE ${folder}/kept.c "int inner(int x);\n__attribute__((externally_visible)) int kept(void) { return inner(1); }\n")
    file(WRITE ${folder}/inner.c "int inner(int x) { return x + 1; }\n")
    separate_arguments(flags NATIVE_COMMAND "${CMAKE_C_FLAGS} -O2 ${filch_whole_compile}")
    execute_process(COMMAND ${CMAKE_C_COMPILER} ${flags} -c kept.c inner.c
        WORKING_DIRECTORY ${folder} OUTPUT_QUIET ERROR_QUIET)
    execute_process(COMMAND ${CMAKE_C_COMPILER} ${flags} ${filch_whole_link} -o whole.o kept.o inner.o
        WORKING_DIRECTORY ${folder} OUTPUT_QUIET ERROR_QUIET)
    execute_process(COMMAND ${CMAKE_NM} whole.o
        WORKING_DIRECTORY ${folder} OUTPUT_VARIABLE names ERROR_QUIET)
    if(names MATCHES " T kept" AND NOT names MATCHES " [TU] inner" AND NOT names MATCHES "__gnu_lto")
        set(${result} ON CACHE INTERNAL "gcc can compile the library as one whole")
    else()
        set(${result} OFF CACHE INTERNAL "gcc cannot compile the library as one whole")
    endif()
endfunction()

set(filch_whole OFF)
if(NOT FILCH_WHOLE STREQUAL "OFF" AND CMAKE_C_COMPILER_ID STREQUAL "GNU" AND NOT FILCH_SANITIZE
   AND (CMAKE_BUILD_TYPE MATCHES "^(Release|RelWithDebInfo|MinSizeRel)$" OR filch_optimize))
    if(NOT DEFINED FILCH_CAN_BE_WHOLE)
        filch_try_whole(FILCH_CAN_BE_WHOLE)
    endif()
    set(filch_whole ${FILCH_CAN_BE_WHOLE})
endif()
if(FILCH_WHOLE STREQUAL "ON" AND NOT filch_whole)
    message(FATAL_ERROR "FILCH_WHOLE needs gcc, an optimized build type and no FILCH_SANITIZE")
endif()

# The names that api/filch.map exports.
file(STRINGS ${PROJECT_SOURCE_DIR}/api/filch.map filch_exports REGEX "filch_[a-z0-9_]+;")
string(REGEX MATCHALL "filch_[a-z0-9_]+" filch_exports "${filch_exports}")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/api/filch.map)

# filch_write_exports(file [WHOLE] [HEADERS ... NAMES ...]): a header to be included before each source. Those
# functions that filch.map lists are seen from outside of what the library is linked into, -fvisibility=hidden
# hides all else; and whoever is linked with a copy of the library uses that one (protected), so that two
# copies in one process do not mix. WHOLE: they, and NAMES, are kept.
function(filch_write_exports file)
    cmake_parse_arguments(PARSE_ARGV 1 more "WHOLE" "" "HEADERS;NAMES")
    set(kept "")
    if(more_WHOLE)
        set(kept "externally_visible")
    endif()
    set(text "#ifndef __ASSEMBLER__\n#define _GNU_SOURCE /* as the sources that need it say, too late here */\n")
    foreach(header IN ITEMS filch/filch.h LISTS more_HEADERS)
        string(APPEND text "#include <${header}>\n")
    endforeach()
    foreach(name IN LISTS filch_exports)
        string(APPEND text
            "extern __typeof__(${name}) ${name} __attribute__((visibility(\"protected\"), ${kept}));\n")
    endforeach()
    foreach(name IN LISTS more_NAMES)
        string(APPEND text "extern __typeof__(${name}) ${name} __attribute__((${kept}));\n")
    endforeach()
    file(CONFIGURE OUTPUT ${file} CONTENT "${text}#endif\n" @ONLY)
endfunction()

# filch_make_whole(target): from the object library `target`, compiled with filch_whole_compile, one object
# file; its path is put in `target_WHOLE`.
function(filch_make_whole target)
    set(object ${CMAKE_CURRENT_BINARY_DIR}/${target}.o)
    string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
    separate_arguments(flags NATIVE_COMMAND "${CMAKE_C_FLAGS} ${CMAKE_C_FLAGS_${type}} ${filch_optimize}")
    add_custom_command(OUTPUT ${object}
        COMMAND ${CMAKE_C_COMPILER} ${flags} ${filch_whole_link} -o ${object} $<TARGET_OBJECTS:${target}>
        DEPENDS ${target} $<TARGET_OBJECTS:${target}>
        COMMAND_EXPAND_LISTS VERBATIM
        COMMENT "Optimizing ${target} as one whole")
    add_custom_target(${target}_whole DEPENDS ${object})
    set_source_files_properties(${object} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
    set(${target}_WHOLE ${object} PARENT_SCOPE)
endfunction()
