# Tests: `unit` needs no server; `db` talks to real servers, in the sandbox that it is started in.
find_package(doctest REQUIRED)

file(GLOB KDB_UNIT_SOURCES CONFIGURE_DEPENDS tests/unit/*.cpp tests/golden/*.cpp)
file(GLOB KDB_DB_SOURCES CONFIGURE_DEPENDS tests/db/*.cpp)
file(GLOB KDB_SUPPORT_SOURCES CONFIGURE_DEPENDS tests/support/*.cpp)

function(kdb_add_test_program name)
  add_executable(${name} ${ARGN})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  target_link_libraries(${name} PRIVATE kdb_objects doctest::doctest)
  target_compile_definitions(${name} PRIVATE KDB_BINARY="$<TARGET_FILE:kdb>"
                             KDB_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_precompile_headers(${name} PRIVATE <doctest/doctest.h>)
  add_dependencies(${name} kdb)
endfunction()

kdb_add_test_program(kdb_test ${KDB_UNIT_SOURCES} ${KDB_SUPPORT_SOURCES})
add_test(NAME unit COMMAND kdb_test)

if(KDB_DB_SOURCES)
  kdb_add_test_program(kdb_db_test ${KDB_DB_SOURCES} ${KDB_SUPPORT_SOURCES})
endif()

if(KDB_FUZZ)
  # One libFuzzer target per parser of foreign input: tests/fuzz/NAME.cpp, with its seeds in tests/fuzz/NAME/.
  file(GLOB KDB_FUZZ_SOURCES CONFIGURE_DEPENDS tests/fuzz/*.cpp)
  foreach(source ${KDB_FUZZ_SOURCES})
    get_filename_component(name ${source} NAME_WE)
    add_executable(fuzz_${name} ${source})
    target_link_libraries(fuzz_${name} PRIVATE kdb_objects)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  endforeach()
endif()
