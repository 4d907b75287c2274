# From the steps that fotabuild plans to CMake's custom commands. Internal to the package.
include_guard(GLOBAL)

# A plan is made before the firmware is: this stands for its file until a generator expression does.
set(_FOTABUILD_IMAGE "/fotabuild-image-of-the-build")

# Runs the command line at configure time and returns its JSON.
function(_fotabuild_query result)
    execute_process(
        COMMAND ${FOTABUILD_COMMAND} --json ${ARGN}
        RESULT_VARIABLE status
        OUTPUT_VARIABLE json
        ERROR_VARIABLE messages
        OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_STRIP_TRAILING_WHITESPACE
    )
    if(NOT status EQUAL 0)
        message(FATAL_ERROR "fotabuild: ${messages}")
    endif()
    set(${result} "${json}" PARENT_SCOPE)
endfunction()

# Returns a JSON array of texts as a list.
function(_fotabuild_json_list result json)
    string(JSON count LENGTH "${json}" ${ARGN})
    set(items "")
    if(count GREATER 0)
        math(EXPR last "${count} - 1")
        foreach(index RANGE ${last})
            string(JSON item GET "${json}" ${ARGN} ${index})
            list(APPEND items "${item}")
        endforeach()
    endif()
    set(${result} "${items}" PARENT_SCOPE)
endfunction()

# Declares the command of one step and returns its outputs.
#
# The description file changes exactly when a parameter of the step does; what the step reads is
# known from the plan and stated again by the dependency file.
function(_fotabuild_add_step result folder json)
    cmake_parse_arguments(PARSE_ARGV 3 ARG "" "TARGET;IMAGE" "")
    string(JSON name GET "${json}" name)
    string(JSON kind GET "${json}" kind)
    string(JSON description GET "${json}" description)
    _fotabuild_json_list(inputs "${json}" inputs)
    _fotabuild_json_list(outputs "${json}" outputs)
    string(REPLACE "${_FOTABUILD_IMAGE}" "${ARG_IMAGE}" description "${description}")
    string(REPLACE "${_FOTABUILD_IMAGE}" "${ARG_IMAGE}" inputs "${inputs}")
    list(GET outputs 0 artifact)

    cmake_path(GET artifact FILENAME file_name)
    set(description_file "${folder}/steps/${file_name}.json")
    file(GENERATE OUTPUT "${description_file}" CONTENT "${description}\n")
    set(pool "")
    if(kind STREQUAL "delta" AND FOTABUILD_DELTA_JOB_POOL)
        set(pool JOB_POOL "${FOTABUILD_DELTA_JOB_POOL}")
    endif()
    add_custom_command(
        OUTPUT ${outputs}
        COMMAND ${FOTABUILD_COMMAND} step "${description_file}" --depfile "${description_file}.d"
        DEPENDS ${inputs} "${description_file}" ${ARG_TARGET}
        DEPFILE "${description_file}.d"
        COMMENT "fotabuild: ${name}"
        ${pool}
        VERBATIM
    )
    set_property(DIRECTORY APPEND PROPERTY ADDITIONAL_CLEAN_FILES
        "${description_file}.d")
    set(${result} "${outputs}" PARENT_SCOPE)
endfunction()

# Sets <name> in the caller to <value> made absolute against <base>, unless it is empty or absolute.
function(_fotabuild_absolute name value base)
    if(NOT value STREQUAL "")
        cmake_path(ABSOLUTE_PATH value BASE_DIRECTORY "${base}" NORMALIZE)
    endif()
    set(${name} "${value}" PARENT_SCOPE)
endfunction()

# Stops on arguments that no keyword takes and on keywords without a value.
macro(_fotabuild_check_arguments function)
    if(ARG_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "${function}: unknown arguments: ${ARG_UNPARSED_ARGUMENTS}")
    endif()
    if(ARG_KEYWORDS_MISSING_VALUES)
        message(FATAL_ERROR "${function}: no value for: ${ARG_KEYWORDS_MISSING_VALUES}")
    endif()
endmacro()
