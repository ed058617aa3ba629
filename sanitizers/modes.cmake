# SPDX-License-Identifier: Apache-2.0
# The build modes: one configured tree is one mode (see CMakePresets.json).
#
#   release, coverage, tsan, asan, ubsan   core, programs and their tests on real threads
#   explore, explore-asan, afl, afl-asan   code under test instrumented, and linked with sched
set(LASTPUT_MODE release CACHE STRING "build mode")
set(LASTPUT_MODES release explore explore-asan tsan asan ubsan afl afl-asan coverage)
set_property(CACHE LASTPUT_MODE PROPERTY STRINGS ${LASTPUT_MODES})
if(NOT LASTPUT_MODE IN_LIST LASTPUT_MODES)
  message(FATAL_ERROR "LASTPUT_MODE=${LASTPUT_MODE} is not one of: ${LASTPUT_MODES}")
endif()

# Of a tree whose compiler changes, CMake forgets what the preset said, and would go on with a release build in build/tsan.
get_filename_component(lastput_tree ${CMAKE_BINARY_DIR} NAME)
if(CMAKE_SOURCE_DIR STREQUAL PROJECT_SOURCE_DIR AND lastput_tree IN_LIST LASTPUT_MODES AND NOT lastput_tree STREQUAL LASTPUT_MODE)
  message(FATAL_ERROR "${CMAKE_BINARY_DIR} is configured as ${LASTPUT_MODE}, not as its preset: delete it, and run ./lastput build ${lastput_tree}")
endif()

# The fuzz targets and nothing else, with the compiler, flags and engine of a fuzzing service
# (.clusterfuzzlite/build.sh): $LIB_FUZZING_ENGINE is a flag or an archive.
option(LASTPUT_SERVICE "fuzz targets for a fuzzing service")
if(LASTPUT_SERVICE AND NOT LASTPUT_MODE MATCHES "^explore(-asan)?$")
  message(FATAL_ERROR "LASTPUT_SERVICE is for modes explore and explore-asan, not for ${LASTPUT_MODE}")
endif()

set(LASTPUT_EXPLORES OFF)
if(LASTPUT_MODE MATCHES "^(explore|afl)(-asan)?$")
  set(LASTPUT_EXPLORES ON)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "mode ${LASTPUT_MODE} needs clang: configure with a preset, or run ./lastput build")
  endif()
endif()
if(LASTPUT_EXPLORES)
  set(PERCPU_FORK_HANDLERS OFF)  # the engine's threads do not fork
endif()
set(LASTPUT_BENCHES OFF)
if(LASTPUT_MODE MATCHES "^(release|explore)$")
  set(LASTPUT_BENCHES ON)
endif()

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g")  # no NDEBUG: checks stay on in every build

add_compile_options(-Wall -Wextra -Wconversion -fno-omit-frame-pointer)
# A compiler that warns of more than those we know keeps nobody from fuzzing. .ci/run is strict.
option(LASTPUT_WERROR "warnings are errors" "$ENV{LASTPUT_WERROR}")
if(LASTPUT_WERROR)
  add_compile_options(-Werror)
endif()
if(LASTPUT_MODE STREQUAL "tsan")
  add_compile_options(-fsanitize=thread)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-tsan)  # its ThreadSanitizer knows no fences; what core orders by them is announced, too
  endif()
  add_link_options(-fsanitize=thread)
elseif(LASTPUT_MODE STREQUAL "asan")
  add_compile_options(-fsanitize=address)
  add_link_options(-fsanitize=address)
elseif(LASTPUT_MODE STREQUAL "ubsan")
  add_compile_options(-fsanitize=undefined -fno-sanitize-recover=all)
  add_link_options(-fsanitize=undefined)
elseif(LASTPUT_MODE STREQUAL "coverage")
  set(LASTPUT_SOURCE_COVERAGE ON)
endif()

# Which lines and branches of covered code run (./lastput coverage).
option(LASTPUT_SOURCE_COVERAGE "source coverage of core and of what runs it")
if(LASTPUT_SOURCE_COVERAGE)
  add_link_options(-fprofile-instr-generate)
endif()

# Code that runs under the engine.
include(${CMAKE_CURRENT_LIST_DIR}/instrument.cmake)
if(LASTPUT_MODE MATCHES "^(explore|afl)-asan$")
  set_property(GLOBAL PROPERTY SCHED_ASAN ON)
  add_link_options(-fsanitize=address)
endif()
function(lastput_under_engine target)
  if(LASTPUT_EXPLORES)
    sched_instrument(${target})
  endif()
endfunction()
# How edges are counted: in an array that libFuzzer finds, or by calls, as the other engines want it.
set(LASTPUT_SERVICE_ENGINE libfuzzer CACHE STRING "with LASTPUT_SERVICE: the engine, as $FUZZING_ENGINE names it")
if(LASTPUT_SERVICE)
  string(COMPARE NOTEQUAL "${LASTPUT_SERVICE_ENGINE}" libfuzzer LASTPUT_COUNTS_BY_GUARDS)
else()
  string(REGEX MATCH "^afl" LASTPUT_COUNTS_BY_GUARDS "${LASTPUT_MODE}")
endif()
# Everything is compiled without coverage instrumentation unless it says otherwise.
function(lastput_covered target)
  if(LASTPUT_SOURCE_COVERAGE)
    # The engine must not see the counters: an atomic would be a step, and what the optimiser makes of several
    # increments is no longer known for one, and a race.
    target_compile_options(${target} PRIVATE -fprofile-instr-generate -fcoverage-mapping -fprofile-update=single -O0)
    if(NOT LASTPUT_EXPLORES)
      # So that a process which dies has counted, too. Each access is then one by address, which the engine would take for the
      # program's.
      target_compile_options(${target} PRIVATE "SHELL:-mllvm -runtime-counter-relocation")
    endif()
  endif()
  if(LASTPUT_COUNTS_BY_GUARDS)
    target_compile_options(${target} PRIVATE -fsanitize-coverage=trace-pc-guard)
  elseif(LASTPUT_EXPLORES)
    sched_cover(${target})
  endif()
endfunction()

find_package(Threads REQUIRED)
include(${CMAKE_CURRENT_LIST_DIR}/cxx_library.cmake)
include(GoogleTest)

# lastput_test(NAME SOURCES... LIBS ... [TIMEOUT s]): one GoogleTest binary, each case a CTest.
function(lastput_test name)
  if(LASTPUT_SERVICE)
    return()
  endif()
  cmake_parse_arguments(T "" "TIMEOUT" "SOURCES;LIBS" ${ARGN})
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 120)
  endif()
  add_executable(${name} ${T_SOURCES})
  target_link_libraries(${name} PRIVATE ${T_LIBS} GTest::gtest GTest::gtest_main Threads::Threads)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  if(LASTPUT_MODE STREQUAL "coverage")
    lastput_covered(${name})  # for the core's inline functions
  endif()
  gtest_discover_tests(${name} TEST_PREFIX "${name}." NO_PRETTY_TYPES
    PROPERTIES TIMEOUT ${T_TIMEOUT} DISCOVERY_TIMEOUT 60)
endfunction()
