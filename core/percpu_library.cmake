# SPDX-License-Identifier: Apache-2.0
# percpu_add_library(NAME SOURCE_DIR PLATFORM)
#
# The core in SOURCE_DIR (this folder, or a copy of it with a patch applied, in a folder named core) as
# a static library. Who links it includes "core/ref.h" and gets that very folder's header.
#
# PERCPU_FORK_HANDLERS: whether the child of a fork may go on using its domains (domain.h). Needs
# pthread_atfork.
option(PERCPU_FORK_HANDLERS "handlers of the core run around fork" ${UNIX})
function(percpu_add_library name source_dir platform)
  get_filename_component(parent ${source_dir} DIRECTORY)
  set(fork no_fork.cc)
  if(PERCPU_FORK_HANDLERS)
    set(fork posix_fork.cc)
  endif()
  add_library(${name} STATIC
    ${source_dir}/domain.cc
    ${source_dir}/domain_state.cc
    ${source_dir}/manager.cc
    ${source_dir}/manager_state.cc
    ${source_dir}/misuse.cc
    ${source_dir}/percpu_memory.cc
    ${source_dir}/rcu.cc
    ${source_dir}/rcu_state.cc
    ${source_dir}/rcuref_count.cc
    ${source_dir}/ref.cc
    ${source_dir}/ref_modes.cc
    ${source_dir}/platform/${platform}/percpu_platform.cc
    ${source_dir}/platform/reader_counts.cc
    ${source_dir}/platform/${fork})
  target_include_directories(${name} PUBLIC ${parent} ${source_dir}/platform/${platform})
  target_compile_features(${name} PUBLIC cxx_std_20)
  target_link_libraries(${name} PUBLIC Threads::Threads)
  if(platform STREQUAL "linux")
    percpu_use_liburcu(${name})
  endif()
endfunction()

# RCU readers by liburcu, where it is installed; the linux platform has others, a little slower, where
# it is not.
function(percpu_use_liburcu name)
  find_path(PERCPU_LIBURCU_INCLUDE urcu/urcu-bp.h)
  find_library(PERCPU_LIBURCU urcu-bp)
  find_library(PERCPU_LIBURCU_COMMON urcu-common)
  if(PERCPU_LIBURCU_INCLUDE AND PERCPU_LIBURCU AND PERCPU_LIBURCU_COMMON)
    target_compile_definitions(${name} PRIVATE PERCPU_HAS_LIBURCU)
    target_include_directories(${name} SYSTEM PRIVATE ${PERCPU_LIBURCU_INCLUDE})
    target_link_libraries(${name} PRIVATE ${PERCPU_LIBURCU} ${PERCPU_LIBURCU_COMMON})
  endif()
endfunction()
