# SPDX-License-Identifier: Apache-2.0
# The folder as a project: `cmake -S core`, or add_subdirectory and FetchContent from another. Defines
# percpu::linux and percpu::portable, the same names as the installed package; no tests, and no flags
# but the libraries' own.
option(PERCPU_INSTALL "install percpu with the project" ${PROJECT_IS_TOP_LEVEL})
if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()
find_package(Threads REQUIRED)

foreach(platform linux portable)
  set(target percpu_${platform})
  percpu_add_library_alone(${target} ${CMAKE_CURRENT_SOURCE_DIR} ${platform})
  add_library(percpu::${platform} ALIAS ${target})
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
endforeach()

if(PERCPU_INSTALL)
  include(install.cmake)
  percpu_install(linux portable)
endif()
