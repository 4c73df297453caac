# The parsers of `weir audit`: sources that scripts/fetch_grammars has brought from npm, compiled into one static library.
# Where they are not there, one line says so and the part is left out. Sets WEIR_AUDIT.
execute_process(COMMAND ${PROJECT_SOURCE_DIR}/scripts/fetch_grammars --check
  RESULT_VARIABLE weir_grammars_missing ERROR_VARIABLE weir_grammars_problem ERROR_STRIP_TRAILING_WHITESPACE)
if(weir_grammars_missing)
  message(STATUS "${weir_grammars_problem}")
  set(WEIR_AUDIT OFF)
  return()
endif()
set(WEIR_AUDIT ON)

set(weir_grammars_folder ${PROJECT_SOURCE_DIR}/.cache/grammars)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/packaging/grammars.txt)
file(STRINGS ${PROJECT_SOURCE_DIR}/packaging/grammars.txt weir_grammar_rows REGEX "^[^#]")
set(weir_grammar_sources "")
foreach(row ${weir_grammar_rows})
  separate_arguments(row)
  list(GET row 1 version)
  list(GET row 2 name)
  set(folder ${weir_grammars_folder}/${name}-${version})
  install(FILES ${folder}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR}/licenses RENAME ${name})
  if(name STREQUAL "tree-sitter")
    set(weir_tree_sitter ${folder}/src)
    list(APPEND weir_grammar_sources ${folder}/src/src/lib.c)
  else()
    list(APPEND weir_grammar_sources ${folder}/src/parser.c)
    if(EXISTS ${folder}/src/scanner.c)
      list(APPEND weir_grammar_sources ${folder}/src/scanner.c)
    endif()
  endif()
endforeach()

# Python's scanner with one of ours around it; it needs the library's own headers.
list(APPEND weir_grammar_sources ${PROJECT_SOURCE_DIR}/src/audit/syntax/python_scanner.c)

# Code of others: no warnings of ours, never instrumented, and as fast in every build type: it is most of an audit's time.
add_library(weir_grammars STATIC ${weir_grammar_sources})
target_include_directories(weir_grammars SYSTEM PUBLIC ${weir_tree_sitter}/include PRIVATE ${weir_tree_sitter}/src)
target_compile_options(weir_grammars PRIVATE -w -O3 -fno-semantic-interposition -fvisibility=hidden)
target_compile_definitions(weir_grammars PRIVATE _DEFAULT_SOURCE _POSIX_C_SOURCE=200809L)
