# One function per artifact, for projects that want just one. fotabuild_add_update makes them all.
include_guard(GLOBAL)

# fotabuild_add_resources(<target> [CONFIG <yaml>] [SETTINGS <name>=<value> ...])
#
# Generates update_default_resources.c and compiles it into <target>.
function(fotabuild_add_resources target)
    cmake_parse_arguments(PARSE_ARGV 1 ARG "" "CONFIG" "SETTINGS")
    _fotabuild_check_arguments(fotabuild_add_resources)
    set(folder "${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${target}-update.dir/resources")
    set(source "${folder}/update_default_resources.c")
    _fotabuild_configuration(options "${ARG_CONFIG}" "${ARG_SETTINGS}")
    _fotabuild_query(plan resources --dry-run --output "${source}" ${options})
    string(JSON step GET "${plan}" steps 0)
    _fotabuild_json_list(inputs "${step}" inputs)
    string(JSON description GET "${step}" description)
    file(GENERATE OUTPUT "${source}.json" CONTENT "${description}\n")
    # The source keeps its date when its content stays the same, so a stamp says that it is current.
    add_custom_command(
        OUTPUT "${source}.stamp"
        BYPRODUCTS "${source}"
        COMMAND ${FOTABUILD_COMMAND} step "${source}.json"
        COMMAND "${CMAKE_COMMAND}" -E touch "${source}.stamp"
        DEPENDS ${inputs} "${source}.json"
        COMMENT "fotabuild: update resources of ${target}"
        VERBATIM
    )
    add_custom_target(${target}-update-resources DEPENDS "${source}.stamp")
    set_source_files_properties("${source}" TARGET_DIRECTORY ${target} PROPERTIES GENERATED TRUE)
    target_sources(${target} PRIVATE "${source}")
    add_dependencies(${target} ${target}-update-resources)
endfunction()

# fotabuild_add_image(<name> SOURCE <file> OUTPUT <bin> [TARGET <target>])
#
# Makes the flat image of an ELF file. <name> becomes a target; TARGET is what makes the file, and
# SOURCE may then be a generator expression such as $<TARGET_FILE:app>.
function(fotabuild_add_image name)
    cmake_parse_arguments(PARSE_ARGV 1 ARG "" "SOURCE;OUTPUT;TARGET" "")
    _fotabuild_check_arguments(fotabuild_add_image)
    _fotabuild_require(fotabuild_add_image SOURCE OUTPUT)
    _fotabuild_absolute(output "${ARG_OUTPUT}" "${CMAKE_CURRENT_BINARY_DIR}")
    _fotabuild_query(plan image --dry-run "${_FOTABUILD_IMAGE}" --output "${output}")
    _fotabuild_single(${name} "${plan}" TARGET "${ARG_TARGET}" IMAGE "${ARG_SOURCE}")
endfunction()

# fotabuild_add_delta(<name> OLD <bin> NEW <bin> OUTPUT <patch> [BLOCK_SIZE <bytes>]
#                     [THRESHOLD <per cent>])
function(fotabuild_add_delta name)
    cmake_parse_arguments(PARSE_ARGV 1 ARG "" "OLD;NEW;OUTPUT;BLOCK_SIZE;THRESHOLD" "")
    _fotabuild_check_arguments(fotabuild_add_delta)
    _fotabuild_require(fotabuild_add_delta OLD NEW OUTPUT)
    _fotabuild_absolute(old "${ARG_OLD}" "${CMAKE_CURRENT_SOURCE_DIR}")
    _fotabuild_absolute(new "${ARG_NEW}" "${CMAKE_CURRENT_BINARY_DIR}")
    _fotabuild_absolute(output "${ARG_OUTPUT}" "${CMAKE_CURRENT_BINARY_DIR}")
    set(options "")
    if(DEFINED ARG_BLOCK_SIZE)
        list(APPEND options --block-size "${ARG_BLOCK_SIZE}")
    endif()
    if(DEFINED ARG_THRESHOLD)
        list(APPEND options --threshold "${ARG_THRESHOLD}")
    endif()
    _fotabuild_query(plan delta --dry-run -c "${old}" -n "${new}" -o "${output}" ${options})
    _fotabuild_single(${name} "${plan}")
