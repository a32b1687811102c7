# `cmake --install`, and the Debian package: `cpack -G DEB --config build/release/CPackConfig.cmake`.
include(GNUInstallDirs)
install(TARGETS kdb RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)

# --- shell completions: kdb prints its own, so a kdb that does not run here has none ----------------------
if(NOT CMAKE_CROSSCOMPILING AND NOT KDB_SANITIZE)
  set(KDB_COMPLETIONS "")
  foreach(shell bash zsh fish)
    set(file "${PROJECT_BINARY_DIR}/completions/kdb.${shell}")
    add_custom_command(OUTPUT "${file}" DEPENDS kdb VERBATIM
                       COMMAND ${CMAKE_COMMAND} -E make_directory "${PROJECT_BINARY_DIR}/completions"
                       COMMAND kdb completion ${shell} > "${file}")
    list(APPEND KDB_COMPLETIONS "${file}")
  endforeach()
  add_custom_target(completions ALL DEPENDS ${KDB_COMPLETIONS})
  set(folder "${PROJECT_BINARY_DIR}/completions")
  install(FILES "${folder}/kdb.bash" DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
          RENAME kdb)
  install(FILES "${folder}/kdb.fish" DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
  # zsh looks in site-functions below /usr/local; below /usr Debian keeps vendor-completions for packages.
  install(FILES "${folder}/kdb.zsh" DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions RENAME _kdb)
  install(FILES "${folder}/kdb.zsh" DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions RENAME _kdb)
endif()

# --- the Debian package -----------------------------------------------------------------------------------
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME kdb)
set(CPACK_PACKAGE_VENDOR "kdb")
set(CPACK_PACKAGE_CONTACT "the kdb developers")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "schema migrations for PostgreSQL and TimescaleDB")
set(CPACK_PACKAGE_DESCRIPTION
    "kdb applies versioned SQL migrations to a PostgreSQL database, each exactly
once: also when several deployers start together, and also when one of them
is killed. It reads the migration folders of dbmate, golang-migrate, goose,
Flyway, diesel and Prisma as they are.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS postgresql-client)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS postgresql)
include(CPack)
