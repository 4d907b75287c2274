# Toolchain file for the bare board: arm-none-eabi-gcc when on PATH, else Clang from pip (ziglang).
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)

find_program(ARM_GCC arm-none-eabi-gcc NO_CMAKE_FIND_ROOT_PATH)
set(common "-Os -ffreestanding -fno-unwind-tables -fno-asynchronous-unwind-tables \
-ffunction-sections -fdata-sections -Wall -Wextra")
set(link "-nostartfiles -Wl,-e,reset_handler -Wl,--gc-sections -Wl,--build-id=none")
if(ARM_GCC)
    set(CMAKE_C_COMPILER "${ARM_GCC}")
    set(machine "-mcpu=cortex-m4 -mthumb -mfloat-abi=soft")
    string(APPEND link " -nolibc")
else()
    find_program(PYTHON_WITH_ZIGLANG NAMES python3 python NO_CMAKE_FIND_ROOT_PATH)
    set(CMAKE_C_COMPILER "${PYTHON_WITH_ZIGLANG};-m;ziglang;cc")
    set(machine "-target thumb-freestanding-eabi -mcpu=cortex_m4")
    string(APPEND common " -fno-sanitize=all -fno-stack-protector")
    # CMake's check of the compiler makes a library, and there may be no archiver.
    set(CMAKE_C_COMPILER_WORKS TRUE)
endif()
set(CMAKE_C_FLAGS_INIT "${machine} ${common}")
set(CMAKE_EXE_LINKER_FLAGS_INIT "${machine} ${link}")
