# The sources of one folder are compiled together, a few at a time: the headers that they share are read once. A change of one
# file compiles its neighbours too; -DWEIR_UNITY=OFF compiles each file alone, as clang-tidy needs it. CMake's own unity builds
# name their sources by absolute paths, with which a compiler cache would serve one clone alone.
option(WEIR_UNITY "Compile the sources of a folder together" ON)
set(WEIR_UNITY_FILES 12 CACHE STRING "The most sources that are compiled together")

# weir_unity(TARGET): groups by folder, so that a new file moves nothing in other folders. Call it after the flags of single
# sources are set: those sources stay alone.
function(weir_unity target)
  if(NOT WEIR_UNITY)
    return()
  endif()
  get_target_property(sources ${target} SOURCES)
  set(groups "")
  foreach(source ${sources})
    get_source_file_property(flags ${source} COMPILE_FLAGS)
    get_source_file_property(definitions ${source} COMPILE_DEFINITIONS)
    get_source_file_property(header ${source} HEADER_FILE_ONLY)
    # Tables of flags name their rows alike.
    if(flags OR definitions OR header OR NOT source MATCHES "\\.cpp$" OR source MATCHES "flags\\.cpp$")
      continue()
    endif()
    file(RELATIVE_PATH path ${PROJECT_SOURCE_DIR} ${source})
    get_filename_component(folder ${path} DIRECTORY)
    string(MAKE_C_IDENTIFIER ${folder} folder)
    if(NOT DEFINED count_${folder})
      set(count_${folder} 0)
    endif()
    math(EXPR part "${count_${folder}} / ${WEIR_UNITY_FILES}")
    math(EXPR count_${folder} "${count_${folder}} + 1")
    list(APPEND groups ${folder}_${part})
    string(APPEND text_${folder}_${part} "#include \"${path}\"\n")
    set_source_files_properties(${source} PROPERTIES HEADER_FILE_ONLY ON)
  endforeach()
  list(REMOVE_DUPLICATES groups)
  foreach(group ${groups})
    set(file ${PROJECT_BINARY_DIR}/unity/${target}/${group}.cpp)
    file(CONFIGURE OUTPUT ${file} CONTENT "${text_${group}}")  # written only when it changes
    target_sources(${target} PRIVATE ${file})
  endforeach()
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${target} PRIVATE -Wno-subobject-linkage)  # it takes each source for a header
  endif()
endfunction()
