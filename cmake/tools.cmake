# What `make demo`, `make soak` and a test of the installed library need beside the program.
pkg_check_modules(VIPS_CPP REQUIRED IMPORTED_TARGET vips-cpp)
add_executable(weir_demo_page examples/demo_page.cpp)
target_link_libraries(weir_demo_page PRIVATE weir_options PkgConfig::VIPS_CPP)
add_executable(weir_resampling_network examples/resampling_network.cpp)
target_link_libraries(weir_resampling_network PRIVATE weir_options)
