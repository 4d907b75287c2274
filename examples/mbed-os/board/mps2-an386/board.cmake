# What the application needs on the bare board: start-up code and the update self-test.
set(board "${CMAKE_CURRENT_LIST_DIR}")
target_sources(thermometer PRIVATE
    update_selftest.c
    "${board}/memory.c" "${board}/semihosting.c" "${board}/startup.c" "${board}/uart.c"
)
set_target_properties(thermometer PROPERTIES SUFFIX .elf C_STANDARD 99)
target_include_directories(thermometer PRIVATE "${board}")
target_compile_options(thermometer PRIVATE "-ffile-prefix-map=${CMAKE_CURRENT_SOURCE_DIR}=.")
target_link_options(thermometer PRIVATE "-Wl,-T,${board}/link.ld")
set_target_properties(thermometer PROPERTIES LINK_DEPENDS "${board}/link.ld")
