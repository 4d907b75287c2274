# fotabuild_add_update: the whole plan of an executable target.
include_guard(GLOBAL)

# fotabuild_add_update(<target> VERSION <version>
#                      [CONFIG <yaml>] [OUTPUT_DIRECTORY <folder>] [NAME <name>]
#                      [IMAGE <file>] [NO_RESOURCES] [EXCLUDE_FROM_ALL]
#                      [INSTALL_DESTINATION <folder>] [SETTINGS <name>=<value> ...])
#
# Compiles the update resources into <target> and makes every update artifact of it: image, deltas,
# package, manifests. They are built by the target <target>-update, which is part of ALL.
#
# VERSION              version of the firmware, such as 1.2.3
# CONFIG               configuration (default: fotabuild.yaml in the current source folder)
# OUTPUT_DIRECTORY     folder of the artifacts (default: update in the current binary folder); with
#                      a multi-configuration generator, a folder per configuration in it
# NAME                 what file names begin with (default: the target's name)
# IMAGE                flat image or ELF file to take instead of the target's file, for targets
#                      whose binary is patched after linking
# NO_RESOURCES         the target gets its identity in another way
# EXCLUDE_FROM_ALL     build the artifacts only when <target>-update is asked for
# INSTALL_DESTINATION  install the artifacts there, as component "update"
# SETTINGS             settings over those of the configuration; weaker than the environment
#
# Properties of <target> afterwards: FOTABUILD_IMAGE, FOTABUILD_MANIFEST, FOTABUILD_PACKAGE,
# FOTABUILD_PACKAGE_MANIFEST, FOTABUILD_DELTAS, FOTABUILD_DELTA_MANIFESTS, FOTABUILD_ARTIFACTS.
function(fotabuild_add_update target)
    cmake_parse_arguments(PARSE_ARGV 1 ARG "NO_RESOURCES;EXCLUDE_FROM_ALL"
        "VERSION;CONFIG;OUTPUT_DIRECTORY;NAME;IMAGE;INSTALL_DESTINATION" "SETTINGS")
    _fotabuild_check_arguments(fotabuild_add_update)
    if(NOT TARGET "${target}")
        message(FATAL_ERROR "fotabuild_add_update: there is no target '${target}'")
    endif()
    if(NOT DEFINED ARG_VERSION)
        message(FATAL_ERROR "fotabuild_add_update: VERSION is missing")
    endif()
    if(NOT ARG_NAME)
        set(ARG_NAME "${target}")
    endif()
    if(NOT ARG_CONFIG)
        set(ARG_CONFIG fotabuild.yaml)
    endif()
    if(NOT ARG_OUTPUT_DIRECTORY)
        set(ARG_OUTPUT_DIRECTORY update)
    endif()
    _fotabuild_absolute(folder "${ARG_OUTPUT_DIRECTORY}" "${CMAKE_CURRENT_BINARY_DIR}")
    _fotabuild_absolute(image "${ARG_IMAGE}" "${CMAKE_CURRENT_BINARY_DIR}")
    if(NOT image)
        set(image "$<TARGET_FILE:${target}>")
    endif()
    get_property(multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
    set(work "${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${target}-update.dir")
    if(multi_config)
        string(APPEND folder "/$<CONFIG>")
        string(APPEND work "/$<CONFIG>")
    endif()
    _fotabuild_configuration(options "${ARG_CONFIG}" "${ARG_SETTINGS}")

    if(NOT ARG_NO_RESOURCES)
        set(settings "")
        if(ARG_SETTINGS)
            set(settings SETTINGS ${ARG_SETTINGS})
        endif()
        fotabuild_add_resources(${target} CONFIG "${ARG_CONFIG}" ${settings})
    endif()
    _fotabuild_query(plan plan "${_FOTABUILD_IMAGE}" --fw-version "${ARG_VERSION}"
        --name "${ARG_NAME}" --output-dir "${folder}" ${options})
    _fotabuild_json_list(notes "${plan}" notes)
    foreach(note IN LISTS notes)
        message(STATUS "fotabuild: ${target}: ${note}")
    endforeach()
    _fotabuild_add_plan(${target} "${plan}" "${work}" "${image}")

    get_target_property(artifacts ${target} FOTABUILD_ARTIFACTS)
    set(all ALL)
    if(ARG_EXCLUDE_FROM_ALL)
        set(all "")
    endif()
    add_custom_target(${target}-update ${all} DEPENDS ${artifacts})
    if(ARG_INSTALL_DESTINATION)
        install(FILES ${artifacts} DESTINATION "${ARG_INSTALL_DESTINATION}" COMPONENT update OPTIONAL)
    endif()
endfunction()

# Declares the steps of a plan and sets the artifact properties of <target>.
function(_fotabuild_add_plan target plan work image)
    string(JSON count LENGTH "${plan}" steps)
    math(EXPR last "${count} - 1")
    foreach(index RANGE ${last})
        string(JSON step GET "${plan}" steps ${index})
        _fotabuild_add_step(outputs "${work}" "${step}" TARGET ${target} IMAGE "${image}")
        list(GET outputs 0 artifact)
        set_property(TARGET ${target} APPEND PROPERTY FOTABUILD_ARTIFACTS ${outputs})
        string(JSON kind GET "${step}" kind)
        if(kind STREQUAL "image")
            set_property(TARGET ${target} PROPERTY FOTABUILD_IMAGE "${artifact}")
        elseif(kind STREQUAL "package")
            set_property(TARGET ${target} PROPERTY FOTABUILD_PACKAGE "${artifact}")
        elseif(kind STREQUAL "delta")
            set_property(TARGET ${target} APPEND PROPERTY FOTABUILD_DELTAS "${artifact}")
        elseif(kind STREQUAL "manifest")
            string(JSON format GET "${step}" parameters payload-format)
            if(format STREQUAL "raw-binary")
                set_property(TARGET ${target} PROPERTY FOTABUILD_MANIFEST "${artifact}")
            elseif(format STREQUAL "combined")
                set_property(TARGET ${target} PROPERTY FOTABUILD_PACKAGE_MANIFEST "${artifact}")
            else()
                set_property(TARGET ${target} APPEND PROPERTY
                    FOTABUILD_DELTA_MANIFESTS "${artifact}")
            endif()
        endif()
    endforeach()
endfunction()
