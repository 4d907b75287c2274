"""The SCons tool in real SCons runs on tiny projects."""
