# What an installation holds, and the packages of it. `./dev package` makes them in build/packages:
#   nslookout_VERSION-1_ARCH.deb, nslookout-VERSION-1.ARCH.rpm (CPack), and nslookout-VERSION-linux-ARCH.tar.gz.
# The .deb takes its libraries from Debian. The .rpm and the tarball, which is for machines that install nothing, have the same
# program with its libraries beside it (deploy/tarball/bundle.sh): other distributions have them under other names.
include(GNUInstallDirs)

set(NSLOOKOUT_MAINTAINER "nslookout developers <nslookout@packages.debian.org>")
set(NSLOOKOUT_DEB_VERSION ${PROJECT_VERSION}-1)
string(TIMESTAMP NSLOOKOUT_BUILD_DATE "%a, %d %b %Y %H:%M:%S +0000" UTC) # of SOURCE_DATE_EPOCH where that is set

# ---- what is installed -------------------------------------------------------------------------------------------------

set(generated ${PROJECT_BINARY_DIR}/packaging)
configure_file(deploy/debian/changelog.in ${generated}/changelog.Debian @ONLY)

# gzip -n: no time and no name, so that the same sources make the same package.
function(install_compressed source name destination)
  file(MAKE_DIRECTORY ${generated})
  add_custom_command(OUTPUT ${generated}/${name}.gz
    COMMAND gzip -9nc ${source} > ${generated}/${name}.gz
    DEPENDS ${source} VERBATIM)
  set_property(GLOBAL APPEND PROPERTY nslookout_compressed ${generated}/${name}.gz)
  install(FILES ${generated}/${name}.gz DESTINATION ${destination})
endfunction()

set(doc share/doc/nslookout)
install(TARGETS nslookout RUNTIME DESTINATION bin)
install(DIRECTORY rules/ DESTINATION share/nslookout/rules FILES_MATCHING PATTERN "*.yml")
install(FILES deploy/resolvers/public.txt deploy/resolvers/names.txt DESTINATION share/nslookout/resolvers)
install(FILES deploy/completions/nslookout.bash DESTINATION share/bash-completion/completions RENAME nslookout)
install(DIRECTORY docs/ DESTINATION ${doc} FILES_MATCHING PATTERN "*.md" PATTERN man EXCLUDE)
install(FILES README.md SECURITY.md DESTINATION ${doc})
install(FILES rules/README.md DESTINATION ${doc} RENAME rules.md)
install(FILES deploy/debian/copyright DESTINATION ${doc})
install(DIRECTORY deploy/systemd/examples/ DESTINATION ${doc}/examples)
install(FILES deploy/systemd/nslookout.service DESTINATION lib/systemd/system)
install(FILES deploy/config/config.yaml DESTINATION /etc/nslookout)
install(DIRECTORY DESTINATION /etc/nslookout/conf.d)
install(DIRECTORY DESTINATION /etc/nslookout/rules)
install_compressed(${PROJECT_SOURCE_DIR}/docs/man/nslookout.8 nslookout.8 share/man/man8)
install_compressed(${PROJECT_SOURCE_DIR}/CHANGELOG.md changelog ${doc})
install(FILES deploy/debian/lintian-overrides DESTINATION share/lintian/overrides RENAME nslookout)
install_compressed(${generated}/changelog.Debian changelog.Debian ${doc})

get_property(compressed GLOBAL PROPERTY nslookout_compressed)
add_custom_target(package_documents DEPENDS ${compressed})

# ---- .deb and .rpm -------------------------------------------------------------------------------------------------------

