# Helpers that keep every module's CMakeLists.txt to a few lines.

# tars_module(NAME [DEPS other modules...] [LIBS system targets...] [PCH headers...])
# One static library per folder below src/. Every .cc of the folder (and of its subfolders) belongs
# to it; DEPS is the list that tools/tidy compares with the #include lines, PCH what is compiled once for
# all of the folder because most of it includes it.
function(tars_module name)
  cmake_parse_arguments(M "" "" "DEPS;LIBS;PCH" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  add_library(tars_${name} STATIC ${sources})
  target_include_directories(tars_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  list(TRANSFORM M_DEPS PREPEND tars_)
  target_link_libraries(tars_${name} PUBLIC ${M_DEPS} ${M_LIBS} PRIVATE tars_warnings)
  if(M_PCH)
    target_precompile_headers(tars_${name} PRIVATE ${M_PCH})
  endif()
endfunction()

# tars_unit_tests(MODULE...): tests/unit/<module>/*_test.cc become the program unit_<module>.
function(tars_unit_tests)
  foreach(module IN LISTS ARGN)
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/unit/${module}/*.cc)
    if(sources)
      add_executable(unit_${module} ${sources})
      target_link_libraries(unit_${module} PRIVATE tars_${module} tars_warnings GTest::gmock GTest::gtest_main)
      gtest_discover_tests(unit_${module} TEST_PREFIX ${module}. PROPERTIES LABELS unit
        DISCOVERY_MODE PRE_TEST)
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
    add_test(NAME fuzz.${name} COMMAND fuzz_${name} -runs=20000 -max_total_time=20 -timeout=5
      ${CMAKE_CURRENT_BINARY_DIR}/corpus_${name} ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name})
    file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/corpus_${name})
  else()
    target_sources(fuzz_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/fuzz/replay_main.cc)
    add_test(NAME fuzz.${name} COMMAND fuzz_${name} ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name})
  endif()
  set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz)
endfunction()
