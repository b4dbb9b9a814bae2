#!/bin/sh
# packages.sh - installs the Debian packages that are missing, starts nothing
# SPDX-License-Identifier: BSD-2-Clause
#
# usage: packages.sh [--yes] build|demo|check|all|bench
#   build  what configure, make and make check need
#   demo   and the servers of tests/demo.sh
#   check  and the tools of tests/check.sh
#   all    and those of tests/check.sh --all; Cyrus IMAP and Exim, which cannot
#          be installed beside, are unpacked in /var/lib/provost-tests
#   bench  build, demo, check and the peers of tests/bench_policy.sh
#
# The names are printed before anything happens. A policy-rc.d keeps every
# service from being started, and what was newly installed is not started at
# boot either. Without --yes it refuses where apt would remove a package, and
# on a host that has a mail server configured. CI=true, where nobody can
# answer, is --yes. Nothing missing: nothing is done, and no network is needed.
set -eu
PATH=/usr/local/sbin:/usr/sbin:/sbin:$PATH
LC_ALL=C
export PATH LC_ALL

yes=
[ "${CI:-}" != true ] || yes=1
if [ "${1:-}" = --yes ]; then
    yes=1
    shift
fi

build="autoconf automake libtool pkg-config gcc libc6-dev make xz-utils
 libsasl2-dev libldap-dev libmariadb-dev libssl-dev libconfig-dev libcunit1-dev
 libidn2-dev libunistring-dev uthash-dev libjansson-dev libsodium-dev
 libcrypt-dev"
demo="slapd ldap-utils mariadb-server mariadb-client postfix postfix-mysql
 libsasl2-modules sasl2-bin dovecot-core dovecot-imapd dovecot-mysql
 dovecot-auth-lua lua-socket openssl procps python3"
check="clang clang-format shellcheck codespell mandoc fail2ban dovecot-pop3d
 dovecot-managesieved dovecot-sieve dovecot-lmtpd swaks libnet-ssleay-perl iproute2 systemd zsh libfaketime
 samba samba-ad-provision samba-dsdb-modules samba-vfs-modules python3-samba"
all="libclang-rt-14-dev llvm clang-tidy cppcheck valgrind haproxy rsync"
# Libraries of what comes next.
all="$all libclamav12 libical3 libxapian30 libzephyr4 libicu72 libpq5 libpcre3
 libwrap0 libidn12 libspf2-2 libgnutls-dane0 libperl5.36 libnsl2"
# These cannot be installed beside Dovecot and Postfix: they are unpacked into a
# directory each below $beside_at, where tests take them from.
beside="cyrus-common cyrus-imapd cyrus-pop3d exim4-base exim4-config
 exim4-daemon-heavy"
beside_at=/var/lib/provost-tests
bench="postfwd policyd-rate-limit"

case ${1:-} in
build) wanted=$build ;;
demo) wanted="$build $demo" ;;
check) wanted="$build $demo $check" ;;
all) wanted="$build $demo $check $all" ;;
bench) wanted="$build $demo $check $bench" ;;
*)
    echo "usage: packages.sh [--yes] build|demo|check|all|bench" >&2
    exit 64
    ;;
esac

refuse() {
    echo "packages.sh: $*" >&2
    echo "packages.sh: nothing was changed; --yes goes on all the same." >&2
    exit 1
}

installed() {
    dpkg-query -W -f '${db:Status-Abbrev}\n' "$1" 2>/dev/null | grep -q '^.i'
}

# Says what makes this a mail host, or nothing.
mail_server() {
    for file in /etc/postfix/main.cf /etc/exim4/update-exim4.conf.conf \
        /etc/mail/sendmail.cf /etc/opensmtpd/smtpd.conf /etc/smtpd.conf \
        /var/qmail/control/me /etc/courier/esmtpd; do
        if [ -f "$file" ]; then
            echo "$file exists"
            return
        fi
    done
    # A listener on port 25 (0x19), IPv4 or IPv6, whoever it is.
    if cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
        awk '$4 == "0A" && $2 ~ /:0019$/ { found = 1 } END { exit !found }'; then
        echo "something listens on port 25"
    fi
}

