# find_package(fusegrad): the target fusegrad::core, for C++ extensions of the Python package.
# `python -c "import fusegrad; print(fusegrad.get_cmake_dir())"` prints the folder of this file: in
# the installed package, or in the source tree whose modules were built in place.
get_filename_component(fusegrad_HERE "${CMAKE_CURRENT_LIST_DIR}" REALPATH)
if(EXISTS "${fusegrad_HERE}/../../../include/fusegrad/extension.h")
  get_filename_component(fusegrad_LIBRARY_DIR "${fusegrad_HERE}/../../.." ABSOLUTE)
  set(fusegrad_INCLUDE_DIR "${fusegrad_LIBRARY_DIR}/include")
else()
  get_filename_component(fusegrad_LIBRARY_DIR "${fusegrad_HERE}/../../python/fusegrad" ABSOLUTE)
  get_filename_component(fusegrad_INCLUDE_DIR "${fusegrad_HERE}/../../csrc/include" ABSOLUTE)
endif()

set(fusegrad_LIBRARY
    "${fusegrad_LIBRARY_DIR}/${CMAKE_SHARED_LIBRARY_PREFIX}fusegrad_core${CMAKE_SHARED_LIBRARY_SUFFIX}")
foreach(path "${fusegrad_LIBRARY}" "${fusegrad_INCLUDE_DIR}/fusegrad/extension.h")
  if(NOT EXISTS "${path}")
    set(fusegrad_FOUND FALSE)
    set(fusegrad_NOT_FOUND_MESSAGE "${path} does not exist")
    return()
  endif()
endforeach()

if(NOT TARGET fusegrad::core)
  add_library(fusegrad::core SHARED IMPORTED)
  set_target_properties(
    fusegrad::core
    PROPERTIES IMPORTED_LOCATION "${fusegrad_LIBRARY}"
               INTERFACE_INCLUDE_DIRECTORIES "${fusegrad_INCLUDE_DIR}"
               INTERFACE_COMPILE_FEATURES cxx_std_17)
endif()
