# fotabuild_add_resources: the identity that makes a firmware updatable.
include_guard(GLOBAL)

# fotabuild_add_resources(<target> [CONFIG <yaml>] [SETTINGS <name>=<value> ...])
#
# Generates update_default_resources.c and compiles it into <target>. A target of another folder may
# be given.
function(fotabuild_add_resources target)
    cmake_parse_arguments(PARSE_ARGV 1 ARG "" "CONFIG" "SETTINGS")
    _fotabuild_check_arguments()
    get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
    if(NOT "C" IN_LIST languages)
        message(FATAL_ERROR " fotabuild_add_resources: the source is C: enable_language(C) is missing")
    endif()
    # One source for all build configurations.
    set(source "${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${target}-update.dir/resources")
    string(APPEND source "/update_default_resources.c")
    _fotabuild_configuration(options "${ARG_CONFIG}" "${ARG_SETTINGS}")
    _fotabuild_query(plan resources --dry-run --output "${source}" ${options})
    string(JSON step GET "${plan}" steps 0)
    string(JSON description GET "${step}" description)
    _fotabuild_json_list(inputs "${step}" inputs)
    _fotabuild_write_description("${source}.json" "${description}" "")

    set(generate COMMAND ${FOTABUILD_COMMAND} step "${source}.json")
    set(comment "fotabuild: update resources of ${target}")
    # A source whose text stays the same keeps its date, and nothing is compiled again.
    set(files "${source}")
    if(CMAKE_GENERATOR MATCHES "Ninja")
        add_custom_command(OUTPUT "${source}" ${generate} DEPENDS ${inputs} "${source}.json"
            COMMENT "${comment}" VERBATIM)
    else()
        # What did not change is older than what it depends on: a stamp says that it is current.
        set(files "${source}.stamp" "${source}")
        add_custom_command(OUTPUT "${source}.stamp" ${generate}
            COMMAND "${CMAKE_COMMAND}" -E touch "${source}.stamp"
            DEPENDS ${inputs} "${source}.json"
            COMMENT "${comment}" VERBATIM)
        # For a source that was deleted.
        add_custom_command(OUTPUT "${source}" ${generate} COMMENT "${comment}" VERBATIM)
    endif()

    get_target_property(folder ${target} BINARY_DIR)
    if(folder STREQUAL CMAKE_CURRENT_BINARY_DIR)
        target_sources(${target} PRIVATE ${files})
    else()
        add_custom_target(${target}-update-resources DEPENDS ${files})
        add_dependencies(${target} ${target}-update-resources)
        set_source_files_properties("${source}" TARGET_DIRECTORY ${target} PROPERTIES GENERATED TRUE)
        target_sources(${target} PRIVATE "${source}")
    endif()
endfunction()
