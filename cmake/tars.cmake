# Helpers that keep every module's CMakeLists.txt to a few lines.

# Headers that most files include are parsed once: std, std with Asio, and each with GoogleTest for
# the tests. Only with GCC, which takes a precompiled header whatever else is defined on the command
# line; clang (fuzz, lint) reads the headers themselves, and so finds a missing #include.
set(TARS_STD_HEADERS <algorithm> <array> <atomic> <chrono> <condition_variable> <cstdint> <deque>
  <filesystem> <fstream> <functional> <map> <memory> <mutex> <optional> <span> <stop_token> <string>
  <string_view> <thread> <unordered_map> <utility> <vector>)
set(TARS_ASIO_HEADERS <boost/asio/as_tuple.hpp> <boost/asio/awaitable.hpp> <boost/asio/co_spawn.hpp>
  <boost/asio/detached.hpp> <boost/asio/io_context.hpp> <boost/asio/ip/tcp.hpp>
  <boost/asio/post.hpp> <boost/asio/steady_timer.hpp> <boost/asio/use_awaitable.hpp>)
function(tars_precompiled name)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/empty.cc CONTENT "")  # written when it is not there
  add_library(${name} OBJECT ${CMAKE_BINARY_DIR}/empty.cc)
  target_precompile_headers(${name} PRIVATE ${ARGN})
  target_link_libraries(${name} PRIVATE Threads::Threads tars_warnings)
endfunction()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-fpch-preprocess)  # or ccache passes such files by
  tars_precompiled(tars_pch ${TARS_STD_HEADERS})
  tars_precompiled(tars_pch_asio ${TARS_STD_HEADERS} ${TARS_ASIO_HEADERS})
  if(TARS_TESTS)
    find_package(GTest REQUIRED)
    tars_precompiled(tars_pch_test ${TARS_STD_HEADERS} <gmock/gmock.h>)
    tars_precompiled(tars_pch_asio_test ${TARS_STD_HEADERS} ${TARS_ASIO_HEADERS} <gmock/gmock.h>)
    # Tests are compiled more often than they run.
    foreach(test tars_pch_test tars_pch_asio_test)
      target_link_libraries(${test} PRIVATE GTest::gmock)
      target_compile_options(${test} PRIVATE $<$<CONFIG:Release>:-O1>)
    endforeach()
  endif()
endif()

# tars_reuse(TARGET [test] MODULES...): with Asio when one of the modules stands on net.
function(tars_reuse target)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    return()
  endif()
  set(pch tars_pch)
  foreach(module net api app cli)
    if(module IN_LIST ARGN)
      set(pch tars_pch_asio)
    endif()
  endforeach()
  if(test IN_LIST ARGN)
    set(pch ${pch}_test)
    target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>)
  endif()
  target_precompile_headers(${target} REUSE_FROM ${pch})
endfunction()

# tars_module(NAME [DEPS other modules...] [LIBS system targets...])
# One static library per folder below src/. Every .cc of the folder (and of its subfolders) belongs
# to it; DEPS is the list that tools/tidy compares with the #include lines.
function(tars_module name)
  cmake_parse_arguments(M "" "" "DEPS;LIBS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  add_library(tars_${name} STATIC ${sources})
  target_include_directories(tars_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  list(TRANSFORM M_DEPS PREPEND tars_)
  target_link_libraries(tars_${name} PUBLIC ${M_DEPS} ${M_LIBS} PRIVATE tars_warnings)
  tars_reuse(tars_${name} ${name})
endfunction()

# tars_register(TARGET PREFIX LABEL): its tests, one by one, or (TARS_TEST_EACH=OFF) as one: a
# sanitizer makes starting slow, and the model's tests load weights each time.
function(tars_register target prefix label)
  if(TARS_TEST_EACH)
    gtest_discover_tests(${target} TEST_PREFIX ${prefix}. PROPERTIES LABELS ${label}
      DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60)
  else()
    add_test(NAME ${prefix} COMMAND ${target})
    set_tests_properties(${prefix} PROPERTIES LABELS ${label})
  endif()
endfunction()

# tars_unit_tests(MODULE...): tests/unit/<module>/*_test.cc become the program unit_<module>.
function(tars_unit_tests)
  foreach(module IN LISTS ARGN)
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/unit/${module}/*.cc)
    if(sources)
      add_executable(unit_${module} ${sources})
      target_link_libraries(unit_${module} PRIVATE tars_${module} tars_warnings GTest::gmock GTest::gtest_main)
      tars_reuse(unit_${module} test ${module})
      tars_register(unit_${module} ${module} unit)
    endif()
  endforeach()
endfunction()

# tars_fuzzer(NAME LIBS...): tests/fuzz/NAME_fuzz.cc with libFuzzer in the fuzz preset; in every other
# preset the same file is linked with a driver that replays the seed corpus as a test.
# The target `fuzzers` builds them all.
add_custom_target(fuzzers)
function(tars_fuzzer name)
  add_executable(fuzz_${name} ${PROJECT_SOURCE_DIR}/tests/fuzz/${name}_fuzz.cc)
  target_link_libraries(fuzz_${name} PRIVATE ${ARGN} tars_warnings)
  add_dependencies(fuzzers fuzz_${name})
  if(TARS_FUZZ)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    add_test(NAME fuzz.${name} COMMAND fuzz_${name} -max_total_time=20 -timeout=5
      ${CMAKE_CURRENT_BINARY_DIR}/corpus_${name} ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name})
    file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/corpus_${name})
  else()
    target_sources(fuzz_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/fuzz/replay_main.cc)
    add_test(NAME fuzz.${name} COMMAND fuzz_${name} ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name})
  endif()
  set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz)
endfunction()
