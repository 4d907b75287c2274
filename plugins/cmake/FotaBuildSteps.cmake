# From the steps that fotabuild plans to CMake's custom commands. Internal to the package.
include_guard(GLOBAL)

set(FOTABUILD_DELTA_JOBS 4 CACHE STRING "How many large deltas Ninja makes at a time")

# Declares the commands for the steps of a plan and returns all outputs.
#
#   <name>             name of the target that they belong to
#   IMAGE <file>       stands in for the file name _fotabuild_image_placeholder() in the plan
#   MADE_BY <target>   makes that file
#
# A step that makes resources is left to _fotabuild_add_resources_step. What a step reads is known
# from the plan, and stated again by the dependency file.
function(_fotabuild_add_steps result name plan)
    cmake_parse_arguments(PARSE_ARGV 3 ARG "" "IMAGE;MADE_BY" "")
    _fotabuild_image_placeholder(placeholder)
    _fotabuild_work_folder(work ${name})
    _fotabuild_groups(groups "${plan}")
    set(all_outputs "")
    string(JSON count LENGTH "${plan}" steps)
    math(EXPR last "${count} - 1")
    foreach(index RANGE ${last})
        string(JSON step GET "${plan}" steps ${index})
        string(JSON kind GET "${step}" kind)
        if(kind STREQUAL "resources")
            continue()
        endif()
        _fotabuild_json_list(inputs "${step}" inputs)
        _fotabuild_json_list(outputs "${step}" outputs)
        list(GET outputs 0 artifact)
        cmake_path(GET artifact FILENAME file_name)
        set(description_file "${work}/${file_name}.json")
        _fotabuild_write_step("${description_file}" "${step}" "${ARG_IMAGE}")

        list(GET groups ${index} group)
        if(placeholder IN_LIST inputs)
            list(REMOVE_ITEM inputs "${placeholder}")
            _fotabuild_image_dependencies(of_image "${ARG_IMAGE}" "${ARG_MADE_BY}")
            list(APPEND inputs ${of_image})
        endif()
        list(APPEND inputs_of_${group} ${inputs} "${description_file}.signature")
        list(APPEND outputs_of_${group} ${outputs})
        list(APPEND descriptions_of_${group} "${description_file}")
        list(APPEND all_outputs ${outputs})
    endforeach()

    list(REMOVE_DUPLICATES groups)
    foreach(group IN LISTS groups)
        if(NOT descriptions_of_${group})
            continue()
        endif()
        _fotabuild_add_command(${name} ${group} "${descriptions_of_${group}}"
            "${inputs_of_${group}}" "${outputs_of_${group}}")
    endforeach()
    set(${result} "${all_outputs}" PARENT_SCOPE)
endfunction()

# Returns the name of the command that each step of a plan is part of.
#
# Starting Python takes longer than most steps, so cheap steps share a command. All of them run when
# one of their inputs changes, and those that make the same bytes leave the date of their output
# alone. Ninja looks at dates again after a command. Make and others do not: there, each step has a
# command of its own. Deltas from more than 64 KiB are not cheap.
function(_fotabuild_groups result plan)
    set(groups "")
    string(JSON count LENGTH "${plan}" steps)
    math(EXPR last "${count} - 1")
    foreach(index RANGE ${last})
        string(JSON kind GET "${plan}" steps ${index} kind)
        set(group cheap)
        if(NOT CMAKE_GENERATOR MATCHES "Ninja")
            set(group step_${index})
        elseif(kind STREQUAL "image")
            set(group image)
        elseif(kind STREQUAL "delta")
            string(JSON old_image GET "${plan}" steps ${index} inputs 0)
            if(EXISTS "${old_image}")
                file(SIZE "${old_image}" size)
                if(size GREATER 65536)
                    set(group delta_${index})
                endif()
            endif()
        endif()
        list(APPEND groups ${group})
    endforeach()
    if(NOT groups MATCHES "delta_")
        # Nothing but cheap steps waits for the image.
        list(TRANSFORM groups REPLACE "^image$" cheap)
    endif()
    set(${result} "${groups}" PARENT_SCOPE)
endfunction()

