# The tests, as ctest knows them. Labels: `unit` needs no server; `db` talks to a server in a sandbox of its own;
# `threads` is what is worth running under ThreadSanitizer; `fuzz` is there with KDB_FUZZ.
find_package(doctest REQUIRED)
# The distribution's, where there is one: what a version manager puts before it takes ten times as long to start.
find_program(Python3_EXECUTABLE python3 PATHS /usr/bin NO_DEFAULT_PATH)
find_package(Python3 REQUIRED COMPONENTS Interpreter)
find_program(CLANG_FORMAT clang-format)
find_program(SHELLCHECK shellcheck)

set(KDB_PG_BIN "" CACHE PATH "Folder of the PostgreSQL server that the db tests use; empty: kdb searches")
set(KDB_FUZZ_SECONDS 30 CACHE STRING "How long each fuzz target runs")

file(GLOB KDB_UNIT_SOURCES CONFIGURE_DEPENDS tests/unit/*.cpp tests/golden/*.cpp)
file(GLOB KDB_DB_SOURCES CONFIGURE_DEPENDS tests/db/*.cpp)
file(GLOB KDB_DB_TESTS CONFIGURE_DEPENDS tests/db/*_test.cpp)
file(GLOB KDB_SUPPORT_SOURCES CONFIGURE_DEPENDS tests/support/*.cpp)
file(GLOB KDB_FUZZ_SOURCES CONFIGURE_DEPENDS tests/fuzz/*.cpp)
# Files of tests/db in which kdb's own process has more than one thread, and those of tests/unit.
set(KDB_THREADED_TESTS connection watchdog signals locks pool bench_load)
set(KDB_THREADED_UNIT_TESTS pool pool_work)

# ThreadSanitizer has nothing to say about the others.
if(KDB_SANITIZE STREQUAL "thread")
  list(TRANSFORM KDB_THREADED_TESTS REPLACE "(.+)" "${PROJECT_SOURCE_DIR}/tests/db/\\1_test.cpp"
       OUTPUT_VARIABLE KDB_DB_TESTS)
  list(FILTER KDB_DB_SOURCES EXCLUDE REGEX "_test\\.cpp$")
  list(APPEND KDB_DB_SOURCES ${KDB_DB_TESTS})
endif()

# What both programs stand on, compiled once.
add_library(kdb_test_support OBJECT ${KDB_SUPPORT_SOURCES})
# doctest's implementation wants to come before its interface, which the others bring; of the
# other, g++ wants its members to have linkage.
set_source_files_properties(tests/support/doctest.cpp tests/support/fault_proxy.cpp PROPERTIES
                            SKIP_UNITY_BUILD_INCLUSION ON)
target_include_directories(kdb_test_support PUBLIC "${PROJECT_SOURCE_DIR}/tests")
target_link_libraries(kdb_test_support PUBLIC kdb_objects doctest::doctest)
target_compile_definitions(kdb_test_support PUBLIC KDB_BINARY="$<TARGET_FILE:kdb>"
                           KDB_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
target_compile_options(kdb_test_support PRIVATE -O0 -Wshadow)

function(kdb_add_test_program name)
  add_executable(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE kdb_test_support kdb_objects)
  # Its checks take longest to compile by far, and gain nothing from being fast, nor from being checked for undefined
  # behaviour themselves.
  target_compile_options(${name} PRIVATE -O0 -Wshadow)
  if(KDB_SANITIZE MATCHES "undefined")
    target_compile_options(${name} PRIVATE -fno-sanitize=undefined)
  endif()
  # Few at a time: who edits a test waits for all that is compiled with it.
  if(CMAKE_UNITY_BUILD)
    math(EXPR batch "${CMAKE_UNITY_BUILD_BATCH_SIZE} * 3 / 10")
    set_target_properties(${name} PROPERTIES UNITY_BUILD_BATCH_SIZE ${batch})
  endif()
  if(name STREQUAL "kdb_test")
    target_precompile_headers(${name} PRIVATE <doctest/doctest.h> <algorithm> <chrono> <filesystem> <functional> <map>
                              <optional> <string> <string_view> <vector> <fmt/format.h>)
  else()
    target_precompile_headers(${name} REUSE_FROM kdb_test)
  endif()
  add_dependencies(${name} kdb)
endfunction()

# kdb_add_test(NAME LABELS COMMAND…): exit code 77 means skipped.
function(kdb_add_test name labels)
  add_test(NAME ${name} COMMAND ${ARGN})
  set_tests_properties(${name} PROPERTIES LABELS "${labels}" SKIP_RETURN_CODE 77 TIMEOUT 600 ENVIRONMENT
                       "UBSAN_OPTIONS=print_stacktrace=1;TSAN_OPTIONS=second_deadlock_stack=1:report_thread_leaks=0:atexit_sleep_ms=0")
endfunction()

# --- without a server -------------------------------------------------------------------------------------
set(labels unit)
if(KDB_SANITIZE STREQUAL "thread")  # the others have one
  list(TRANSFORM KDB_THREADED_UNIT_TESTS REPLACE "(.+)" "tests/unit/\\1_test.cpp" OUTPUT_VARIABLE KDB_UNIT_SOURCES)
  list(APPEND KDB_UNIT_SOURCES tests/unit/main.cpp)
  list(APPEND labels threads)
endif()
kdb_add_test_program(kdb_test ${KDB_UNIT_SOURCES})
kdb_add_test(unit "${labels}" kdb_test)
file(GLOB KDB_CLI_CASES CONFIGURE_DEPENDS tests/cli/*/cmd)
if(KDB_CLI_CASES)
  kdb_add_test(cli unit "${Python3_EXECUTABLE}" "${PROJECT_SOURCE_DIR}/tests/cli/run" $<TARGET_FILE:kdb>)
