include(GoogleTest)
if(WEIR_KERNELS_ONLY)
  # Debian has no GoogleTest library for another processor; its package `googletest` has the sources.
  set(BUILD_GMOCK ON)
  set(INSTALL_GTEST OFF)
  add_subdirectory(/usr/src/googletest ${PROJECT_BINARY_DIR}/googletest EXCLUDE_FROM_ALL)  # makes GTest::gmock
else()
  find_package(GTest REQUIRED)
endif()

set(weir_test_sources ${WEIR_TEST_SOURCES})
set(weir_blackbox_sources "")
if(NOT WEIR_KERNELS_ONLY AND NOT WEIR_ENGINE_ONLY)
  file(GLOB weir_blackbox_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/*_test.cpp)
  if(NOT WEIR_AUDIT)
    list(FILTER weir_blackbox_sources EXCLUDE REGEX "/cli_audit_test\\.cpp$")
  endif()
endif()

add_executable(weir_tests ${weir_test_sources} ${weir_blackbox_sources} ${PROJECT_SOURCE_DIR}/tests/places.cpp)
target_include_directories(weir_tests PRIVATE ${PROJECT_SOURCE_DIR}/tests)
target_link_libraries(weir_tests PRIVATE weir_core $<TARGET_NAME_IF_EXISTS:weir_audit>
  $<TARGET_NAME_IF_EXISTS:weir_training> GTest::gmock GTest::gtest_main)
if(NOT WEIR_KERNELS_ONLY)
  pkg_check_modules(WEIR_TEST_VIPS REQUIRED IMPORTED_TARGET vips)  # tests read reference pictures with it
  pkg_check_modules(WEIR_TEST_TIFF REQUIRED IMPORTED_TARGET libtiff-4)  # and draw files with it
  target_link_libraries(weir_tests PRIVATE PkgConfig::WEIR_TEST_VIPS PkgConfig::WEIR_TEST_TIFF)
endif()
set(weir_program "")
set(weir_fake_nvml_folder "")
set(weir_jumping_clock "")
if(TARGET weir_cli)
  set(weir_program $<TARGET_FILE:weir>)
  target_link_libraries(weir_tests PRIVATE weir_cli)
  add_dependencies(weir_tests weir ${WEIR_PARTS})
endif()

# A management library that says what a file says, in a folder of its own, for tests that have no GPU.
if(NOT WEIR_KERNELS_ONLY)
  add_library(weir_fake_nvml SHARED ${PROJECT_SOURCE_DIR}/tests/fake_nvml/fake_nvml.cpp)
  target_include_directories(weir_fake_nvml PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(weir_fake_nvml PRIVATE weir_options)
  set_target_properties(weir_fake_nvml PROPERTIES OUTPUT_NAME nvidia-ml SOVERSION 1
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fake_nvml)
  set(weir_fake_nvml_folder ${PROJECT_BINARY_DIR}/fake_nvml)
  add_dependencies(weir_tests weir_fake_nvml)
endif()

# A wall clock that jumps, to be preloaded.
if(NOT WEIR_KERNELS_ONLY)
  add_library(weir_jumping_clock SHARED ${PROJECT_SOURCE_DIR}/tests/jumping_clock/jumping_clock.cpp)
  set_target_properties(weir_jumping_clock PROPERTIES OUTPUT_NAME jumping-clock)
  set(weir_jumping_clock $<TARGET_FILE:weir_jumping_clock>)
  add_dependencies(weir_tests weir_jumping_clock)
endif()

# A part whose items its own workers do (docs/parts.md).
set(weir_part_with_workers "")
if(TARGET weir_cli)
  add_executable(weir_part_with_workers ${PROJECT_SOURCE_DIR}/tests/part_with_workers/main.cpp)
  target_link_libraries(weir_part_with_workers PRIVATE weir_cli weir_training weir_core)
  set(weir_part_with_workers $<TARGET_FILE:weir_part_with_workers>)
  add_dependencies(weir_tests weir_part_with_workers)
endif()

set_source_files_properties(${PROJECT_SOURCE_DIR}/tests/places.cpp PROPERTIES COMPILE_DEFINITIONS
  "WEIR_SOURCE_DIR=\"${PROJECT_SOURCE_DIR}\";WEIR_PROGRAM=\"${weir_program}\";WEIR_FAKE_NVML_FOLDER=\"${weir_fake_nvml_folder}\";WEIR_JUMPING_CLOCK=\"${weir_jumping_clock}\";WEIR_PART_WITH_WORKERS=\"${weir_part_with_workers}\";WEIR_FILM_CASES=\"${PROJECT_BINARY_DIR}/film_cases\"")
# What takes time in a test is the library, which is optimised in full; the tests' own code compiles in half the time so.
target_compile_options(weir_tests PRIVATE $<$<CONFIG:Release>:-O1>)
weir_unity(weir_tests)

set(weir_test_environment "")
if(WEIR_SANITIZE MATCHES "thread")
  # libvips and glib are not instrumented: what they do among themselves cannot be judged.
  set(weir_test_environment "TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/cmake/tsan.supp:halt_on_error=1")
elseif(WEIR_SANITIZE MATCHES "address")
  # glib's and libvips' caches live until the process ends; only what our code loses is a leak.
  set(weir_test_environment
    "LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/cmake/lsan.supp:print_suppressions=0")
endif()
# Tests run on Mesa's software driver, which is the same everywhere; without it those that need a device are skipped.
file(GLOB weir_lavapipe /usr/share/vulkan/icd.d/lvp_icd.*.json)
if(weir_lavapipe)
  list(GET weir_lavapipe 0 weir_lavapipe)
  list(APPEND weir_test_environment "VK_DRIVER_FILES=${weir_lavapipe}")
endif()
gtest_discover_tests(weir_tests DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 NO_PRETTY_VALUES
  PROPERTIES TIMEOUT 900 ENVIRONMENT "${weir_test_environment}")

if(WEIR_ENGINE_ONLY OR WEIR_KERNELS_ONLY)
  return()
endif()

# Films are drawn by ffmpeg once; the tests of film read them.
if(WEIR_FILM)
  file(GLOB weir_film_blackbox_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/film/*_test.cpp)
  add_executable(weir_film_tests ${WEIR_FILM_TEST_SOURCES} ${weir_film_blackbox_sources}
    ${PROJECT_SOURCE_DIR}/tests/places.cpp)
  target_include_directories(weir_film_tests PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(weir_film_tests PRIVATE weir_film weir_core GTest::gmock GTest::gtest_main)
  target_compile_options(weir_film_tests PRIVATE $<$<CONFIG:Release>:-O1>)
  weir_unity(weir_film_tests)
  add_dependencies(weir_film_tests weir weir-film)
  add_dependencies(weir_tests weir_film_tests)
  add_test(NAME film_cases COMMAND ${PROJECT_SOURCE_DIR}/tests/film/draw_cases ${PROJECT_BINARY_DIR}/film_cases)
  set_tests_properties(film_cases PROPERTIES FIXTURES_SETUP film_cases TIMEOUT 300 SKIP_RETURN_CODE 77)
  gtest_discover_tests(weir_film_tests DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 NO_PRETTY_VALUES
    PROPERTIES TIMEOUT 600 FIXTURES_REQUIRED film_cases
    ENVIRONMENT "${weir_test_environment}")
  # By hand, for hours: tests/film/kill_rounds build/weir 2000 SEED
  add_test(NAME films_are_killed_and_resumed
    COMMAND ${PROJECT_SOURCE_DIR}/tests/film/kill_rounds $<TARGET_FILE:weir> 24)
  set_tests_properties(films_are_killed_and_resumed PROPERTIES TIMEOUT 600 SKIP_RETURN_CODE 77)
endif()

# A second software driver, SwiftShader, comes with Debian's browser `chromium` (300 MB, so that nothing here installs it).
# Where it is, pictures must come out the same on it; its validation is Mesa's business above.
set(weir_swiftshader /usr/lib/chromium/vk_swiftshader_icd.json)
if(EXISTS ${weir_swiftshader})
  add_test(NAME pictures_on_swiftshader COMMAND weir_tests --gtest_filter=VulkanUpscale.EveryKind*:VulkanUpscale.ANetworkWhose*:VulkanUpscale.AnotherScale*)
  set_tests_properties(pictures_on_swiftshader PROPERTIES TIMEOUT 900
    ENVIRONMENT "${weir_test_environment};VK_DRIVER_FILES=${weir_swiftshader}")
else()
  add_test(NAME pictures_on_swiftshader
    COMMAND ${CMAKE_COMMAND} -E echo "skipped: no SwiftShader here; apt-get install chromium brings it")
  set_tests_properties(pictures_on_swiftshader PROPERTIES SKIP_REGULAR_EXPRESSION "^skipped: ")
endif()

# The include directions, and that the check can fail.
add_test(NAME check_includes COMMAND ${PROJECT_SOURCE_DIR}/scripts/check_includes ${PROJECT_SOURCE_DIR})
add_test(NAME check_includes_finds_each_forbidden_edge
  COMMAND ${PROJECT_SOURCE_DIR}/tests/check_includes/run ${PROJECT_SOURCE_DIR}/scripts/check_includes)

# That the check of retired words finds them (make lint runs it on the project).
add_test(NAME check_words_finds_each_kind
  COMMAND ${PROJECT_SOURCE_DIR}/tests/check_words/run ${PROJECT_SOURCE_DIR}/scripts/check_words)

# Small networks that learn what they shall, and one that is killed while it does.
foreach(example xor sine digits)
  add_dependencies(weir_tests weir_example_${example})
  add_test(NAME example_${example} COMMAND weir_example_${example})
  set_tests_properties(example_${example} PROPERTIES TIMEOUT 300)
endforeach()
# The same on Mesa's software driver, which takes forty times as long: fewer steps of the largest. Its own threads would
# do no more than wait for each other in works as small as these.
if(weir_lavapipe)
  add_test(NAME VulkanExample_xor COMMAND weir_example_xor --device gpu)
  add_test(NAME VulkanExample_sine COMMAND weir_example_sine --device gpu)
  add_test(NAME VulkanExample_digits COMMAND weir_example_digits --device gpu --steps 50 --least 90)
  set_tests_properties(VulkanExample_xor VulkanExample_sine VulkanExample_digits PROPERTIES
    TIMEOUT 600 ENVIRONMENT "${weir_test_environment};LP_NUM_THREADS=0")
endif()
add_test(NAME training_is_killed_and_resumed
  COMMAND ${PROJECT_SOURCE_DIR}/tests/training/kill_and_resume $<TARGET_FILE:weir_example_digits>)
set_tests_properties(training_is_killed_and_resumed PROPERTIES TIMEOUT 600)

# A build without npm says so in one line and goes on without `weir audit`.
add_test(NAME grammars_without_npm COMMAND ${PROJECT_SOURCE_DIR}/tests/audit/without_npm ${PROJECT_SOURCE_DIR})

# The examples are built against an installed tree; slow, and sanitizers would have to be linked into them.
if(TARGET weir_shared AND NOT WEIR_SANITIZE)
  add_test(NAME installed_library
    COMMAND ${PROJECT_SOURCE_DIR}/tests/installed/run ${PROJECT_BINARY_DIR} ${PROJECT_SOURCE_DIR})
  set_tests_properties(installed_library PROPERTIES LABELS slow TIMEOUT 300)
endif()
