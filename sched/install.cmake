# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` puts under the prefix: the engine in both widths, the library of reports and searches, the
# public headers, and the CMake package. All of it may be moved together afterwards. From a tree of preset
# explore, explore-libcxx or explore-asan: a program takes the C++ library, and AddressSanitizer or not, from the engine.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# What programs include as <sched/NAME>; what is not here is not installed (and is internal).
set(SCHED_PUBLIC_HEADERS report.h sched.h search.h symbolize.h timeline.h)

set(SCHED_LIBCXX OFF)
if(LASTPUT_CXX_LIBRARY STREQUAL "libc++")
  set(SCHED_LIBCXX ON)
endif()
get_property(SCHED_ASAN GLOBAL PROPERTY SCHED_ASAN)
set(libraries sched sched_wide sched_report sched_report_wide)
set_target_properties(sched_report PROPERTIES EXPORT_NAME report)
set_target_properties(sched_report_wide PROPERTIES EXPORT_NAME report_wide)
foreach(library IN LISTS libraries)
  target_include_directories(${library} PUBLIC $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(${library} PUBLIC cxx_std_20)
  target_compile_definitions(${library} INTERFACE $<INSTALL_INTERFACE:SCHED_LIBCXX=$<BOOL:${SCHED_LIBCXX}>>)
endforeach()

install(TARGETS ${libraries} EXPORT schedTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
# Without debug information, which names places of this machine; stacks come from frames and symbols.
install(CODE "
  foreach(library ${libraries})
    execute_process(COMMAND ${CMAKE_OBJCOPY} --strip-debug
      \$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/lib\${library}.a COMMAND_ERROR_IS_FATAL ANY)
  endforeach()")
install(FILES ${SCHED_PUBLIC_HEADERS} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/sched)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/sched)
configure_package_config_file(cmake/schedConfig.cmake.in schedConfig.cmake INSTALL_DESTINATION ${package})
# While MAJOR is 0, another MINOR may break source.
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/schedConfigVersion.cmake
  VERSION ${PROJECT_VERSION} COMPATIBILITY SameMinorVersion)
install(EXPORT schedTargets NAMESPACE sched:: DESTINATION ${package})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/schedConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/schedConfigVersion.cmake
  cmake/sched_add_target.cmake source_root.cc ${PROJECT_SOURCE_DIR}/sanitizers/instrument.cmake DESTINATION ${package})
install(PROGRAMS ${PROJECT_SOURCE_DIR}/sanitizers/instrument_memory_calls.sh DESTINATION ${package})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/doc/sched)

set(library_flags)
if(SCHED_LIBCXX)
  list(JOIN LASTPUT_LIBCXX_COMPILE_FLAGS " " compile)
  list(JOIN LASTPUT_LIBCXX_LINK_FLAGS " " link)
  set(library_flags "LIBRARY_CXXFLAGS=${compile}" "LIBRARY_LDFLAGS=${link}")
endif()
foreach(step install files headers example parts refusals compilers)
  add_test(NAME sched_installed.${step} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/install_test.sh ${step}
    ${CMAKE_CURRENT_SOURCE_DIR} ${CMAKE_BINARY_DIR} ${CMAKE_CURRENT_BINARY_DIR}/installed ${CMAKE_CXX_COMPILER})
  set_tests_properties(sched_installed.${step} PROPERTIES
    FIXTURES_REQUIRED sched_installed SKIP_RETURN_CODE 3 TIMEOUT 600 ENVIRONMENT "${library_flags}")
endforeach()
set_tests_properties(sched_installed.install PROPERTIES
  FIXTURES_REQUIRED "" FIXTURES_SETUP sched_installed)
