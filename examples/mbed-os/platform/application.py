"""The sources of the application.

They lie beside ``platformio.ini``. With ``src_dir = .`` PlatformIO would count the C files in its
own build folder among them, and build everything again.
"""

from SCons.Script import DefaultEnvironment

env = DefaultEnvironment()
bare = not env.GetProjectOption("framework", [])
env.BuildSources(
    "$BUILD_DIR/application", "$PROJECT_DIR", "+<*.c>" if bare else "+<*.c> -<update_selftest.c>"
)
env.Append(CPPPATH=["$PROJECT_DIR"])
if bare:
    # The self-test applies an update on the device, with the patch decoder of fotabuild.
    from fotabuild.delta.native_decoder import source_folder

    decoder = str(source_folder())
    sources = "+<fota_lz4.c> +<fota_patch.c> +<fota_patch_status.c>"
    env.Append(CPPPATH=[decoder])
    env.BuildSources("$BUILD_DIR/decoder", decoder, sources)
