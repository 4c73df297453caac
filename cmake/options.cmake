# One interface target carries the compiler settings of every file of ours.
add_library(weir_options INTERFACE)
target_compile_options(weir_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wno-sign-conversion -Wshadow
  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor>
  -ffp-contract=off)  # the result of a picture must not depend on what the compiler fuses
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 warns about its own intrinsics headers, about variants that it cannot follow, and about "a" + text (its bug 105651).
  target_compile_options(weir_options INTERFACE -Wno-maybe-uninitialized -Wno-psabi -Wno-restrict)
endif()

# auto: errors with the compilers that CI uses, so that a newer compiler's new warning stops no newcomer's build.
set(weir_known_compiler OFF)
if((CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION MATCHES "^12\\.")
    OR (CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION MATCHES "^14\\."))
  set(weir_known_compiler ON)
endif()
if((WEIR_WERROR STREQUAL "auto" AND weir_known_compiler) OR (NOT WEIR_WERROR STREQUAL "auto" AND WEIR_WERROR))
  target_compile_options(weir_options INTERFACE -Werror)
endif()

# Build type Sanitize: asserts stay, code is fast enough for the whole suite, backtraces have lines.
set(CMAKE_CXX_FLAGS_SANITIZE "-O1 -g1" CACHE STRING "")
set(CMAKE_C_FLAGS_SANITIZE "-O1 -g1" CACHE STRING "")
if(WEIR_SANITIZE)
  target_compile_options(weir_options INTERFACE
    -fsanitize=${WEIR_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(weir_options INTERFACE -fsanitize=${WEIR_SANITIZE})
endif()
if(WEIR_FUZZ)
  # Coverage for libFuzzer; without a fuzz target's main it costs little and changes nothing.
  target_compile_options(weir_options INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(weir_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

find_program(WEIR_CCACHE ccache)
if(WEIR_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Paths below the project are relative ones to the cache, so that one clone's objects serve every other.
  set(weir_cache ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${WEIR_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${weir_cache})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${weir_cache})
endif()

# The plain references are oracles, and most of the time of a sanitizer's tests: they are optimised as in a release. They run on
# one thread, where ThreadSanitizer finds nothing.
function(weir_optimise_references)
  if(NOT WEIR_SANITIZE)
    return()
  endif()
  set(flags -O2)
  if(WEIR_SANITIZE MATCHES "thread")
    string(APPEND flags " -fno-sanitize=thread")
  endif()
  foreach(source ${ARGN})
    if(source MATCHES "_ref\\.cpp$|/nn/reference\\.cpp$")
      set_source_files_properties(${source} PROPERTIES COMPILE_FLAGS "${flags}")
    endif()
  endforeach()
endfunction()

# A source whose name ends in the name of an instruction set is compiled for it, and nothing else is.
function(weir_set_isa_flags)
  foreach(source ${ARGN})
    if(source MATCHES "_avx512\\.cpp$")
      set(flags "-mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni -mavx2 -mfma -mf16c")
      set(cpu x86_64)
    elseif(source MATCHES "_avx2\\.cpp$")
      set(flags "-mavx2 -mfma -mf16c")
      set(cpu x86_64)
    elseif(source MATCHES "_neon\\.cpp$")
      set(flags "")
      set(cpu aarch64)
    else()
      continue()
    endif()
    if(CMAKE_SYSTEM_PROCESSOR STREQUAL cpu)
      set_source_files_properties(${source} PROPERTIES COMPILE_FLAGS "${flags} -O3 -fno-math-errno")  # roots as vectors; no result changes
    else()
      set_source_files_properties(${source} PROPERTIES HEADER_FILE_ONLY ON)
    endif()
  endforeach()
endfunction()
