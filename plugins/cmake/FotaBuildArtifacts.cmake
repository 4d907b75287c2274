# One function per artifact, for projects that want just one. fotabuild_add_update makes them all.
#
# <name> becomes the target that makes the artifact. It is part of ALL unless EXCLUDE_FROM_ALL is
# given, and its property FOTABUILD_ARTIFACTS lists the files. Relative inputs start in the current
# source folder, relative outputs, and what other functions put out, in the current binary folder.
include_guard(GLOBAL)

# fotabuild_add_image(<name> SOURCE <file> OUTPUT <bin> [TARGET <target>] [EXCLUDE_FROM_ALL])
#
# Makes the flat image of an ELF file. TARGET is what makes the file; SOURCE may then be a generator
# expression such as $<TARGET_FILE:app>.
function(fotabuild_add_image name)
    cmake_parse_arguments(PARSE_ARGV 1 ARG "EXCLUDE_FROM_ALL" "SOURCE;OUTPUT;TARGET" "")
    _fotabuild_check_arguments()
    _fotabuild_require(SOURCE OUTPUT)
    _fotabuild_absolute(source "${ARG_SOURCE}" "${CMAKE_CURRENT_BINARY_DIR}")
    _fotabuild_absolute(output "${ARG_OUTPUT}" "${CMAKE_CURRENT_BINARY_DIR}")
    _fotabuild_image_placeholder(placeholder)
    _fotabuild_query(plan image --dry-run "${placeholder}" --output "${output}")
    _fotabuild_add_artifact(IMAGE "${source}" MADE_BY "${ARG_TARGET}")
endfunction()

# fotabuild_add_delta(<name> OLD <bin> NEW <bin> OUTPUT <patch> [BLOCK_SIZE <bytes>]
#                     [THRESHOLD <per cent>] [EFFORT <fast|balanced|best|max>]
#                     [TIME_LIMIT <seconds>] [EXCLUDE_FROM_ALL])
function(fotabuild_add_delta name)
    cmake_parse_arguments(PARSE_ARGV 1 ARG "EXCLUDE_FROM_ALL"
        "OLD;NEW;OUTPUT;BLOCK_SIZE;THRESHOLD;EFFORT;TIME_LIMIT" "")
    _fotabuild_check_arguments()
    _fotabuild_require(OLD NEW OUTPUT)
    _fotabuild_absolute(old "${ARG_OLD}" "${CMAKE_CURRENT_SOURCE_DIR}")
    _fotabuild_absolute(new "${ARG_NEW}" "${CMAKE_CURRENT_BINARY_DIR}")
    _fotabuild_absolute(output "${ARG_OUTPUT}" "${CMAKE_CURRENT_BINARY_DIR}")
    set(options "")
    foreach(option IN ITEMS BLOCK_SIZE THRESHOLD EFFORT TIME_LIMIT)
        if(DEFINED ARG_${option})
            string(TOLOWER "--${option}" flag)
            string(REPLACE "_" "-" flag "${flag}")
            list(APPEND options ${flag} "${ARG_${option}}")
        endif()
    endforeach()
    _fotabuild_query(plan delta --dry-run -c "${old}" -n "${new}" -o "${output}" ${options})
    _fotabuild_add_artifact()
endfunction()

# fotabuild_add_package(<name> OUTPUT <tar> [IMAGE <bin>] [CONFIG <yaml>]
#                       [SETTINGS <name>=<value> ...] [EXCLUDE_FROM_ALL])
#
# Packs the images that the configuration lists; IMAGE is the one without a file-name.
function(fotabuild_add_package name)
    cmake_parse_arguments(PARSE_ARGV 1 ARG "EXCLUDE_FROM_ALL" "OUTPUT;IMAGE;CONFIG" "SETTINGS")
    _fotabuild_check_arguments()
    _fotabuild_require(OUTPUT)
    _fotabuild_absolute(output "${ARG_OUTPUT}" "${CMAKE_CURRENT_BINARY_DIR}")
    _fotabuild_configuration(options "${ARG_CONFIG}" "${ARG_SETTINGS}")
    if(DEFINED ARG_IMAGE)
        _fotabuild_absolute(image "${ARG_IMAGE}" "${CMAKE_CURRENT_BINARY_DIR}")
        list(APPEND options --image "${image}")
    endif()
    _fotabuild_query(plan package create --dry-run --output "${output}" ${options})
    _fotabuild_add_artifact()
endfunction()

# fotabuild_add_manifest(<name> PAYLOAD <file> FORMAT <payload format> VERSION <version>
#                        OUTPUT <manifest> [COMPONENT <name>] [OLD <bin> [OLD_VERSION <version>]]
#                        [CONFIG <yaml>] [SETTINGS <name>=<value> ...] [EXCLUDE_FROM_ALL])
#
# OLD is the image that a patch starts from; the patch is then applied as a check.
function(fotabuild_add_manifest name)
    cmake_parse_arguments(PARSE_ARGV 1 ARG "EXCLUDE_FROM_ALL"
        "PAYLOAD;FORMAT;VERSION;OUTPUT;COMPONENT;OLD;OLD_VERSION;CONFIG" "SETTINGS")
    _fotabuild_check_arguments()
    _fotabuild_require(PAYLOAD FORMAT VERSION OUTPUT)
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
    _fotabuild_add_artifact()
endfunction()

# Declares the only step of the caller's plan and the target that makes it.
macro(_fotabuild_add_artifact)
    _fotabuild_add_steps(artifacts ${name} "${plan}" ${ARGN})
    _fotabuild_add_target(${name} "${ARG_EXCLUDE_FROM_ALL}" "${artifacts}")
    set_property(TARGET ${name} PROPERTY FOTABUILD_ARTIFACTS ${artifacts})
endmacro()
