# `cmake --install`: the program with its man page and completions, and libweir (shared and static) with its headers,
# CMake package and weir.pc.
install(TARGETS weir RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

# weir's own network, found by the program where it is installed and where it was built.
set(weir_networks models/weir-2x.param models/weir-2x.bin models/weir-2x.md)
install(FILES ${weir_networks} DESTINATION ${CMAKE_INSTALL_DATADIR}/weir/models)
foreach(file ${weir_networks})
  configure_file(${file} ${PROJECT_BINARY_DIR}/${file} COPYONLY)
endforeach()

# packaging/update makes these from the program's own table of flags; a test compares them.
install(FILES packaging/man/weir.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES packaging/completions/weir.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME weir)
install(FILES packaging/completions/_weir DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES packaging/completions/weir.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(FILES packaging/tmpfiles.d/weir.conf DESTINATION lib/tmpfiles.d)  # where systemd looks, below /usr and /usr/local
install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

if(NOT EXISTS ${PROJECT_SOURCE_DIR}/src/api)
  return()
endif()

# The library: only what the public headers mark as theirs is visible in the shared one.
set_target_properties(weir_core PROPERTIES
  C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
foreach(kind SHARED STATIC)
  string(TOLOWER weir_${kind} target)
  add_library(${target} ${kind} $<TARGET_OBJECTS:weir_core>)
  set_target_properties(${target} PROPERTIES OUTPUT_NAME weir LINKER_LANGUAGE CXX)
  target_include_directories(${target} INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endforeach()
target_link_libraries(weir_shared PRIVATE weir_options weir_dependencies)
set_target_properties(weir_shared PROPERTIES
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR} EXPORT_NAME weir)
install(TARGETS weir_shared EXPORT weirTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS weir_static ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/weir DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")

# What the static library needs of others; libvips is loaded while running.
set(WEIR_PC_REQUIRES "spng libjpeg libisal libxxhash libmd fmt spdlog")
include(CMakePackageConfigHelpers)
set(weir_package ${CMAKE_INSTALL_LIBDIR}/cmake/weir)
install(EXPORT weirTargets NAMESPACE weir:: DESTINATION ${weir_package})
configure_package_config_file(cmake/weirConfig.cmake.in ${PROJECT_BINARY_DIR}/weirConfig.cmake
  INSTALL_DESTINATION ${weir_package} PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/weirConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/weirConfig.cmake ${PROJECT_BINARY_DIR}/weirConfigVersion.cmake
  DESTINATION ${weir_package})

# weir.pc finds its own place, so that an installed tree may be moved.
file(RELATIVE_PATH weir_include_from_lib ${CMAKE_INSTALL_FULL_LIBDIR} ${CMAKE_INSTALL_FULL_INCLUDEDIR})
configure_file(cmake/weir.pc.in ${PROJECT_BINARY_DIR}/weir.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/weir.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
