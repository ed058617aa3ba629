# SPDX-License-Identifier: Apache-2.0
# cmake -DCORE=DIR -DPATCH=FILE -DTO=DIR -P apply.cmake
#
# Makes TO/core a copy of CORE with PATCH applied (paths a/core/..., no fuzz). Files that come out as
# they are keep their time, so that only what the patch or an edit changed is built again.
# Without TO: only checks that the patch applies.
file(GLOB_RECURSE sources RELATIVE ${CORE} ${CORE}/*.h ${CORE}/*.cc)
set(fresh $ENV{TMPDIR})
if(NOT fresh)
  set(fresh /tmp)
endif()
string(RANDOM LENGTH 12 unique)
set(fresh ${fresh}/lastput-bug-${unique})
foreach(source IN LISTS sources)
  configure_file(${CORE}/${source} ${fresh}/core/${source} COPYONLY)
endforeach()
execute_process(COMMAND patch -p1 --fuzz=0 --batch --no-backup-if-mismatch -i ${PATCH}
  WORKING_DIRECTORY ${fresh} RESULT_VARIABLE failed OUTPUT_VARIABLE words ERROR_VARIABLE words)
if(NOT failed STREQUAL "0")
  file(REMOVE_RECURSE ${fresh})
  get_filename_component(name ${PATCH} NAME)
  message(FATAL_ERROR "bugs/${name} does not apply to core/ any more; please make it anew.\n${words}")
endif()
if(TO)
  foreach(source IN LISTS sources)
    get_filename_component(folder ${TO}/core/${source} DIRECTORY)
    file(MAKE_DIRECTORY ${folder})
    file(COPY_FILE ${fresh}/core/${source} ${TO}/core/${source} ONLY_IF_DIFFERENT)
  endforeach()
endif()
file(REMOVE_RECURSE ${fresh})
