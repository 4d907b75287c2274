# Which Python runs fotabuild.
#
# Not the outer project's Python3_EXECUTABLE: Mbed OS, for one, points it to an environment of its
# own. The order is: what the user gave, the interpreter of the prefix that this file lies in, PATH.
include_guard(GLOBAL)

# Sets FOTABUILD_PYTHON_EXECUTABLE and FOTABUILD_COMMAND, in the cache: functions are global, too.
# <problem> becomes a message when there is no such interpreter.
function(_fotabuild_find_python problem)
    set(${problem} "" PARENT_SCOPE)
    set(given "${FOTABUILD_PYTHON_EXECUTABLE}")
    if(NOT given)
        # <prefix>/share/cmake/FotaBuild, or the same below <prefix>/lib/python3.11/site-packages.
        string(REGEX REPLACE
            "(/[Ll]ib(64)?(/python[0-9.]+)?/(site|dist)-packages/fotabuild)?/share/cmake/FotaBuild$"
            "" prefix "${CMAKE_CURRENT_FUNCTION_LIST_DIR}")
        set(names NAMES python3 python NAMES_PER_DIR
            DOC "Python interpreter in which fotabuild is installed" NO_CMAKE_FIND_ROOT_PATH)
        find_program(FOTABUILD_PYTHON_EXECUTABLE ${names}
            PATHS "${prefix}/bin" "${prefix}/Scripts" NO_DEFAULT_PATH)
        find_program(FOTABUILD_PYTHON_EXECUTABLE ${names}
            NO_PACKAGE_ROOT_PATH NO_CMAKE_PATH NO_CMAKE_ENVIRONMENT_PATH)
    endif()

    if(NOT FOTABUILD_PYTHON_EXECUTABLE STREQUAL "$CACHE{_FOTABUILD_TESTED_PYTHON}"
            OR NOT EXISTS "$CACHE{_FOTABUILD_FOLDER}/__init__.py")
        execute_process(
            COMMAND "${FOTABUILD_PYTHON_EXECUTABLE}" -c
                "import fotabuild.cli.main; print(fotabuild.__path__[0])"
            RESULT_VARIABLE status
            OUTPUT_VARIABLE folder
            OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET
        )
        if(NOT status EQUAL 0)
            set(text "'${FOTABUILD_PYTHON_EXECUTABLE}' does not run fotabuild. Type: \
\"${FOTABUILD_PYTHON_EXECUTABLE}\" -m pip install fotabuild\nor give the interpreter that has it: \
-DFOTABUILD_PYTHON_EXECUTABLE=<python>")
            if(NOT FOTABUILD_PYTHON_EXECUTABLE)
                set(text "There is no Python on PATH. Give the interpreter that has fotabuild: \
-DFOTABUILD_PYTHON_EXECUTABLE=<python>")
            endif()
            set(${problem} "${text}" PARENT_SCOPE)
            if(NOT given)
                unset(FOTABUILD_PYTHON_EXECUTABLE CACHE)  # Look again next time.
            endif()
            return()
        endif()
        file(TO_CMAKE_PATH "${folder}" folder)
        set(_FOTABUILD_FOLDER "${folder}" CACHE INTERNAL "Where Python finds fotabuild")
        set(_FOTABUILD_TESTED_PYTHON "${FOTABUILD_PYTHON_EXECUTABLE}" CACHE INTERNAL "")
    endif()
    set(FOTABUILD_COMMAND "${FOTABUILD_PYTHON_EXECUTABLE}" -m fotabuild
        CACHE INTERNAL "Command line of fotabuild")

    # Another version of fotabuild, or of what makes its deltas, may plan otherwise. Installers do
    # not always give files a new date, but the names of these folders hold the version.
    set(version_files "$CACHE{_FOTABUILD_FOLDER}/__init__.py")
    foreach(package IN ITEMS fotabuild bsdiff4 lz4)
        file(GLOB metadata "$CACHE{_FOTABUILD_FOLDER}/../${package}-*.dist-info/METADATA")
        list(APPEND version_files ${metadata})
    endforeach()
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${version_files})
endfunction()
