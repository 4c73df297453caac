# The parts of weir (docs/parts.md): weir-NAME, the program of one command, found beside `weir` or in libexec/weir. A part is
# made where its libraries are, and named where it is not.

# weir_part(NAME LIBRARY...): of src/parts/NAME, with what it needs beside the command line.
set(WEIR_PARTS "")  # those that are made
function(weir_part name)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/parts/${name}/*.cpp)
  add_executable(weir-${name} ${sources})
  target_link_libraries(weir-${name} PRIVATE weir_cli weir_training weir_core ${ARGN})
  set_target_properties(weir-${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
  install(TARGETS weir-${name} RUNTIME DESTINATION libexec/weir COMPONENT ${name})
  set(WEIR_PARTS ${WEIR_PARTS} weir-${name} PARENT_SCOPE)
endfunction()

if(WEIR_AUDIT)
  weir_part(audit weir_audit)
endif()
if(WEIR_FILM)
  weir_part(film weir_film)
endif()
add_custom_target(weir_parts DEPENDS ${WEIR_PARTS})  # all that can be made here
