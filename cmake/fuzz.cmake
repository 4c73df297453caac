# One libFuzzer program per src/**/X_fuzz.cpp, named weir_X_fuzz; its seed corpus is the folder X_fuzz_corpus beside it.
if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  message(FATAL_ERROR "WEIR_FUZZ needs Clang: libFuzzer comes with it")
endif()
foreach(source ${WEIR_FUZZ_SOURCES})
  get_filename_component(name ${source} NAME_WE)
  add_executable(weir_${name} ${source})
  target_link_libraries(weir_${name} PRIVATE weir_core $<TARGET_NAME_IF_EXISTS:weir_audit>
    $<TARGET_NAME_IF_EXISTS:weir_training>)
  target_include_directories(weir_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_options(weir_${name} PRIVATE -fsanitize=fuzzer)
endforeach()
