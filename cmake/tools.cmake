# What `make demo` and `make soak` need beside the program; made only when asked for by name.
pkg_check_modules(VIPS_CPP REQUIRED IMPORTED_TARGET vips-cpp)
add_executable(weir_demo_page EXCLUDE_FROM_ALL examples/demo_page.cpp)
target_link_libraries(weir_demo_page PRIVATE weir_options PkgConfig::VIPS_CPP)
add_executable(weir_resampling_network EXCLUDE_FROM_ALL examples/resampling_network.cpp)
target_link_libraries(weir_resampling_network PRIVATE weir_options)
