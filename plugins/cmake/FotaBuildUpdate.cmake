# fotabuild_add_update: everything that updates older releases of a firmware.
include_guard(GLOBAL)

# fotabuild_add_update(<target> VERSION <version>
#                      [CONFIG <yaml>] [OUTPUT_DIRECTORY <folder>] [NAME <name>]
#                      [IMAGE <file>] [NO_RESOURCES] [EXCLUDE_FROM_ALL]
#                      [INSTALL_DESTINATION <folder>] [SETTINGS <name>=<value> ...]
#                      [UPLOAD_OPTIONS <option> ...])
#
# Compiles the update resources into the executable <target> and makes every update artifact of it:
# image, deltas, package, manifests. They are built by the target <target>-update, which is part of
# ALL. The target <target>-upload-update, which is not, brings them to devices.
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
# SETTINGS             settings over those of the configuration; weaker than the environment.
#                      Relative paths in them start in the configuration's folder
# UPLOAD_OPTIONS       further options of "fotabuild upload"
#
# Properties of <target> afterwards: FOTABUILD_IMAGE, FOTABUILD_MANIFEST, FOTABUILD_PACKAGE,
# FOTABUILD_PACKAGE_MANIFEST, FOTABUILD_FACTORY_IMAGE, FOTABUILD_DELTAS, FOTABUILD_DELTA_MANIFESTS,
# FOTABUILD_REPORT, FOTABUILD_ARTIFACTS (all files). With a multi-configuration generator they hold $<CONFIG>: read
# them by $<TARGET_GENEX_EVAL:<target>,$<TARGET_PROPERTY:<target>,FOTABUILD_IMAGE>>.
function(fotabuild_add_update target)
    cmake_parse_arguments(PARSE_ARGV 1 ARG "NO_RESOURCES;EXCLUDE_FROM_ALL"
        "VERSION;CONFIG;OUTPUT_DIRECTORY;NAME;IMAGE;INSTALL_DESTINATION" "SETTINGS;UPLOAD_OPTIONS")
    _fotabuild_check_arguments()
    _fotabuild_require(VERSION)
    if(NOT TARGET "${target}")
        message(FATAL_ERROR " fotabuild_add_update: there is no target '${target}'")
    endif()
    get_target_property(type ${target} TYPE)
    if(NOT type STREQUAL "EXECUTABLE" AND NOT DEFINED ARG_IMAGE)
        message(FATAL_ERROR " fotabuild_add_update: '${target}' is no executable: give its IMAGE")
    endif()
    if(NOT DEFINED ARG_NAME)
        set(ARG_NAME "${target}")
    endif()
    if(NOT DEFINED ARG_OUTPUT_DIRECTORY)
        set(ARG_OUTPUT_DIRECTORY update)
    endif()
    _fotabuild_absolute(folder "${ARG_OUTPUT_DIRECTORY}" "${CMAKE_CURRENT_BINARY_DIR}")
    get_property(multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
    if(multi_config)
        string(APPEND folder "/$<CONFIG>")
    endif()
    _fotabuild_absolute(image "${ARG_IMAGE}" "${CMAKE_CURRENT_BINARY_DIR}")
    if(image STREQUAL "")
        set(image "$<TARGET_FILE:${target}>")
    endif()

    _fotabuild_configuration(configuration "${ARG_CONFIG}" "${ARG_SETTINGS}")
    set(options "${configuration}")
    _fotabuild_image_placeholder(placeholder)
    if(NOT ARG_NO_RESOURCES)
        _fotabuild_resources_source(source ${target})
        list(APPEND options --resources "${source}")
    endif()
    _fotabuild_query(plan plan "${placeholder}" --fw-version "${ARG_VERSION}"
        --name "${ARG_NAME}" --output-dir "${folder}" ${options})
    _fotabuild_print_notes(${target} "${plan}")
    _fotabuild_depend_on_reads("${plan}")

    if(NOT ARG_NO_RESOURCES)
        _fotabuild_add_resources_step(${target} "${plan}")
    endif()
    _fotabuild_add_steps(artifacts ${target} "${plan}" IMAGE "${image}" MADE_BY ${target})
    _fotabuild_add_target(${target}-update "${ARG_EXCLUDE_FROM_ALL}" "${artifacts}")
    _fotabuild_sources(sources "${plan}" "${image}" ${target})
    # Ctrl-C goes to the console's programs: the child hears it, and cleans up.
    add_custom_target(${target}-upload-update
        COMMAND ${FOTABUILD_COMMAND} upload "${image}" --fw-version "${ARG_VERSION}"
            --name "${ARG_NAME}" --output-dir "${folder}" ${configuration} ${ARG_UPLOAD_OPTIONS}
        DEPENDS ${sources}
        WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}"
        COMMENT "fotabuild: upload the update of ${target}"
        USES_TERMINAL VERBATIM
    )
    _fotabuild_set_properties(${target} "${plan}" "${artifacts}")
    if(DEFINED ARG_INSTALL_DESTINATION)
        # A part of ALL that is missing is an error: nobody wants to ship a release without it.
        set(optional "")
        if(ARG_EXCLUDE_FROM_ALL)
            set(optional OPTIONAL)
        endif()
        install(FILES ${artifacts} DESTINATION "${ARG_INSTALL_DESTINATION}"
            COMPONENT update ${optional})
    endif()
