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
pkg_check_modules(VIPS REQUIRED IMPORTED_TARGET vips>=8.13)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
find_package(CLI11 REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
target_link_libraries(weir_dependencies INTERFACE PkgConfig::VIPS PkgConfig::XXHASH
  CLI11::CLI11 tomlplusplus::tomlplusplus fmt::fmt spdlog::spdlog nlohmann_json::nlohmann_json)
