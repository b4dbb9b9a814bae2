# samba.sh - an Active Directory domain for tests: Samba's domain controller
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
#
# After lab.sh and inside box.sh, because its ports cannot be chosen: 389, 636
# and 3268 of 127.0.0.1. The domain is AD (ad.example); its administrator's
# password is $AD_ADMIN_PASSWORD. Made in about 10 s, so:
#
#   samba_make &            then something else, then
#   wait; samba_start       and samba_ldif <LDIF, samba_search FILTER ATTRIBUTE...
#
# A password in LDIF: unicodePwd:: $(samba_password TEXT)

AD_SUFFIX=DC=ad,DC=example
AD_ADMIN=Administrator@ad.example
AD_ADMIN_PASSWORD=Lab-admin-1

# samba_make: a new domain in $LAB/samba.
samba_make() {
    # On nobody's disk, so that nothing needs to be waited for.
    TDB_NO_FSYNC=1 samba-tool domain provision --realm=AD.EXAMPLE --domain=AD \
        --server-role=dc --dns-backend=NONE --adminpass="$AD_ADMIN_PASSWORD" \
        --host-name=dc1 --host-ip=127.0.0.1 --targetdir="$LAB/samba" \
        --option="posix:eadb=$LAB/samba-eadb.tdb" >"$LAB/log/samba-tool.log" 2>&1
}

# samba_certificate: from the lab's private CA, for both domain controllers.
samba_certificate() {
    lab_ca
    (
        cd "$LAB/tls" || exit 1
        echo subjectAltName=DNS:dc1.ad.example,DNS:dc2.ad.example >ad.ext
        openssl x509 -req -in csr.pem -CA ca.pem -CAkey ca.key -days 30 \
            -CAcreateserial -extfile ad.ext -out ad.pem
        install -m 0600 key.pem ad.key
    ) >>"$LAB/log/openssl.log" 2>&1 || lab_die "a certificate for Samba can be made"
}

samba_start() {
    [ -f "$LAB/tls/ad.pem" ] || samba_certificate
    # shellcheck disable=SC2016
    TDB_NO_FSYNC=1 lab_start samba sh -c 'ulimit -n 4096; exec "$@"' sh \
        samba -F -M single --debug-stdout --configfile="$LAB/samba/etc/smb.conf" \
        --option="server services=ldap" --option="interfaces=127.0.0.1/8" \
        --option="bind interfaces only=yes" --option="tls enabled=yes" \
        --option="tls keyfile=$LAB/tls/ad.key" --option="tls certfile=$LAB/tls/ad.pem" \
        --option="tls cafile=$LAB/tls/ca.pem" --option="ldap server require strong auth=allow_sasl_over_tls"
    wait_for 60 samba_answers || lab_die "Samba answers within 60 s"
}

samba_answers() {
    ldapsearch -x -o nettimeout=2 -H ldap://127.0.0.1 -b '' -s base highestCommittedUSN
}

samba_password() {
    "$LAB_PYTHON" -c 'import base64, sys
print(base64.b64encode(("\"%s\"" % sys.argv[1]).encode("utf-16-le")).decode())' "$1"
}

# By LDAPS, with the CA.
samba_as_admin() {
    samba_tool_=$1
    shift
    LDAPTLS_CACERT=$LAB/tls/ca.pem "$samba_tool_" -x -H ldaps://dc2.ad.example -D "$AD_ADMIN" -w "$AD_ADMIN_PASSWORD" "$@"
}

# samba_ldif <LDIF of new entries, or of changes
samba_ldif() {
    samba_as_admin ldapmodify -a >>"$LAB/log/samba-ldif.log" 2>&1
}

# samba_search FILTER ATTRIBUTE...: LDIF without wraps.
samba_search() {
    samba_as_admin ldapsearch -LLL -o ldif-wrap=no -E '!1.2.840.113556.1.4.1339' -b "$AD_SUFFIX" "$@" 2>/dev/null
}

# samba_value FILTER ATTRIBUTE: its first value.
samba_value() {
    samba_search "$1" "$2" | sed -n "s/^$2: //p" | head -n 1
}

# samba_set NAME ATTRIBUTE VALUE...: replaces (none: removes); by sAMAccountName.
samba_set() {
    # Also one in base64, as a name with an umlaut is.
    samba_dn=$(samba_search "(sAMAccountName=$1)" 1.1 | grep '^dn::* ')
    {
        printf '%s\nchangetype: modify\nreplace: %s\n' "$samba_dn" "$2"
        samba_attribute=$2
        shift 2
        for samba_value_; do echo "$samba_attribute: $samba_value_"; done
    } | samba_ldif
}

# samba_user NAME [LINE...]: LDIF of somebody whose password is Secret-NAME-1. A
# line for mail or userAccountControl stands instead of the usual one.
samba_user() {
    samba_name=$1
    shift
    cat <<LDIF
dn: CN=$samba_name,OU=Staff,$AD_SUFFIX
objectClass: user
sAMAccountName: $samba_name
userPrincipalName: $samba_name@ad.example
displayName: $samba_name of Staff
unicodePwd:: $(samba_password "Secret-$samba_name-1")
LDIF
    printf '%s\n' "$@" | grep -q '^mail:' || echo "mail: $samba_name@ad.example"
    printf '%s\n' "$@" | grep -q '^userAccountControl:' || echo 'userAccountControl: 512'
    printf '%s\n' "$@" ''
}

# samba_group NAME MEMBER...: LDIF of a group with these, by their CN.
samba_group() {
    printf 'dn: CN=%s,OU=Groups,%s\nobjectClass: group\n' "$1" "$AD_SUFFIX"
    shift
    for samba_member; do echo "member: $samba_member,$AD_SUFFIX"; done
    echo
}

# samba_raw NAME ATTRIBUTE VALUE: writes into the database itself what a domain
# controller lets nobody write, such as the time of a password.
samba_raw() {
    "$LAB_PYTHON" - "$LAB/samba/private/sam.ldb.d/$(echo "$AD_SUFFIX" | tr '[:lower:]' '[:upper:]').ldb" "$@" <<'PYTHON'
import ldb, sys
path, name, attribute, value = sys.argv[1:]
base = ldb.Ldb(path)
found = base.search(expression="(sAMAccountName=%s)" % name)[0]
change = ldb.Message(found.dn)
change[attribute] = ldb.MessageElement(value, ldb.FLAG_MOD_REPLACE, attribute)
base.modify(change)
PYTHON
}