endfunction()

# Returns what an upload of this plan waits for: all that its steps read and no step makes.
#
# The upload makes the artifacts itself: of deltas those that devices need, and that turn out to be
# worth it. What is there as it would be made keeps its date.
function(_fotabuild_sources result plan image target)
    _fotabuild_json_list(sources "${plan}" sources)
    _fotabuild_image_placeholder(placeholder)
    list(REMOVE_ITEM sources "${placeholder}")
    _fotabuild_image_dependencies(of_image "${image}" ${target})
    set(${result} "${sources};${of_image}" PARENT_SCOPE)
endfunction()

# Plans again when a file changes that the plan was made from: the index of a release store.
function(_fotabuild_depend_on_reads plan)
    string(JSON count LENGTH "${plan}" reads)
    if(count GREATER 0)
        math(EXPR last "${count} - 1")
        foreach(index RANGE ${last})
            string(JSON file GET "${plan}" reads ${index})
            set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
        endforeach()
    endif()
endfunction()

# Tells people what the plan leaves out.
function(_fotabuild_print_notes target plan)
    string(JSON count LENGTH "${plan}" notes)
    set(index 0)
    while(index LESS count)
        string(JSON note GET "${plan}" notes ${index})
        message(STATUS "fotabuild: ${target}: ${note}")
        math(EXPR index "${index} + 1")
    endwhile()
endfunction()

# Sets the properties of <target> that name its artifacts.
function(_fotabuild_set_properties target plan artifacts)
    set_property(TARGET ${target} PROPERTY FOTABUILD_ARTIFACTS ${artifacts})
    set(property_of_image IMAGE)
    set(property_of_delta DELTAS)
    set(property_of_package PACKAGE)
    set(property_of_factory FACTORY_IMAGE)
    set(property_of_report REPORT)
    set(property_of_raw-binary MANIFEST)
    set(property_of_arm-patch-stream DELTA_MANIFESTS)
    set(property_of_combined PACKAGE_MANIFEST)
    string(JSON count LENGTH "${plan}" steps)
    math(EXPR last "${count} - 1")
    foreach(index RANGE ${last})
        string(JSON kind GET "${plan}" steps ${index} kind)
        if(kind STREQUAL "manifest")
            string(JSON kind GET "${plan}" steps ${index} parameters payload-format)
        endif()
        string(JSON artifact GET "${plan}" steps ${index} outputs 0)
        if(DEFINED property_of_${kind})
            set_property(TARGET ${target} APPEND PROPERTY
                FOTABUILD_${property_of_${kind}} "${artifact}")
        endif()
    endforeach()
endfunction()
