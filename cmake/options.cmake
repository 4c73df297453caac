# One interface target carries the compiler settings of every file of ours.
add_library(weir_options INTERFACE)
target_compile_options(weir_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wno-sign-conversion -Wshadow -Wnon-virtual-dtor
  -ffp-contract=off)  # the result of a picture must not depend on what the compiler fuses
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 warns about its own intrinsics headers and about variants that it cannot follow.
  target_compile_options(weir_options INTERFACE -Wno-maybe-uninitialized -Wno-psabi)
endif()
if(WEIR_WERROR)
  target_compile_options(weir_options INTERFACE -Werror)
endif()
if(WEIR_SANITIZE)
  target_compile_options(weir_options INTERFACE -fsanitize=${WEIR_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(weir_options INTERFACE -fsanitize=${WEIR_SANITIZE})
endif()

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
      set_source_files_properties(${source} PROPERTIES COMPILE_FLAGS "${flags} -O3")
    else()
      set_source_files_properties(${source} PROPERTIES HEADER_FILE_ONLY ON)
    endif()
  endforeach()
endfunction()
