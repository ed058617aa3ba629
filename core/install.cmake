# SPDX-License-Identifier: Apache-2.0
# percpu_install(PLATFORM...): what `cmake --install` puts under the prefix: libraries percpu_PLATFORM,
# the public headers, the CMake package, pkg-config files, and help for gdb. All of it may be moved
# together afterwards.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

function(percpu_install)
  set(targets ${ARGN})
  list(TRANSFORM targets PREPEND percpu_)
  foreach(platform IN LISTS ARGN)
    percpu_make_installable(percpu_${platform} ${platform})
    percpu_install_pc(${platform})
  endforeach()
  install(TARGETS ${targets} EXPORT percpuTargets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  percpu_install_headers()
  percpu_install_package()
  install(FILES gdb/percpu.py DESTINATION ${CMAKE_INSTALL_DATADIR}/percpu/gdb)
  install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/doc/percpu)
endfunction()

function(percpu_make_installable target platform)
  string(REGEX MATCH "^[0-9]+\\.[0-9]+" soversion ${PERCPU_VERSION})  # while MAJOR is 0 (version.h)
  set_target_properties(${target} PROPERTIES
    EXPORT_NAME ${platform}
    POSITION_INDEPENDENT_CODE ON  # for shared libraries that the static one is linked into
    VERSION ${PERCPU_VERSION}
    SOVERSION ${soversion})
  target_compile_options(${target} PRIVATE -fno-semantic-interposition)
  target_include_directories(${target} PUBLIC
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/percpu/platform/${platform}>)
endfunction()

function(percpu_install_headers)
  set(to ${CMAKE_INSTALL_INCLUDEDIR}/percpu)
  foreach(header IN LISTS PERCPU_PUBLIC_HEADERS PERCPU_PLATFORM_HEADERS)
    get_filename_component(folder ${header} DIRECTORY)
    install(FILES ${header} DESTINATION ${to}/${folder})
  endforeach()
endfunction()

function(percpu_install_package)
  set(to ${CMAKE_INSTALL_LIBDIR}/cmake/percpu)
  set(from ${CMAKE_CURRENT_BINARY_DIR})
  percpu_has_liburcu(PERCPU_HAS_LIBURCU)
  configure_package_config_file(cmake/percpuConfig.cmake.in ${from}/percpuConfig.cmake
    INSTALL_DESTINATION ${to})
  # While MAJOR is 0 (version.h).
  write_basic_package_version_file(${from}/percpuConfigVersion.cmake
    VERSION ${PERCPU_VERSION} COMPATIBILITY SameMinorVersion)
  install(EXPORT percpuTargets NAMESPACE percpu:: DESTINATION ${to})
  install(FILES ${from}/percpuConfig.cmake ${from}/percpuConfigVersion.cmake
    cmake/FindLibUrcuBp.cmake DESTINATION ${to})
endfunction()

function(percpu_install_pc platform)
  set(to ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
  set(PERCPU_PC_REQUIRES)
  set(PERCPU_PC_DEFINES)
  percpu_has_liburcu(uses_liburcu)
  if(uses_liburcu AND platform STREQUAL "linux")
    # A static library leaves to its user what it stands on itself.
    set(PERCPU_PC_REQUIRES "Requires: liburcu-bp")
    if(BUILD_SHARED_LIBS)
      set(PERCPU_PC_REQUIRES "Requires.private: liburcu-bp")
    endif()
  endif()
  if(BUILD_SHARED_LIBS)
    set(PERCPU_PC_DEFINES "-DPERCPU_SHARED ")
  endif()
  file(RELATIVE_PATH PERCPU_PREFIX_FROM_PC ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
  string(REGEX REPLACE "/$" "" PERCPU_PREFIX_FROM_PC ${PERCPU_PREFIX_FROM_PC})
  file(RELATIVE_PATH PERCPU_LIBDIR ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_LIBDIR})
  file(RELATIVE_PATH PERCPU_INCLUDEDIR ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_INCLUDEDIR})
  configure_file(cmake/percpu.pc.in ${CMAKE_CURRENT_BINARY_DIR}/percpu-${platform}.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/percpu-${platform}.pc DESTINATION ${to})
endfunction()

function(percpu_has_liburcu variable)
  get_target_property(defines percpu_linux COMPILE_DEFINITIONS)
  set(${variable} OFF PARENT_SCOPE)
  if("PERCPU_HAS_LIBURCU" IN_LIST defines)
    set(${variable} ON PARENT_SCOPE)
  endif()
endfunction()
