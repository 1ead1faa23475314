#!/bin/sh
# Copies what Node and the given native libraries need to run into the directory $1: the root of an image without a
# distribution. It asks the loader for the libraries, so it is the same for every architecture.
set -eu
root=$1
shift
node=$(command -v node)

libraries=$(ldd "$node" "$@" | grep -o '/[^ :)]*' | sort -u)
mkdir -p "$root/var/lib/dpkg/status.d" "$root/etc"
for library in $libraries; do
  case $library in /lib*/* | /usr/lib*/*)
    cp -L --parents "$library" "$root"
    # Scanners read the versions of Debian's packages here; the licenses are in the copyright files.
    # /lib is a link to /usr/lib, and a package may have either name.
    owner=$(dpkg-query -S "$library" 2> /dev/null || dpkg-query -S "/usr$library")
    package=${owner%%:*}
    dpkg-query -s "$package" > "$root/var/lib/dpkg/status.d/$package"
    if [ -f "/usr/share/doc/$package/copyright" ]; then cp -L --parents "/usr/share/doc/$package/copyright" "$root"; fi
    ;;
  esac
done

mkdir -p "$root/usr/local/bin"
cp -L "$node" "$root/usr/local/bin/node"
cp -L /etc/os-release "$root/etc/"
printf 'root:x:0:0:root:/:/sbin/nologin\nexporter:x:1000:1000::/:/sbin/nologin\n' > "$root/etc/passwd"
printf 'root:x:0:\nexporter:x:1000:\n' > "$root/etc/group"
printf 'hosts: files dns\n' > "$root/etc/nsswitch.conf"
mkdir -m 1777 "$root/tmp"
