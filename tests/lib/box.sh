#!/bin/sh
# box.sh - runs a script on a copy of this host that is thrown away afterwards
# SPDX-License-Identifier: BSD-2-Clause
#
# usage: box.sh SCRIPT [ARGUMENT...]     (as root; BOX=1 inside)
#
# What lies over the host's files is kept in memory, the network is a loopback
# of its own, and every process ends with the script. So a test can type what
# README says, as it stands: into /etc, /usr and /var/lib, on ports 25 and 389.
set -eu

if [ "${BOX:-}" != made ]; then
    # unshare's child is the first process of the box, and all end with it.
    exec env BOX=made unshare --mount --net --uts --ipc --pid --fork --kill-child \
        --propagation private sh "$0" "$@"
fi

# Nobody else sees what is mounted here.
root=/mnt
mount -t tmpfs -o size=2g,mode=755 box "$root"
mkdir "$root/upper" "$root/work" "$root/host"
mount -t overlay -o "lowerdir=/,upperdir=$root/upper,workdir=$root/work" box "$root/host"
# A file system of its own is not seen through the one below it.
for kept in /tmp /var /usr /home "${PROVOST_TREE:-/}" "${PROVOST_BUILD:-/}"; do
    kept=$(df --output=target "$kept" | tail -n 1)
    case $kept in / | /proc* | /sys* | /dev*) continue ;; esac
    mkdir -p "$root/$kept.upper" "$root/$kept.work" "$root/host$kept"
    mountpoint -q "$root/host$kept" ||
        mount -t overlay -o "lowerdir=$kept,upperdir=$root/$kept.upper,workdir=$root/$kept.work" \
            box "$root/host$kept"
done
mount --rbind /dev "$root/host/dev"
mount -t proc proc "$root/host/proc"
mount -t sysfs -o ro sysfs "$root/host/sys"
mount -t tmpfs -o mode=755 run "$root/host/run"
mkdir -m 1777 "$root/host/run/lock"
ip link set lo up
hostname mail.example.org
exec env BOX=1 TMPDIR=/tmp chroot "$root/host" sh "$@"
