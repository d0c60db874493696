# The target `reference`: the headers' comments as HTML (reference/html/index.html, and html/cpp/index.html for C++)
# and as manual pages, which are installed if they have been made. Wants Doxygen and Python.

find_program(FILCH_DOXYGEN doxygen)
find_package(Python3 COMPONENTS Interpreter QUIET)
set(FILCH_REFERENCE ${CMAKE_CURRENT_BINARY_DIR}/reference)

if(FILCH_DOXYGEN AND Python3_FOUND)
    configure_file(tools/reference/Doxyfile.in reference/Doxyfile @ONLY)
    configure_file(tools/reference/Doxyfile.cpp.in reference/Doxyfile.cpp @ONLY)
    add_custom_target(reference
        COMMAND ${CMAKE_COMMAND} -E rm -rf ${FILCH_REFERENCE}/html ${FILCH_REFERENCE}/man ${FILCH_REFERENCE}/man3
        COMMAND ${CMAKE_COMMAND} -E make_directory ${FILCH_REFERENCE}/man
        COMMAND ${FILCH_DOXYGEN} ${FILCH_REFERENCE}/Doxyfile
        COMMAND ${FILCH_DOXYGEN} ${FILCH_REFERENCE}/Doxyfile.cpp
        COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/tools/reference/pages.py
            ${FILCH_REFERENCE}/man ${FILCH_REFERENCE}/man3
        COMMENT "The reference: ${FILCH_REFERENCE}/html/index.html" VERBATIM)
endif()
install(DIRECTORY ${FILCH_REFERENCE}/man3 DESTINATION ${CMAKE_INSTALL_MANDIR} OPTIONAL)
