# Half of the time of a short command is the dynamic linker's, who looks up each C++ symbol in every shared library.
# So what can be in the program is: libpqxx and libpg_query from their archives, libfmt compiled in (Debian has no
# archive of it), then the C++ runtime, which no shared library needs any more. spdlog and toml++ are headers in the
# one file that uses each. Where a part cannot be embedded the shared library is linked.
include(CheckCXXSourceCompiles)
include(CheckLinkerFlag)

function(kdb_prefer_archive variable archive header call)
  find_library(${variable}_ARCHIVE ${archive})
  if(NOT ${variable}_ARCHIVE)
    return()
  endif()
  set(CMAKE_REQUIRED_LIBRARIES "${${variable}_ARCHIVE}" PkgConfig::PQ Threads::Threads m)
  set(CMAKE_REQUIRED_FLAGS "-std=c++20 -w")
  check_cxx_source_compiles("#include <${header}>\nint main() { ${call} }" ${variable}_ARCHIVE_LINKS)
  if(${variable}_ARCHIVE_LINKS)
    set(${variable}_LIBRARY "${${variable}_ARCHIVE}" PARENT_SCOPE)
  endif()
endfunction()
kdb_prefer_archive(PG_QUERY libpg_query.a pg_query.h "pg_query_free_parse_result(pg_query_parse(\"SELECT 1\"));")
kdb_prefer_archive(PQXX libpqxx.a pqxx/pqxx "throw pqxx::broken_connection();")

# kdb_fmt: libfmt, compiled in if this version of it lets us.
get_target_property(KDB_FMT_INCLUDES fmt::fmt INTERFACE_INCLUDE_DIRECTORIES)
if(NOT DEFINED KDB_FMT_EMBEDS)
  try_compile(KDB_FMT_EMBEDS "${PROJECT_BINARY_DIR}/embed_fmt"
              SOURCES "${PROJECT_SOURCE_DIR}/cmake/fmt.cpp" "${PROJECT_SOURCE_DIR}/cmake/fmt_probe.cpp"
              CMAKE_FLAGS "-DINCLUDE_DIRECTORIES=${KDB_FMT_INCLUDES}"
              CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON)
  message(STATUS "libfmt compiled in: ${KDB_FMT_EMBEDS}")
endif()
add_library(kdb_fmt INTERFACE)
if(KDB_FMT_EMBEDS)
  add_library(kdb_fmt_objects STATIC cmake/fmt.cpp)
  target_include_directories(kdb_fmt_objects SYSTEM PUBLIC "${KDB_FMT_INCLUDES}")
  target_link_libraries(kdb_fmt INTERFACE kdb_fmt_objects)
else()
  target_link_libraries(kdb_fmt INTERFACE fmt::fmt)
endif()

# A shared library of C++ beside a runtime of our own would be two runtimes, and exceptions would not pass.
function(kdb_embed_cxx_runtime target)
  if(KDB_FMT_EMBEDS AND PQXX_ARCHIVE_LINKS AND NOT KDB_SANITIZE AND NOT KDB_FUZZ)
    target_link_options(${target} PRIVATE -static-libstdc++ -static-libgcc -Wl,--gc-sections)
  endif()
endfunction()

# Its 6,000 relocations in 1 KB instead of 150: every page of theirs that is not read makes each start faster.
# glibc reads the format since 2.36.
function(kdb_pack_relocations target)
  check_linker_flag(CXX LINKER:-z,pack-relative-relocs KDB_PACKS_RELOCATIONS)
  if(KDB_PACKS_RELOCATIONS AND NOT KDB_SANITIZE)
    target_link_options(${target} PRIVATE LINKER:-z,pack-relative-relocs)
  endif()
endfunction()
