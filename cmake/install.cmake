# `cmake --install` and the Debian package.
include(GNUInstallDirs)
install(TARGETS kdb RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