endif()
kdb_add_test(layers unit "${Python3_EXECUTABLE}" "${PROJECT_SOURCE_DIR}/scripts/check-layers")

# Other versions of clang-format lay out differently: 14 decides.
if(CLANG_FORMAT)
  execute_process(COMMAND "${CLANG_FORMAT}" --version OUTPUT_VARIABLE KDB_CLANG_FORMAT_VERSION)
  if(KDB_CLANG_FORMAT_VERSION MATCHES "version 14\\.")
    kdb_add_test(format unit "${PROJECT_SOURCE_DIR}/scripts/format" --check)
  endif()
endif()
if(SHELLCHECK)
  kdb_add_test(scripts unit "${PROJECT_SOURCE_DIR}/scripts/check" --scripts)
endif()

# --- with a server ----------------------------------------------------------------------------------------
if(KDB_DB_SOURCES)
  kdb_add_test_program(kdb_db_test ${KDB_DB_SOURCES})
endif()
# tests/db/NAME_test.cpp is the entry db.NAME: each has a server of its own, so that they run side by side.
foreach(source ${KDB_DB_TESTS})
  get_filename_component(name ${source} NAME_WE)
  string(REGEX REPLACE "_test$" "" name ${name})
  set(labels db)
  if(name IN_LIST KDB_THREADED_TESTS)
    list(APPEND labels threads)
  endif()
  kdb_add_test(db.${name} "${labels}" "${Python3_EXECUTABLE}" "${PROJECT_SOURCE_DIR}/tests/db/run"
               $<TARGET_FILE:kdb> $<TARGET_FILE:kdb_db_test> ${name} "${KDB_PG_BIN}")
  # To look for leaks when a program ends takes as long as all else that the start of kdb under AddressSanitizer does,
  # and these start it thousands of times. The tests without a server and the fuzz targets do look.
  set_property(TEST db.${name} APPEND PROPERTY ENVIRONMENT ASAN_OPTIONS=detect_leaks=0)
  if(name MATCHES "^(crash|pooler|sandbox_ends|locks|recovery)")
    set_tests_properties(db.${name} PROPERTIES COST 60)  # they take longest, and begin first
  endif()
endforeach()

# --- fuzzing ----------------------------------------------------------------------------------------------
# One libFuzzer target per parser of foreign input: tests/fuzz/NAME.cpp, with its seeds in tests/fuzz/NAME/. What it
# finds stays in the build folder.
if(KDB_FUZZ)
  foreach(source ${KDB_FUZZ_SOURCES})
    get_filename_component(name ${source} NAME_WE)
    add_executable(fuzz_${name} ${source})
    target_link_libraries(fuzz_${name} PRIVATE kdb_objects)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    set(found "${PROJECT_BINARY_DIR}/fuzz/${name}")
    set(seeds "${PROJECT_SOURCE_DIR}/tests/fuzz/${name}")
    file(MAKE_DIRECTORY "${found}")
    if(NOT IS_DIRECTORY "${seeds}")
      set(seeds "")
    endif()
    kdb_add_test(fuzz.${name} fuzz fuzz_${name} -error_exitcode=1 -timeout_exitcode=1 -max_total_time=${KDB_FUZZ_SECONDS} -timeout=10
                 -rss_limit_mb=4096 -print_final_stats=1 -artifact_prefix=${found}- "${found}" ${seeds})
    set_tests_properties(fuzz.${name} PROPERTIES COST 1000)  # beside the others, not alone at the end
  endforeach()
endif()
