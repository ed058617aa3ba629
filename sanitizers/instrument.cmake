# SPDX-License-Identifier: Apache-2.0
# How code under test is compiled: for the modes of this tree, and for whoever has sched installed.

# sched_instrument(TARGET...): these are code under test: instrumented as for ThreadSanitizer, but to be linked
# with sched, which defines the entry points itself; -fsanitize=thread must never reach the link. The global property
# SCHED_ASAN says that AddressSanitizer is there, too. clang 14 or newer.
function(sched_instrument)
  get_property(asan GLOBAL PROPERTY SCHED_ASAN)
  foreach(target IN LISTS ARGN)
    get_target_property(sources ${target} SOURCES)
    if(sources MATCHES "\\.c(;|$)" AND NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
      message(FATAL_ERROR "sched_instrument(${target}): it has C sources, and the C compiler here is \
${CMAKE_C_COMPILER_ID}: configure with -DCMAKE_C_COMPILER=clang")
    endif()
    # Function entry and exit hooks are left out: stacks come from frame pointers.
    target_compile_options(${target} PRIVATE -g -fno-omit-frame-pointer -fsanitize=thread
      "SHELL:-mllvm -tsan-instrument-func-entry-exit=0")
    if(asan)
      target_compile_options(${target} PRIVATE "SHELL:-Xclang -fsanitize=address")
    endif()
    if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 15)
      set(launcher ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/instrument_memory_calls.sh)
      foreach(language C CXX)
        set_property(TARGET ${target} PROPERTY ${language}_COMPILER_LAUNCHER
          ${launcher} ${CMAKE_${language}_COMPILER_LAUNCHER})
      endforeach()
    endif()
  endforeach()
endfunction()

# sched_cover(TARGET...): counts for libFuzzer which edges run. Named one by one: comparison tracing would leak
# pointer values into the fuzzer's mutations.
function(sched_cover)
  foreach(target IN LISTS ARGN)
    target_compile_options(${target} PRIVATE -fsanitize-coverage=inline-8bit-counters,pc-table)
  endforeach()
endfunction()
