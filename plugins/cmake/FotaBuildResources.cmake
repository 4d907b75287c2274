# fotabuild_add_resources: the identity that makes a firmware updatable.
include_guard(GLOBAL)

# fotabuild_add_resources(<target> [CONFIG <yaml>] [SETTINGS <name>=<value> ...])
#
# Generates update_default_resources.c and compiles it into <target>. A target of another folder may
# be given.
function(fotabuild_add_resources target)
    cmake_parse_arguments(PARSE_ARGV 1 ARG "" "CONFIG" "SETTINGS")
    _fotabuild_check_arguments()
    _fotabuild_resources_source(source ${target})
    _fotabuild_configuration(options "${ARG_CONFIG}" "${ARG_SETTINGS}")
    _fotabuild_query(plan resources --dry-run --output "${source}" ${options})
    _fotabuild_add_resources_step(${target} "${plan}")
endfunction()

# Returns the source to generate; it is the same for all build configurations.
function(_fotabuild_resources_source result target)
    set(${result} "${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${target}-update.dir/resources\
/update_default_resources.c" PARENT_SCOPE)
endfunction()

# Declares the first step of a plan, which generates the source, and adds that to <target>.
function(_fotabuild_add_resources_step target plan)
    get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
    if(NOT "C" IN_LIST languages)
        message(FATAL_ERROR " fotabuild: update resources are C: enable_language(C) is missing")
    endif()
    string(JSON step GET "${plan}" steps 0)
    _fotabuild_json_list(inputs "${step}" inputs)
    _fotabuild_resources_source(source ${target})
    _fotabuild_write_step("${source}.json" "${step}" "")
    list(APPEND inputs "${source}.json.signature")

    set(generate COMMAND ${FOTABUILD_COMMAND} step "${source}.json")
    set(comment "fotabuild: update resources of ${target}")
    # A source whose text stays the same keeps its date, and nothing is compiled again.
    set(files "${source}")
    if(CMAKE_GENERATOR MATCHES "Ninja")
        add_custom_command(OUTPUT "${source}" ${generate} DEPENDS ${inputs}
            COMMENT "${comment}" VERBATIM)
    else()
        # What did not change is older than what it depends on: a stamp says that it is current.
        set(files "${source}.stamp" "${source}")
        add_custom_command(OUTPUT "${source}.stamp" ${generate}
            COMMAND "${CMAKE_COMMAND}" -E touch "${source}.stamp"
            DEPENDS ${inputs}
            COMMENT "${comment}" VERBATIM)
        # For a source that was deleted, and in a first parallel build.
        add_custom_command(OUTPUT "${source}" ${generate}
            COMMENT "fotabuild: missing update resources of ${target}" VERBATIM)
    endif()

    get_target_property(folder ${target} BINARY_DIR)
    if(folder STREQUAL CMAKE_CURRENT_BINARY_DIR)
        target_sources(${target} PRIVATE ${files})
    else()
        add_custom_target(${target}-update-resources DEPENDS ${files})
        add_dependencies(${target} ${target}-update-resources)
        set_source_files_properties("${source}" TARGET_DIRECTORY ${target}
            PROPERTIES GENERATED TRUE)
        target_sources(${target} PRIVATE "${source}")
    endif()
endfunction()
