# What `make demo`, `make soak` and a test of the installed library need beside the program.
pkg_check_modules(VIPS_CPP REQUIRED IMPORTED_TARGET vips-cpp)
add_executable(weir_demo_page examples/demo_page.cpp)
target_link_libraries(weir_demo_page PRIVATE weir_options PkgConfig::VIPS_CPP)
add_executable(weir_resampling_network examples/resampling_network.cpp)
target_link_libraries(weir_resampling_network PRIVATE weir_options)

# The neural library's examples, which are tests too.
foreach(example xor sine digits)
  add_executable(weir_example_${example} EXCLUDE_FROM_ALL examples/training/${example}.cpp)
  target_link_libraries(weir_example_${example} PRIVATE weir_core)
endforeach()