endfunction()

# fotabuild_add_package(<name> OUTPUT <tar> [IMAGE <bin>] [CONFIG <yaml>] [SETTINGS ...])
#
# Packs the images that the configuration lists; IMAGE is the one without a file-name.
function(fotabuild_add_package name)
    cmake_parse_arguments(PARSE_ARGV 1 ARG "" "OUTPUT;IMAGE;CONFIG" "SETTINGS")
    _fotabuild_check_arguments(fotabuild_add_package)
    _fotabuild_require(fotabuild_add_package OUTPUT)
    _fotabuild_absolute(output "${ARG_OUTPUT}" "${CMAKE_CURRENT_BINARY_DIR}")
    _fotabuild_configuration(options "${ARG_CONFIG}" "${ARG_SETTINGS}")
    if(DEFINED ARG_IMAGE)
        _fotabuild_absolute(image "${ARG_IMAGE}" "${CMAKE_CURRENT_BINARY_DIR}")
        list(APPEND options --image "${image}")
    endif()
    _fotabuild_query(plan package create --dry-run --output "${output}" ${options})
    _fotabuild_single(${name} "${plan}")
endfunction()

# fotabuild_add_manifest(<name> PAYLOAD <file> FORMAT <payload format> VERSION <version>
#                        OUTPUT <manifest> [COMPONENT <name>] [OLD <bin> [OLD_VERSION <version>]]
#                        [CONFIG <yaml>] [SETTINGS ...])
function(fotabuild_add_manifest name)
    cmake_parse_arguments(PARSE_ARGV 1 ARG ""
        "PAYLOAD;FORMAT;VERSION;OUTPUT;COMPONENT;OLD;OLD_VERSION;CONFIG" "SETTINGS")
    _fotabuild_check_arguments(fotabuild_add_manifest)
    _fotabuild_require(fotabuild_add_manifest PAYLOAD FORMAT VERSION OUTPUT)
    _fotabuild_absolute(payload "${ARG_PAYLOAD}" "${CMAKE_CURRENT_BINARY_DIR}")
    _fotabuild_absolute(output "${ARG_OUTPUT}" "${CMAKE_CURRENT_BINARY_DIR}")
    _fotabuild_configuration(options "${ARG_CONFIG}" "${ARG_SETTINGS}")
    if(DEFINED ARG_COMPONENT)
        list(APPEND options --component "${ARG_COMPONENT}")
    endif()
    if(DEFINED ARG_OLD)
        _fotabuild_absolute(old "${ARG_OLD}" "${CMAKE_CURRENT_SOURCE_DIR}")
        list(APPEND options --current-fw "${old}")
    endif()
    if(DEFINED ARG_OLD_VERSION)
        list(APPEND options --current-version "${ARG_OLD_VERSION}")
    endif()
    _fotabuild_query(plan manifest create --dry-run --payload "${payload}" --format "${ARG_FORMAT}"
        --fw-version "${ARG_VERSION}" --output "${output}" ${options})
    _fotabuild_single(${name} "${plan}")
endfunction()

# Declares the only step of a plan and the target <name> that makes it.
function(_fotabuild_single name plan)
    set(work "${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${name}-update.dir")
    string(JSON step GET "${plan}" steps 0)
    _fotabuild_add_step(outputs "${work}" "${step}" ${ARGN})
    add_custom_target(${name} DEPENDS ${outputs})
    set_property(TARGET ${name} PROPERTY FOTABUILD_ARTIFACTS ${outputs})
endfunction()

# Returns the command line's options for a configuration, and re-reads it when it changes.
function(_fotabuild_configuration result config settings)
    if(NOT config)
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

# Stops when a keyword of the caller is missing.
function(_fotabuild_require function)
    foreach(keyword IN LISTS ARGN)
        if(NOT DEFINED ARG_${keyword})
            message(FATAL_ERROR "${function}: ${keyword} is missing")
        endif()
    endforeach()
endfunction()
