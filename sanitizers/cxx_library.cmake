# SPDX-License-Identifier: Apache-2.0
# The C++ library that a tree is built with. All of it is: the engine's own interface has types of the
# library, and so has GoogleTest's, which is therefore built from its sources here.
#
#   LASTPUT_CXX_LIBRARY  default  whatever the compiler takes (libstdc++ on Linux)
#                        libc++   needs a mode that explores. Programs that need Abseil or Google Benchmark
#                                 (replay, lastput_bugs, benchmarks) are left out: those are the system's,
#                                 and made for the other library.
#   LASTPUT_LIBCXX_ROOT  a libc++ that is not installed: the folder with its include/c++/v1 and lib.
#                        Debian installs one version at a time, and a compiler wants a libc++ of its age.
# A build for a fuzzing service (LASTPUT_SERVICE) takes what its flags say, and needs no other library.
set(LASTPUT_CXX_LIBRARY default CACHE STRING "C++ library: default or libc++")
set_property(CACHE LASTPUT_CXX_LIBRARY PROPERTY STRINGS default libc++)
set(LASTPUT_LIBCXX_ROOT "" CACHE PATH "folder of a libc++ that is not installed")

# What makes a compile or a link use libc++.
set(LASTPUT_LIBCXX_COMPILE_FLAGS -stdlib=libc++)
set(LASTPUT_LIBCXX_LINK_FLAGS -stdlib=libc++)
if(LASTPUT_LIBCXX_ROOT)
  set(LASTPUT_LIBCXX_COMPILE_FLAGS -nostdinc++ -isystem${LASTPUT_LIBCXX_ROOT}/include/c++/v1)
  list(APPEND LASTPUT_LIBCXX_LINK_FLAGS -L${LASTPUT_LIBCXX_ROOT}/lib -Wl,-rpath,${LASTPUT_LIBCXX_ROOT}/lib)
endif()

# lastput_check_libcxx(RESULT): whether a program of libc++ can be built here.
function(lastput_check_libcxx result)
  include(CheckCXXSourceCompiles)
  set(CMAKE_REQUIRED_FLAGS "${LASTPUT_LIBCXX_COMPILE_FLAGS}")
  set(CMAKE_REQUIRED_LINK_OPTIONS ${LASTPUT_LIBCXX_LINK_FLAGS})
  list(JOIN CMAKE_REQUIRED_FLAGS " " CMAKE_REQUIRED_FLAGS)
  check_cxx_source_compiles(
    "#include <version>\n#include <thread>\n#ifndef _LIBCPP_VERSION\n#error\n#endif\nint main() { std::thread([] {}).join(); }"
    ${result})
endfunction()

# lastput_add_gtest(NAME FLAG...): GoogleTest from its sources, with its main, compiled with these flags.
find_path(LASTPUT_GTEST_SOURCE src/gtest-all.cc PATHS /usr/src/googletest/googletest /usr/src/gtest)
function(lastput_add_gtest name)
  add_library(${name} STATIC ${LASTPUT_GTEST_SOURCE}/src/gtest-all.cc ${LASTPUT_GTEST_SOURCE}/src/gtest_main.cc)
  target_include_directories(${name} SYSTEM PUBLIC ${LASTPUT_GTEST_SOURCE}/include PRIVATE ${LASTPUT_GTEST_SOURCE})
  target_link_libraries(${name} PUBLIC Threads::Threads)
  target_compile_options(${name} PRIVATE -w ${ARGN})
endfunction()

if(LASTPUT_SERVICE)
  set(LASTPUT_BENCHES OFF)
  set(LASTPUT_TOOLS OFF)
elseif(LASTPUT_CXX_LIBRARY STREQUAL "libc++")
  if(NOT LASTPUT_EXPLORES)
    message(FATAL_ERROR "LASTPUT_CXX_LIBRARY=libc++ is for the modes that explore, not for ${LASTPUT_MODE}")
  endif()
  lastput_check_libcxx(LASTPUT_HAS_LIBCXX)
  if(NOT LASTPUT_HAS_LIBCXX)
    message(FATAL_ERROR "${CMAKE_CXX_COMPILER} builds no program with libc++ here (see LASTPUT_LIBCXX_ROOT)")
  endif()
  if(NOT LASTPUT_GTEST_SOURCE)
    message(FATAL_ERROR "no sources of GoogleTest here (Debian: package googletest)")
  endif()
  add_compile_options(${LASTPUT_LIBCXX_COMPILE_FLAGS})
  add_link_options(${LASTPUT_LIBCXX_LINK_FLAGS})
  set(LASTPUT_BENCHES OFF)
  set(LASTPUT_TOOLS OFF)
  lastput_add_gtest(gtest)
  add_library(GTest::gtest ALIAS gtest)
  add_library(gtest_main_is_in_gtest INTERFACE)
  add_library(GTest::gtest_main ALIAS gtest_main_is_in_gtest)
elseif(LASTPUT_CXX_LIBRARY STREQUAL "default")
  set(LASTPUT_TOOLS ON)
  find_package(GTest REQUIRED)
else()
  message(FATAL_ERROR "LASTPUT_CXX_LIBRARY=${LASTPUT_CXX_LIBRARY} is neither default nor libc++")
endif()
