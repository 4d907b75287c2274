# Calling the command line, and small helpers. Internal to the package.
include_guard(GLOBAL)

# Runs the command line at configure time and returns its JSON. Relative paths in FOTABUILD_*
# variables of the environment start in the current source folder.
function(_fotabuild_query result)
    execute_process(
        COMMAND ${FOTABUILD_COMMAND} --quiet --json ${ARGN}
        WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}"
        RESULT_VARIABLE status
        OUTPUT_VARIABLE json
        ERROR_VARIABLE messages
        OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_STRIP_TRAILING_WHITESPACE
    )
    if(NOT status EQUAL 0)
        string(REGEX REPLACE "^.*\n" "" message "${messages}")
        string(REGEX REPLACE "^error: " "" message "${message}")
        # CMake breaks the lines of a message unless it begins with a space.
        message(FATAL_ERROR " fotabuild: ${message}")
    endif()
    set(${result} "${json}" PARENT_SCOPE)
endfunction()

# Returns the folder for what belongs to a target of ours, and is no artifact.
function(_fotabuild_work_folder result name)
    set(folder "${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${name}-update.dir")
    get_property(multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
    if(multi_config)
        string(APPEND folder "/$<CONFIG>")
    endif()
    set(${result} "${folder}" PARENT_SCOPE)
endfunction()

# Returns a JSON array of texts as a list.
function(_fotabuild_json_list result json)
    string(JSON count LENGTH "${json}" ${ARGN})
    set(items "")
    if(count GREATER 0)
        math(EXPR last "${count} - 1")
        foreach(index RANGE ${last})
            string(JSON item GET "${json}" ${ARGN} ${index})
            if(item MATCHES ";")
                message(FATAL_ERROR " fotabuild: CMake takes '${item}' for a list: rename it")
            endif()
            list(APPEND items "${item}")
        endforeach()
    endif()
    set(${result} "${items}" PARENT_SCOPE)
endfunction()

# Sets <name> in the caller to <value> made absolute against <base>, unless it is empty or begins
# with a generator expression other than $<CONFIG>.
function(_fotabuild_absolute name value base)
    if(NOT value MATCHES "^$|^\\$<" OR value MATCHES "^\\$<CONFIG>")
        cmake_path(ABSOLUTE_PATH value BASE_DIRECTORY "${base}" NORMALIZE)
    endif()
    set(${name} "${value}" PARENT_SCOPE)
endfunction()

# Stops on arguments that no keyword takes and on keywords without a value. Lists may be empty.
macro(_fotabuild_check_arguments)
    list(REMOVE_ITEM ARG_KEYWORDS_MISSING_VALUES SETTINGS UPLOAD_OPTIONS)
    if(ARG_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR " ${CMAKE_CURRENT_FUNCTION}: unknown: ${ARG_UNPARSED_ARGUMENTS}")
    endif()
    if(ARG_KEYWORDS_MISSING_VALUES)
        message(FATAL_ERROR
            " ${CMAKE_CURRENT_FUNCTION}: no value given for ${ARG_KEYWORDS_MISSING_VALUES}")
    endif()
endmacro()

# Stops when one of these keywords was not given.
macro(_fotabuild_require)
    foreach(keyword ${ARGN})
        if("${ARG_${keyword}}" STREQUAL "")
            message(FATAL_ERROR " ${CMAKE_CURRENT_FUNCTION}: ${keyword} is missing")
        endif()
    endforeach()
endmacro()

# Returns the command line's options for a configuration, which is read again when it changes.
function(_fotabuild_configuration result config settings)
    if(config STREQUAL "")
        set(config fotabuild.yaml)
    endif()
    _fotabuild_absolute(config "${config}" "${CMAKE_CURRENT_SOURCE_DIR}")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${config}")
    set(options --config "${config}")
    foreach(setting IN LISTS settings)
        list(APPEND options --build-setting "${setting}")
    endforeach()
    set(${result} "${options}" PARENT_SCOPE)
endfunction()
