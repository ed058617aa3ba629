# SPDX-License-Identifier: Apache-2.0
# The fuzz targets on real threads, on each platform of the core: bin/real/PLATFORM/THING_fuzzer, of a known bug
# bin/real/PLATFORM/bugs/NAME/THING_fuzzer (bugs/). Their cores and harnesses are their own, for libFuzzer counts their
# edges. None is built unless it is asked for: target THING_fuzzer_real_PLATFORM[_NAME].
set(LASTPUT_REAL_PLATFORMS)
if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang" OR LASTPUT_MODE STREQUAL "coverage")
  return()  # no libFuzzer
endif()
set(LASTPUT_REAL_PLATFORMS linux portable CACHE INTERNAL "")
set(LASTPUT_FUZZER_ENGINE -fsanitize=fuzzer CACHE INTERNAL "")
add_library(targets_fuzzer STATIC EXCLUDE_FROM_ALL fuzzer_real.cc fuzzer_support.cc sanitizer_report.cc statistics.cc titles.cc)
target_link_libraries(targets_fuzzer PUBLIC targets_program targets_runtime_threads Threads::Threads)
lastput_add_fuzzer_mains()

# lastput_real_preset(VARIABLE): how the preset of this tree is called; without a sanitizer, clang has one of its own.
function(lastput_real_preset variable)
  set(preset ${LASTPUT_MODE})
  if(preset STREQUAL "release")
    set(preset plain)
  endif()
  set(${variable} ${preset} PARENT_SCOPE)
endfunction()

# lastput_add_real_fuzzers(PLATFORM HARNESS BUG [OBJECTS...]): as lastput_add_fuzzers.
function(lastput_add_real_fuzzers platform harness bug)
  set(suffix real_${platform})
  set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin/real/${platform})
  if(bug)
    string(APPEND suffix _${bug})
    string(APPEND CMAKE_RUNTIME_OUTPUT_DIRECTORY /bugs/${bug})
  endif()
  lastput_real_preset(preset)
  set(LASTPUT_BUILD "real ${preset} ${platform}")
  lastput_add_fuzzers(${suffix} ${harness} "${bug}" $<TARGET_OBJECTS:real_platform_${platform}> ${ARGN})
  list(TRANSFORM LASTPUT_FUZZERS APPEND _fuzzer_${suffix} OUTPUT_VARIABLE fuzzers)
  set_property(TARGET build_info_${suffix} ${fuzzers} PROPERTY EXCLUDE_FROM_ALL ON)
endfunction()

# lastput_add_real_core(NAME TREE PLATFORM): the core in TREE/core, core_NAME, and the harness for it, targets_harness_NAME.
function(lastput_add_real_core name tree platform)
  percpu_add_library(core_${name} ${tree}/core ${platform})
  lastput_add_harness(targets_harness_${name} core_${name})
  sched_cover(core_${name} targets_harness_${name})
  set_property(TARGET core_${name} targets_harness_${name} PROPERTY EXCLUDE_FROM_ALL ON)
endfunction()

foreach(platform IN LISTS LASTPUT_REAL_PLATFORMS)
  add_library(real_platform_${platform} OBJECT EXCLUDE_FROM_ALL real_platform.cc)
  target_link_libraries(real_platform_${platform} PRIVATE percpu_${platform})
  lastput_add_real_core(real_${platform} ${PROJECT_SOURCE_DIR} ${platform})
  lastput_add_real_fuzzers(${platform} targets_harness_real_${platform} "")
endforeach()

# What they need is built by a test of their own.
set(built percpu_ref_fuzzer_real_linux)
set(groups clean)
if(LASTPUT_MODE STREQUAL "tsan")
  list(APPEND groups portable race address)
  list(APPEND built percpu_ref_fuzzer_real_portable percpu_ref_fuzzer_real_linux_relaxed_last_put
    percpu_ref_fuzzer_real_linux_touch_after_release)
elseif(LASTPUT_MODE STREQUAL "asan")
  list(APPEND groups address oracle hang)
  foreach(bug touch_after_release counters_never_freed lost_wakeup)
    list(APPEND built percpu_ref_fuzzer_real_linux_${bug})
  endforeach()
endif()
add_test(NAME real_fuzzers.build COMMAND ${CMAKE_COMMAND} --build ${CMAKE_BINARY_DIR} --target ${built})
set_tests_properties(real_fuzzers.build PROPERTIES FIXTURES_SETUP real_fuzzers RUN_SERIAL ON TIMEOUT 1800)
foreach(group IN LISTS groups)
  add_test(NAME real_fuzzers.${group}
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/real_fuzzer_test.sh ${CMAKE_BINARY_DIR}/bin/real ${group})
  set_tests_properties(real_fuzzers.${group} PROPERTIES FIXTURES_REQUIRED real_fuzzers TIMEOUT 300)
endforeach()
