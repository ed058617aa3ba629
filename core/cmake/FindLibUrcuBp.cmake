# SPDX-License-Identifier: Apache-2.0
# LibUrcuBp::LibUrcuBp: liburcu's flavour for threads that nobody registers.
find_path(LibUrcuBp_INCLUDE_DIR urcu/urcu-bp.h)
find_library(LibUrcuBp_LIBRARY urcu-bp)
find_library(LibUrcuBp_COMMON_LIBRARY urcu-common)
mark_as_advanced(LibUrcuBp_INCLUDE_DIR LibUrcuBp_LIBRARY LibUrcuBp_COMMON_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibUrcuBp REQUIRED_VARS
  LibUrcuBp_LIBRARY LibUrcuBp_COMMON_LIBRARY LibUrcuBp_INCLUDE_DIR)

if(LibUrcuBp_FOUND AND NOT TARGET LibUrcuBp::LibUrcuBp)
  add_library(LibUrcuBp::LibUrcuBp UNKNOWN IMPORTED GLOBAL)
  set_target_properties(LibUrcuBp::LibUrcuBp PROPERTIES
    IMPORTED_LOCATION ${LibUrcuBp_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${LibUrcuBp_INCLUDE_DIR}
    INTERFACE_LINK_LIBRARIES ${LibUrcuBp_COMMON_LIBRARY})
endif()
