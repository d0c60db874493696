# cmake --install: headers, both libraries, a CMake package, a pkg-config file and one for ctags.

include(CMakePackageConfigHelpers)

install(DIRECTORY api/include/filch runtime/include/filch DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES tools/filch.ctags DESTINATION ${CMAKE_INSTALL_DATADIR}/filch)
install(TARGETS filch_static filch_shared EXPORT filchTargets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
    RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(EXPORT filchTargets NAMESPACE filch:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/filch)

configure_package_config_file(tools/cmake/filchConfig.cmake.in filchConfig.cmake
    INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/filch)
write_basic_package_version_file(filchConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/filchConfig.cmake
    ${CMAKE_CURRENT_BINARY_DIR}/filchConfigVersion.cmake
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/filch)

# The paths in filch.pc are relative to where it lies, so that an installed tree can be moved.
file(RELATIVE_PATH FILCH_PC_PREFIX
    ${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(tools/cmake/filch.pc.in filch.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/filch.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
