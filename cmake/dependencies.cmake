# Everything comes from Debian's packages; the list is in packaging/debian-packages.txt.
find_package(Threads REQUIRED)
add_library(weir_dependencies INTERFACE)
target_link_libraries(weir_dependencies INTERFACE Threads::Threads)

if(WEIR_KERNELS_ONLY)
  # The headers do not depend on the processor; their compiled parts are made in place.
  target_compile_definitions(weir_dependencies INTERFACE FMT_HEADER_ONLY XXH_INLINE_ALL)
  return()
endif()

find_package(PkgConfig REQUIRED)
pkg_check_modules(VIPS REQUIRED vips>=8.13)  # headers only: the library is loaded when a picture needs it
pkg_check_modules(TIFF REQUIRED libtiff-4>=4.5)  # headers only, as above
pkg_check_modules(JXL REQUIRED libjxl>=0.7)
pkg_check_modules(SPNG REQUIRED IMPORTED_TARGET spng)
pkg_check_modules(JPEG REQUIRED IMPORTED_TARGET libjpeg)
pkg_check_modules(ISAL REQUIRED IMPORTED_TARGET libisal)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(LIBMD REQUIRED IMPORTED_TARGET libmd)  # SHA-256
find_package(CLI11 REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
target_link_libraries(weir_dependencies INTERFACE PkgConfig::SPNG PkgConfig::JPEG PkgConfig::ISAL PkgConfig::XXHASH PkgConfig::LIBMD
  ${CMAKE_DL_LIBS}
  CLI11::CLI11 tomlplusplus::tomlplusplus fmt::fmt spdlog::spdlog nlohmann_json::nlohmann_json)
target_include_directories(weir_dependencies SYSTEM INTERFACE ${VIPS_INCLUDE_DIRS} ${TIFF_INCLUDE_DIRS}
  ${JXL_INCLUDE_DIRS})
