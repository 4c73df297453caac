# The Python package, for the system's interpreter: build/python/weir, and build/weir-VERSION-....whl by the target
# weir_wheel. Left out, with a line that says so, where pybind11 or Python's headers are missing.
find_program(WEIR_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH DOC "The interpreter of the Python package")
set(PYTHON_EXECUTABLE ${WEIR_PYTHON})
set(PYBIND11_FINDPYTHON OFF)
find_package(pybind11 2.6 QUIET CONFIG)
if(NOT WEIR_PYTHON OR NOT pybind11_FOUND OR NOT PYTHONLIBS_FOUND)
  message(STATUS "weir: no Python package: pybind11-dev or python3-dev is missing")
  return()
endif()

set(weir_python_folder ${PROJECT_BINARY_DIR}/python/weir)
pybind11_add_module(weir_python MODULE EXCLUDE_FROM_ALL NO_EXTRAS python/bindings.cpp)
target_link_libraries(weir_python PRIVATE weir_cli weir_training weir_core)
set_target_properties(weir_python PROPERTIES OUTPUT_NAME _native LIBRARY_OUTPUT_DIRECTORY ${weir_python_folder})
file(GLOB weir_python_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/python/weir/*.py
  ${PROJECT_SOURCE_DIR}/python/weir/*.pyi ${PROJECT_SOURCE_DIR}/python/weir/py.typed)
set_target_properties(weir_python PROPERTIES LINK_DEPENDS "${weir_python_sources}")  # a changed .py is copied, too
add_custom_command(TARGET weir_python POST_BUILD
  COMMAND ${CMAKE_COMMAND} -E copy_if_different ${weir_python_sources} ${weir_python_folder})

add_custom_target(weir_wheel
  COMMAND ${WEIR_PYTHON} ${PROJECT_SOURCE_DIR}/python/make_wheel.py ${PROJECT_BINARY_DIR}/python ${PROJECT_VERSION}
    ${PROJECT_BINARY_DIR}
  DEPENDS weir_python)

if(WEIR_TESTS AND NOT WEIR_SANITIZE)
  execute_process(COMMAND ${WEIR_PYTHON} -c "import pytest" RESULT_VARIABLE weir_no_pytest OUTPUT_QUIET ERROR_QUIET)
  if(weir_no_pytest)
    message(STATUS "weir: the Python package is not tested: python3-pytest is missing")
    return()
  endif()
  set_target_properties(weir_python PROPERTIES EXCLUDE_FROM_ALL OFF)
  add_test(NAME python_package COMMAND ${WEIR_PYTHON} -m pytest -q -p no:cacheprovider ${PROJECT_SOURCE_DIR}/python/tests)
  set_tests_properties(python_package PROPERTIES TIMEOUT 600 COST 100 LABELS slow ENVIRONMENT  # the longest comes first
    "PYTHONPATH=${PROJECT_BINARY_DIR}/python;WEIR_FAKE_NVML_FOLDER=${PROJECT_BINARY_DIR}/fake_nvml;PYTHONDONTWRITEBYTECODE=1")
endif()
