# Config package of fotabuild: find_package(FotaBuild CONFIG).
#
# Functions:  fotabuild_add_update     everything that updates older releases of a firmware
#             fotabuild_add_resources, fotabuild_add_image, fotabuild_add_delta,
#             fotabuild_add_package, fotabuild_add_manifest     one artifact each
# Variables:  FOTABUILD_PYTHON_EXECUTABLE    cache: the interpreter in which fotabuild is installed
#             FOTABUILD_DELTA_JOBS           cache: how many large deltas Ninja makes at a time
#             FOTABUILD_COMMAND              the command line of fotabuild, a list

if(CMAKE_VERSION VERSION_LESS 3.20)
    set(FotaBuild_FOUND FALSE)
    set(FotaBuild_NOT_FOUND_MESSAGE "fotabuild needs CMake 3.20 or newer, this is ${CMAKE_VERSION}")
    return()
endif()

# For the functions in these files; find_package keeps it from the caller.
cmake_policy(VERSION 3.20...4.0)

include("${CMAKE_CURRENT_LIST_DIR}/FotaBuildPython.cmake")
_fotabuild_find_python(FotaBuild_NOT_FOUND_MESSAGE)
if(FotaBuild_NOT_FOUND_MESSAGE)
    set(FotaBuild_FOUND FALSE)
    return()
endif()

include("${CMAKE_CURRENT_LIST_DIR}/FotaBuildHelpers.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/FotaBuildSteps.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/FotaBuildResources.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/FotaBuildArtifacts.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/FotaBuildUpdate.cmake")
