# Which Python runs fotabuild.
#
# Not the outer project's Python3_EXECUTABLE: Mbed OS, for one, points it to an environment of its
# own. The order is: what the user gave, the interpreter of the prefix that this file lies in, PATH.
include_guard(GLOBAL)

# Sets FOTABUILD_PYTHON_EXECUTABLE in the cache; <problem> becomes the message when it does not work.
function(_fotabuild_find_python problem)
    set(${problem} "" PARENT_SCOPE)
    if(NOT FOTABUILD_PYTHON_EXECUTABLE)
        set(hints "")
        set(folder "${CMAKE_CURRENT_FUNCTION_LIST_DIR}")
        foreach(_ RANGE 8)
            cmake_path(GET folder PARENT_PATH folder)
            list(APPEND hints "${folder}/bin" "${folder}/Scripts")
        endforeach()
        find_program(FOTABUILD_PYTHON_EXECUTABLE NAMES python3 python
            HINTS ${hints} NO_CMAKE_FIND_ROOT_PATH
            DOC "Python interpreter in which fotabuild is installed")
    endif()
    if(FOTABUILD_PYTHON_EXECUTABLE STREQUAL "$CACHE{_FOTABUILD_PYTHON_TESTED}")
        return()
    endif()
    execute_process(
        COMMAND "${FOTABUILD_PYTHON_EXECUTABLE}" -m fotabuild --version
        RESULT_VARIABLE status
        OUTPUT_QUIET ERROR_QUIET
    )
    if(status EQUAL 0)
        set(_FOTABUILD_PYTHON_TESTED "${FOTABUILD_PYTHON_EXECUTABLE}" CACHE INTERNAL "")
    else()
        set(${problem} "fotabuild does not start in '${FOTABUILD_PYTHON_EXECUTABLE}'. Type: \
\"${FOTABUILD_PYTHON_EXECUTABLE}\" -m pip install fotabuild, or set FOTABUILD_PYTHON_EXECUTABLE to \
the interpreter that has it." PARENT_SCOPE)
    endif()
endfunction()