# unpack_beside: those that are not there yet; none is configured or started.
unpack_beside() {
    unpack=
    for package in $beside; do
        [ -d "$beside_at/$package" ] || unpack="$unpack $package"
    done
    [ -n "$unpack" ] || return 0
    echo "unpacked for tests into $beside_at, not installed:$unpack"
    unpack_work=$(mktemp -d)
    chmod 755 "$unpack_work"
    # shellcheck disable=SC2086
    (cd "$unpack_work" && apt-get download -qq -o APT::Sandbox::User=root $unpack) || return 1
    mkdir -p "$beside_at"
    for package in $unpack; do
        dpkg-deb -x "$unpack_work/$package"_*.deb "$beside_at/$package.new" &&
            mv "$beside_at/$package.new" "$beside_at/$package" || return 1
    done
    rm -r "$unpack_work"
}

# leave: the end, when what is to be installed is there.
leave() {
    [ "${1:-}" = all ] || exit 0
    unpack_beside && exit 0
    echo "packages.sh: apt-get download failed" >&2
    exit 1
}

missing=
for package in $wanted; do
    installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || leave "$1"

echo "missing packages:$missing"
[ "$(id -u)" -eq 0 ] ||
    refuse "only root can install them (run it with sudo)"
command -v apt-get >/dev/null ||
    refuse "this is no Debian: there is no apt-get; install their like by hand"
found=$(mail_server)
[ -n "$yes" ] || [ -z "$found" ] ||
    refuse "this host has a mail server configured ($found)"

DEBIAN_FRONTEND=noninteractive
export DEBIAN_FRONTEND
echo "asking apt what they need ..."
apt-get update -qq || echo "packages.sh: apt-get update failed; trying what is known" >&2
# shellcheck disable=SC2086 # a list of names
plan=$(apt-get -s -o APT::Get::Show-Upgraded=0 install --no-install-recommends $missing) ||
    refuse "apt cannot install them:
$plan"
removed=$(printf '%s\n' "$plan" | awk '$1 == "Remv" { printf " %s", $2 }')
[ -n "$yes" ] || [ -z "$removed" ] ||
    refuse "apt would remove$removed"
new=$(printf '%s\n' "$plan" | awk '$1 == "Inst" { print $2 }')
printf 'will be installed (%s):\n' "$(printf '%s\n' "$new" | wc -l)"
printf '%s\n' "$new" | tr '\n' ' ' | fold -s -w 76 | sed 's/^/  /'
echo
[ -z "$removed" ] || echo "will be removed:$removed"
echo "no service is started, none is started at boot"

# Whatever policy there was comes back, also after a failure.
policy=/usr/sbin/policy-rc.d
saved=
restore_policy() {
    rm -f "$policy"
    [ -z "$saved" ] || mv "$saved" "$policy"
}
if [ -e "$policy" ] || [ -L "$policy" ]; then
    saved=$policy.before-provost.$$
    mv "$policy" "$saved"
fi
trap restore_policy EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"

# Answers for the questions that would configure a service of the host.
if command -v debconf-set-selections >/dev/null; then
    {
        installed postfix ||
            echo "postfix postfix/main_mailer_type select No configuration"
        installed slapd || echo "slapd slapd/no_configuration boolean true"
    } | debconf-set-selections || true
fi

# shellcheck disable=SC2086
apt-get install -y -qq -o Dpkg::Use-Pty=0 --no-install-recommends $missing ||
    {
        echo "packages.sh: apt-get install failed" >&2
        exit 1
    }

# Debian enables what it installs: the next boot would start these.
for pair in slapd:slapd mariadb-server:mariadb postfix:postfix \
    sasl2-bin:saslauthd fail2ban:fail2ban dovecot-core:dovecot \
    samba:smbd samba:nmbd samba:samba-ad-dc \
    postfwd:postfwd policyd-rate-limit:policyd-rate-limit \
    haproxy:haproxy rsync:rsync; do
    printf '%s\n' "$new" | grep -qxF "${pair%:*}" || continue
    service=${pair#*:}
    [ ! -f "/etc/init.d/$service" ] ||
        update-rc.d "$service" disable >/dev/null 2>&1 || true
    rm -f "/etc/systemd/system/"*".wants/$service.service"
done
leave "$1"
