# SPDX-License-Identifier: Apache-2.0
# What the library consists of.

# The headers that programs include as <percpu/NAME>; what is not here is not installed (and is listed as
# internal in install_test.sh).
set(PERCPU_PUBLIC_HEADERS
  domain.h
  manager.h
  misuse.h
  pool.h
  rcu.h
  rcuref_blocking.h
  rcuref_count.h
  rcuref_deferred.h
  rcuref_locked.h
  rcuref_tryget.h
  ref.h
  status.h
  version.h)
# What these include in turn. Their folders are those of the tree.
set(PERCPU_PLATFORM_HEADERS
  platform/linux/percpu_platform.h
  platform/portable/percpu_platform.h
  platform/counter_ref.h
  platform/reader_counts.h
  refill_record.h)

# percpu_add_library(NAME SOURCE_DIR PLATFORM)
#
# The core in SOURCE_DIR (this folder, or a copy of it with a patch applied, in a folder named core):
# static, unless BUILD_SHARED_LIBS says otherwise. Who links it includes "core/ref.h" or <percpu/ref.h>
# and gets that very folder's header.
function(percpu_add_library name source_dir platform)
  get_filename_component(parent ${source_dir} DIRECTORY)
  percpu_add_library_alone(${name} ${source_dir} ${platform})
  target_include_directories(${name} PUBLIC $<BUILD_INTERFACE:${parent}>)
endfunction()

# PERCPU_FORK_HANDLERS: whether the child of a fork may go on using its domains (domain.h). Needs
# pthread_atfork.
option(PERCPU_FORK_HANDLERS "handlers of the core run around fork" ${UNIX})

# The same for a project of other people: what lies beside SOURCE_DIR stays out of their include path.
function(percpu_add_library_alone name source_dir platform)
  set(fork no_fork.cc)
  if(PERCPU_FORK_HANDLERS)
    set(fork posix_fork.cc)
  endif()
  add_library(${name}
    ${source_dir}/domain.cc
    ${source_dir}/domain_state.cc
    ${source_dir}/manager.cc
    ${source_dir}/manager_state.cc
    ${source_dir}/misuse.cc
    ${source_dir}/percpu_memory.cc
    ${source_dir}/pool.cc
    ${source_dir}/rcu.cc
    ${source_dir}/rcu_state.cc
    ${source_dir}/rcuref_count.cc
    ${source_dir}/ref.cc
    ${source_dir}/ref_modes.cc
    ${source_dir}/refill_worker.cc
    ${source_dir}/platform/${platform}/percpu_platform.cc
    ${source_dir}/platform/reader_counts.cc
    ${source_dir}/platform/${fork})
  set(include ${CMAKE_CURRENT_BINARY_DIR}/percpu_include/${name})
  file(MAKE_DIRECTORY ${include})
  file(CREATE_LINK ${source_dir} ${include}/percpu SYMBOLIC)
  target_include_directories(${name} PUBLIC
    $<BUILD_INTERFACE:${include}> $<BUILD_INTERFACE:${source_dir}/platform/${platform}>)
  target_compile_features(${name} PUBLIC cxx_std_20)
  target_link_libraries(${name} PUBLIC Threads::Threads)
  if(BUILD_SHARED_LIBS)
    target_compile_definitions(${name} PUBLIC PERCPU_SHARED)
    # Threads keep pointers into it: the kernel's to the last section, and those of thread_locals.
    target_link_options(${name} PRIVATE LINKER:-z,nodelete)
  endif()
  if(platform STREQUAL "linux")
    percpu_use_liburcu(${name})
  endif()
endfunction()

# RCU readers by liburcu, where it is installed; the linux platform has others, a little slower, where
# it is not.
function(percpu_use_liburcu name)
  list(PREPEND CMAKE_MODULE_PATH ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/cmake)
  find_package(LibUrcuBp QUIET)
  if(LibUrcuBp_FOUND)
    target_compile_definitions(${name} PRIVATE PERCPU_HAS_LIBURCU)
    target_link_libraries(${name} PRIVATE LibUrcuBp::LibUrcuBp)
  endif()
endfunction()

# percpu_read_version(VARIABLE): MAJOR.MINOR.PATCH, as version.h tells it.
function(percpu_read_version variable)
  file(STRINGS ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/version.h lines REGEX "^#define PERCPU_VERSION_M?[A-Z]+ [0-9]+$")
  list(TRANSFORM lines REPLACE "^.* " "")
  list(JOIN lines "." version)
  set(${variable} ${version} PARENT_SCOPE)
endfunction()
