#!/bin/sh
# install_programs.sh PROGRAM... : has apt install the programs that are not there yet.
#
# A program and its Debian package share a name here, but for those named below. Nothing is asked of apt when nothing is
# missing; without the right to install, the one command to run is named and the exit code is 1.
# $PYTHON (default python3) must be able to make virtual environments.
set -eu

# Servers are in sbin, which is not on everybody's PATH.
PATH=$PATH:/usr/sbin:/sbin
missing=
for program in "$@"; do
    case $program in
        # A library, such as libcurl4, is there when the loader knows it (libcurl.so.4).
        lib*) ldconfig -p | grep -q "^[[:space:]]*$(echo "$program" | sed 's/[0-9]*$/.so.&/') " ;;
        tigervnc-standalone-server) command -v Xtigervnc >/dev/null ;;
        x11-apps) command -v xclock >/dev/null ;;
        default-jdk-headless) command -v javac >/dev/null ;;
        # The headless one has no windows.
        default-jre) ls /usr/lib/jvm/*/lib/libawt_xawt.so >/dev/null 2>&1 ;;
        *) command -v "$program" >/dev/null ;;
    esac || missing="$missing $program"
done
python=${PYTHON:-python3}
if ! command -v "$python" >/dev/null; then
    missing="$missing python3 python3-venv"
elif ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    # Debian keeps ensurepip in a package of its own, one for each version of Python.
    missing="$missing $("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
fi
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "Missing here:$missing. This system has no apt-get: please install them its own way." >&2
    exit 1
elif [ "$(id -u)" -eq 0 ]; then
    sudo=
elif sudo -n true 2>/dev/null; then
    sudo="sudo -n"
else
    echo "Missing here:$missing. Please run this command, then try again:" >&2
    echo "    sudo apt-get update && sudo apt-get install --no-install-recommends$missing" >&2
    exit 1
fi

# Debian starts a server as soon as it is installed, unless the machine is in runlevel 1.
install="$sudo env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -qq"
echo "Installing$missing" >&2
# Both are split on purpose: one word a program, an argument or a package.
# shellcheck disable=SC2086
$install update && $install install --yes --no-install-recommends $missing >/dev/null
