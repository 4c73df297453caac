# Benchmarks, made only when asked for by name: micro-kernels, the measuring program, and the peer where ncnn is found.
find_package(benchmark QUIET)
if(benchmark_FOUND AND WEIR_BENCH_SOURCES)
  add_executable(weir_bench EXCLUDE_FROM_ALL ${WEIR_BENCH_SOURCES})
  target_link_libraries(weir_bench PRIVATE weir_core benchmark::benchmark_main)
endif()

add_executable(weir_measure EXCLUDE_FROM_ALL bench/measure.cpp)
target_link_libraries(weir_measure PRIVATE weir_options nlohmann_json::nlohmann_json)

find_package(ncnn QUIET CONFIG)
if(ncnn_FOUND)
  add_executable(weir_peer_ncnn EXCLUDE_FROM_ALL bench/peer/peer.cpp)
  target_link_libraries(weir_peer_ncnn PRIVATE weir_options ncnn PkgConfig::VIPS)
endif()
