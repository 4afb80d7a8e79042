# Sourced: Wine with a prefix of its own. `out` is the directory that receives bcryptprimitives.dll, which Wine 8 does not have.
tests/require.sh x86_64-w64-mingw32-gcc=gcc-mingw-w64-x86-64 x86_64-w64-mingw32-dlltool=binutils-mingw-w64-x86-64 wine=wine /usr/lib/wine/wine64=wine64
export WINEPREFIX=$PWD/target/cross/wine WINEDEBUG=-all
unset DISPLAY WAYLAND_DISPLAY
# Wine's server creates the files, without the rights that Windows takes from a private temporary directory.
umask 077
trap 'wineserver --kill 2>/dev/null || true' EXIT

wine_is_ready() {
    x86_64-w64-mingw32-gcc -O1 -Wall -Wextra -Werror -shared -o "$out/bcryptprimitives.dll" tests/cross/windows/bcryptprimitives.c && wineboot --init
}
