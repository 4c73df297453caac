# Benchmarks: everything that `make bench` needs is behind the target weir_benchmarks, made only when asked for by name.
add_custom_target(weir_benchmarks)

find_package(benchmark QUIET)
if(benchmark_FOUND)
  add_executable(weir_bench EXCLUDE_FROM_ALL ${WEIR_BENCH_SOURCES})
  target_link_libraries(weir_bench PRIVATE weir_core $<TARGET_NAME_IF_EXISTS:weir_audit> benchmark::benchmark_main)
  add_dependencies(weir_benchmarks weir_bench)

  # What bench/training runs.
  add_executable(weir_training_bench EXCLUDE_FROM_ALL bench/training.cpp src/compute/kernels/peak_bench.cpp)
  target_link_libraries(weir_training_bench PRIVATE weir_core benchmark::benchmark)
  add_dependencies(weir_benchmarks weir_training_bench)
endif()

add_executable(weir_measure EXCLUDE_FROM_ALL bench/measure.cpp)
target_link_libraries(weir_measure PRIVATE weir_options nlohmann_json::nlohmann_json)
add_executable(weir_bench_inputs EXCLUDE_FROM_ALL bench/inputs.cpp)
target_link_libraries(weir_bench_inputs PRIVATE weir_options PkgConfig::VIPS_CPP)
add_dependencies(weir_benchmarks weir weir_measure weir_bench_inputs)

# What bench/quality runs.
add_executable(weir_quality EXCLUDE_FROM_ALL bench/quality.cpp)
target_link_libraries(weir_quality PRIVATE weir_training weir_core)
add_dependencies(weir_benchmarks weir_quality)

# What bench/gpu.sh runs.
add_executable(weir_gpu_bench EXCLUDE_FROM_ALL bench/gpu.cpp)
target_link_libraries(weir_gpu_bench PRIVATE weir_core)
add_dependencies(weir_benchmarks weir_gpu_bench)

# What a frame of a film costs in the network.
add_executable(weir_frame_bench EXCLUDE_FROM_ALL bench/frames.cpp)
target_link_libraries(weir_frame_bench PRIVATE weir_core)
add_dependencies(weir_benchmarks weir_frame_bench)

# The peer to compare with, where ncnn is installed (CMAKE_PREFIX_PATH). No part of weir uses ncnn.
find_package(ncnn QUIET CONFIG)
if(ncnn_FOUND)
  add_executable(weir_peer_ncnn EXCLUDE_FROM_ALL bench/peer/peer.cpp)
  target_link_libraries(weir_peer_ncnn PRIVATE weir_options ncnn PkgConfig::VIPS_CPP)
  add_dependencies(weir_benchmarks weir_peer_ncnn)
endif()
