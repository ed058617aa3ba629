# SPDX-License-Identifier: Apache-2.0
# sched_add_target(NAME SOURCE... [LIBFUZZER] [WIDE])
#
# An executable whose sources are code under test, linked with the engine and with what reports and searches
# (<sched/search.h>). Files in reports are told relative to the project. An ordinary target: give it definitions, include folders and libraries as any other.
#
#   LIBFUZZER  its sources define LLVMFuzzerTestOneInput, and it is linked with libFuzzer; else they define main
#   WIDE       with sched::sched_wide, for more threads at once
#
# Libraries of yours that are code under test, too: sched_instrument(TARGET...), and for coverage in a fuzz
# target sched_cover(TARGET...) (instrument.cmake). What is not instrumented runs as it is: the engine
# sees its locks and its memory, but not its atomics and plain accesses.
function(sched_add_target name)
  cmake_parse_arguments(PARSE_ARGV 1 TARGET "LIBFUZZER;WIDE" "" "")
  if(NOT TARGET_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "sched_add_target(${name}): no sources")
  endif()
  sched_check_sanitizers(${name})
  add_executable(${name} ${TARGET_UNPARSED_ARGUMENTS} ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/source_root.cc)
  target_compile_definitions(${name} PRIVATE SCHED_SOURCE_ROOT="${PROJECT_SOURCE_DIR}/")
  set_target_properties(${name} PROPERTIES LINKER_LANGUAGE CXX)
  sched_instrument(${name})
  target_link_libraries(${name} PRIVATE sched::report$<$<BOOL:${TARGET_WIDE}>:_wide>)
  get_property(asan GLOBAL PROPERTY SCHED_ASAN)
  if(asan)
    target_link_options(${name} PRIVATE -fsanitize=address)
  endif()
  if(TARGET_LIBFUZZER)
    sched_link_libfuzzer(${name})
  endif()
endfunction()

# Sanitizers that the project has chosen for everything.
function(sched_check_sanitizers name)
  get_property(asan GLOBAL PROPERTY SCHED_ASAN)
  get_directory_property(options LINK_OPTIONS)
  set(flags "${CMAKE_CXX_FLAGS} ${CMAKE_EXE_LINKER_FLAGS} ${options}")
  if(flags MATCHES "-fsanitize=[a-z,-]*thread")
    message(FATAL_ERROR "sched_add_target(${name}): sched takes ThreadSanitizer's place; configure without -fsanitize=thread")
  elseif(flags MATCHES "-fsanitize=[a-z,-]*address" AND NOT asan)
    message(FATAL_ERROR "sched_add_target(${name}): this sched was built without AddressSanitizer; \
configure without -fsanitize=address, or install sched from preset explore-asan")
  endif()
endfunction()

function(sched_link_libfuzzer name)
  include(CheckCXXSourceCompiles)
  set(CMAKE_REQUIRED_LINK_OPTIONS -fsanitize=fuzzer)
  get_property(libcxx GLOBAL PROPERTY SCHED_LIBCXX)
  if(libcxx)
    set(CMAKE_REQUIRED_LIBRARIES -l:libstdc++.so.6)  # libFuzzer is made for that, as a rule
  endif()
  check_cxx_source_compiles("extern \"C\" int LLVMFuzzerTestOneInput(const char*, decltype(sizeof 0)) { return 0; }"
    SCHED_HAS_LIBFUZZER)
  if(NOT SCHED_HAS_LIBFUZZER)
    message(FATAL_ERROR "sched_add_target(${name} ... LIBFUZZER): ${CMAKE_CXX_COMPILER} has no libFuzzer here \
(Debian: package libclang-rt-VERSION-dev, or libclang-rt-dev)")
  endif()
  sched_cover(${name})
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  target_link_libraries(${name} PRIVATE ${CMAKE_REQUIRED_LIBRARIES})
endfunction()