# Declares one command for steps with these descriptions, inputs and outputs.
function(_fotabuild_add_command name group descriptions inputs outputs)
    list(GET descriptions 0 description)
    list(GET outputs 0 artifact)
    cmake_path(GET artifact FILENAME comment)
    list(LENGTH descriptions count)
    if(count GREATER 1)
        math(EXPR others "${count} - 1")
        string(APPEND comment " and ${others} more")
    endif()
    _fotabuild_makers(makers "${inputs}")
    list(REMOVE_ITEM inputs ${outputs})
    list(REMOVE_DUPLICATES inputs)
    set(options "")
    if(CMAKE_GENERATOR MATCHES "Ninja")
        set(options --keep-dates)
    endif()
    set(depfile DEPFILE "${description}.d")
    get_property(multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
    if(multi_config AND CMAKE_VERSION VERSION_LESS 3.21)
        set(depfile "")  # It may not hold $<CONFIG> yet.
    endif()
    set(pool "")
    if(group MATCHES "^delta_")
        _fotabuild_delta_pool()
        set(pool JOB_POOL fotabuild_delta)
    endif()
    add_custom_command(
        OUTPUT ${outputs}
        COMMAND ${FOTABUILD_COMMAND} step ${descriptions} --depfile "${description}.d" ${options}
        DEPENDS ${inputs} ${makers}
        ${depfile}
        ${pool}
        COMMENT "fotabuild: ${comment}"
        VERBATIM
    )
    set_property(DIRECTORY APPEND PROPERTY ADDITIONAL_CLEAN_FILES "${description}.d")
endfunction()

# Writes what "fotabuild step" needs to run a step to <file>, and to <file>.signature what changes
# exactly when the step has to run again though no file that it reads changed.
function(_fotabuild_write_step file step image)
    _fotabuild_image_placeholder(placeholder)
    string(JSON description GET "${step}" description)
    string(JSON signature GET "${step}" description signature)
    string(JSON inputs GET "${step}" inputs)
    string(APPEND signature "\n${inputs}")
    foreach(text IN ITEMS description signature)
        # Only the build configuration is filled in, not what looks alike in a user's text.
        string(REPLACE "$<" "\\u0024<" ${text} "${${text}}")
        string(REPLACE "\\u0024<CONFIG>" "$<CONFIG>" ${text} "${${text}}")
        string(REPLACE "${placeholder}" "${image}" ${text} "${${text}}")
    endforeach()
    file(GENERATE OUTPUT "${file}" CONTENT "${description}\n")
    file(GENERATE OUTPUT "${file}.signature" CONTENT "${signature}\n")
endfunction()

# Returns the file name that stands for the image in a plan, which is made before the image is.
function(_fotabuild_image_placeholder result)
    set(${result} "/fotabuild-image-of-the-build" PARENT_SCOPE)
endfunction()

# Returns what the image depends on: its target, and its file if the build knows how to make that.
#
# A file that appears in a POST_BUILD command is up to date with its target, and unknown to CMake.
function(_fotabuild_image_dependencies result image target)
    set(depends ${target})
    get_property(generated SOURCE "${image}" PROPERTY GENERATED)
    cmake_path(IS_PREFIX CMAKE_BINARY_DIR "${image}" in_build)
    if(NOT image MATCHES "^\\$<" AND (generated OR NOT in_build))
        list(APPEND depends "${image}")
    endif()
    set(${result} "${depends}" PARENT_SCOPE)
endfunction()

# Returns the targets of ours that make one of these files. Two targets that share a file would each
# run its command under make.
function(_fotabuild_makers result files)
    set(makers "")
    foreach(file IN LISTS files)
        get_property(maker GLOBAL PROPERTY "_FOTABUILD_MAKER_OF_${file}")
        list(APPEND makers ${maker})
    endforeach()
    list(REMOVE_DUPLICATES makers)
    set(${result} "${makers}" PARENT_SCOPE)
endfunction()

# Declares the target that makes files which our commands put out.
function(_fotabuild_add_target name exclude_from_all files)
    set(all ALL)
    if(exclude_from_all)
        set(all "")
    endif()
    add_custom_target(${name} ${all} DEPENDS ${files})
    foreach(file IN LISTS files)
        set_property(GLOBAL PROPERTY "_FOTABUILD_MAKER_OF_${file}" ${name})
    endforeach()
endfunction()

# Bounds how many deltas Ninja makes at once: each needs many times the memory of its images.
function(_fotabuild_delta_pool)
    get_property(pools GLOBAL PROPERTY JOB_POOLS)
    if(NOT pools)
        set(pools ${CMAKE_JOB_POOLS})  # Otherwise the property would hide it.
    endif()
    if(NOT pools MATCHES "fotabuild_delta=")
        list(APPEND pools "fotabuild_delta=${FOTABUILD_DELTA_JOBS}")
        set_property(GLOBAL PROPERTY JOB_POOLS ${pools})
    endif()
endfunction()