set(CPACK_GENERATOR DEB RPM)
set(CPACK_PACKAGE_NAME nslookout)
set(CPACK_PACKAGE_VENDOR nslookout)
set(CPACK_PACKAGE_CONTACT ${NSLOOKOUT_MAINTAINER})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "eBPF sensor that reports which process looks up which name")
set(CPACK_PACKAGE_DESCRIPTION
"An eBPF program reads the DNS questions that processes send, in the kernel,
and checks them against tables compiled from Sigma rules and lists of names.
The agent checks each candidate against the full rule and says which process
asked, who started it, and of which package, CI step, container or pod it is
a part. Lookups can be blocked.
The package holds the agent, its systemd unit and a set of rules.")
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS bash-completion)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${PROJECT_SOURCE_DIR}/deploy/debian/conffiles
  ${PROJECT_SOURCE_DIR}/deploy/debian/postinst
  ${PROJECT_SOURCE_DIR}/deploy/debian/prerm
  ${PROJECT_SOURCE_DIR}/deploy/debian/postrm)

set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_PACKAGE_RELEASE 1)
set(CPACK_RPM_PACKAGE_LICENSE "Apache-2.0 AND (GPL-2.0-only OR BSD-2-Clause)")
# Neither what the libraries beside the program need, nor that they are there, concerns another package.
set(CPACK_RPM_PACKAGE_AUTOREQPROV OFF)
# cmake/rpm_libraries.cmake.in takes the portable program into the tree of the .rpm, and says which glibc the package requires.
configure_file(cmake/rpm_libraries.cmake.in ${generated}/rpm_libraries.cmake @ONLY)
set(CPACK_PRE_BUILD_SCRIPTS ${generated}/rpm_libraries.cmake)
set(CPACK_RPM_PACKAGE_RELOCATABLE OFF)
set(CPACK_RPM_USER_FILELIST "%config(noreplace) /etc/nslookout/config.yaml")
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION
  /etc /usr/lib/systemd /usr/lib/systemd/system /usr/share/bash-completion /usr/share/bash-completion/completions
  /usr/share/man /usr/share/man/man8 /usr/share/lintian /usr/share/lintian/overrides /usr/share/licenses)
set(CPACK_RPM_POST_INSTALL_SCRIPT_FILE ${PROJECT_SOURCE_DIR}/deploy/rpm/post.sh)
set(CPACK_RPM_PRE_UNINSTALL_SCRIPT_FILE ${PROJECT_SOURCE_DIR}/deploy/rpm/preun.sh)
set(CPACK_RPM_POST_UNINSTALL_SCRIPT_FILE ${PROJECT_SOURCE_DIR}/deploy/rpm/postun.sh)
# The distribution's own tools compress man pages and strip; here both are done.
set(CPACK_RPM_SPEC_MORE_DEFINE "%define __os_install_post %{nil}\n%define _build_id_links none")
include(CPack)

# ---- the program that brings its libraries: for the tarball and the .rpm ---------------------------------------------------

# DT_RPATH and not DT_RUNPATH: the libraries find each other by it too. The second path is where the .rpm has them: with
# AT_SECURE, as where SELinux changes a service's domain at its start, the loader ignores an $ORIGIN outside its own folders.
add_executable(nslookout_portable EXCLUDE_FROM_ALL userspace/cli/main.cc)
target_link_libraries(nslookout_portable PRIVATE nslookout_cli)
target_link_options(nslookout_portable PRIVATE -Wl,--disable-new-dtags)
set_target_properties(nslookout_portable PROPERTIES BUILD_RPATH "$ORIGIN/../lib/nslookout;/usr/lib/nslookout")

# ---- all of them --------------------------------------------------------------------------------------------------------

add_custom_target(packages
  COMMAND ${CMAKE_COMMAND} -E rm -rf ${PROJECT_BINARY_DIR}/packages
  COMMAND ${CMAKE_CPACK_COMMAND} --config ${PROJECT_BINARY_DIR}/CPackConfig.cmake
  COMMAND ${PROJECT_SOURCE_DIR}/deploy/tarball/make.sh $<TARGET_FILE:nslookout_portable> ${PROJECT_VERSION}
          ${PROJECT_BINARY_DIR}/packages
  DEPENDS nslookout nslookout_portable package_documents
  COMMENT "packages, in build/packages"
  USES_TERMINAL VERBATIM)
