#!/bin/sh
# sync_changes.sh - only what changed: by syncrepl, by time, and as it happens
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck disable=SC2034 # LAB_...: lab.sh's
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
# shellcheck source=tests/lib/sync.sh
. "$(dirname "$0")/../lib/sync.sh"
lab_begin sync_changes
LAB_CONF_DIRECTORY='import_users = true; periodic_full_sync = true; disabled_filter = "(description=locked)";'
LAB_SLAPD_CONF='moduleload syncprov
overlay syncprov
syncprov-sessionlog 1000'
sync_begin 120
cookie() { lab_sql "SELECT cookie FROM sync_directory"; }
says() { like "$1" "$(cat "$LAB/out" "$LAB/err")" "$2"; }

# ------------------------------------------------------------------- --changes --

is "without a last time --changes is a full run" "$(sync --changes)$(sync_count created)" 026
says "and says so" 'no last time.*all are read'
like "which keeps the cookie" "$(cookie)" 'rid=000,csn='
is "nothing changed: nothing to do" "$(sync --changes)$(sync_count seen)" 00
says "by syncrepl" '^corp: changes by syncrepl'
before=$(cookie)
lab_ldap_set ada displayName "Ada King"
lab_ldap_set bob mailAlternateAddress robert@example.org
lab_person 50 new new@example.org "New" default
is "changes are applied, and no more is read" "$(sync --changes)$(sync_count seen)" 03
is "a name, an alias, somebody new" "$(lab_sql "SELECT name FROM mailbox WHERE address = 'ada@example.org'; SELECT owner FROM alias WHERE address = 'robert@example.org'; SELECT name FROM mailbox WHERE address = 'new@example.org'")" \
    "$(printf 'Ada King\nbob@example.org\nNew')"
check "the cookie moved on" [ "$(cookie)" != "$before" ]
before=$(everything)
is "a full run after it finds nothing" "$(sync)$(sync_count unchanged)" 027
is "and changes nothing" "$(everything)" "$before"
lab_ldap_set carol description locked
is "who is locked is suspended" "$(sync --changes)$(mailbox carol@example.org directory_state)" 0disabled
lab_ldap_set carol description
is "and back" "$(sync --changes)$(mailbox carol@example.org directory_state)" 0present
lab_ldap_set ada mail bob@example.org
lab_ldap_set bob mail ada@example.org
is "two swap addresses" "$(sync --changes)$(sync_count renamed)" 02
lab_ldap_delete p100
is "who is gone is not a change" "$(sync --changes)$(mailbox p100@example.org directory_state)$(lab_sql "SELECT COUNT(*) FROM sync_person WHERE missing_runs > 0")" 0present0
sync >/dev/null
is "full runs count them" "$(lab_sql "SELECT missing_runs FROM sync_person WHERE missing_runs > 0")" 1
lab_ldap_set p101 displayName "One"
sync --changes >/dev/null
is "and changes do not" "$(lab_sql "SELECT missing_runs FROM sync_person WHERE missing_runs > 0")" 1
sync_setting max_removals '"0"'
lab_ldap_set p102 description locked
is "the guards hold for changes too" "$(sync --changes)$(mailbox p102@example.org directory_state)" 3present
sync_setting max_removals '"20"'
lab_sql "UPDATE sync_directory SET cookie = REPLACE(cookie, 'csn=2', 'csn=9')"
lab_ldap_set p103 displayName "Three"
is "a cookie of the future is a full run" "$(sync --changes)$(mailbox p103@example.org name)" 0Three
is "with a good cookie at its end" "$(sync --changes)$(sync_count seen)" 00
lab_sql "UPDATE sync_directory SET cookie_for = 'other settings'"
is "a cookie of other settings too" "$(sync --changes)$(lab_sql "SELECT kind FROM sync_run ORDER BY id DESC LIMIT 1")" 0full
lab_slapd_stop main
lab_slapd_start main
lab_ldap_set p104 displayName "Four"
is "a server that was started again goes on" "$(sync --changes)$(mailbox p104@example.org name)" 0Four
lab_slapd_stop main
lab_ldap_set p104 displayName "Lost" || :
is "a directory that is down is 75" "$(sync --changes)" 75
lab_slapd_start main
is "and nothing is lost" "$(sync --changes)$(mailbox p104@example.org name)" 0Four

# -------------------------------------------------------------------- --follow --

"$PROVOST_BUILD/tools/provost-sync" -c "$LAB/provost.conf" --follow >"$LAB/log/follow.log" 2>&1 &
follower=$!
check "it follows" wait_for 20 grep -q 'following by syncrepl' "$LAB/log/follow.log"
name_is() { [ "$(mailbox "$1" name)" = "$2" ]; }
lab_ldap_set p105 displayName "Five"
began=$(now_ms)
check "a change is applied as it happens" wait_for 20 name_is p105@example.org Five
took=$(($(now_ms) - began))
check "in less than a second ($took ms)" [ "$took" -lt $((1000 * ${PROVOST_SLOW:-1})) ]
lab_person 51 more more@example.org "More" default
check "somebody new too" wait_for 20 name_is more@example.org More
lab_slapd_stop main
lab_slapd_start main
lab_ldap_set p106 displayName "Six"
check "it connects again, and loses nothing" wait_for 60 name_is p106@example.org Six
kill -9 "$follower"
wait "$follower" 2>/dev/null
lab_ldap_set p107 displayName "Seven"
"$PROVOST_BUILD/tools/provost-sync" -c "$LAB/provost.conf" --follow >"$LAB/log/follow2.log" 2>&1 &
follower=$!
check "nor over kill -9" wait_for 90 name_is p107@example.org Seven
lab_sql "UPDATE sync_directory SET started = UTC_TIMESTAMP() - INTERVAL 1 DAY"
sync --if-due >/dev/null
is "a full run goes on beside it" "$(lab_sql "SELECT kind FROM sync_run WHERE exit_code = 0 AND kind = 'full' ORDER BY id DESC LIMIT 1")" full
kill "$follower"
wait "$follower"
is "SIGTERM ends it" "$?" 0

# ------------------------------------------------------------ without syncprov --

lab_slapd_stop main
sed -i '/syncprov/d' "$LAB/slapd-main/slapd.conf"
lab_slapd_start main
is "without syncrepl a first time is a full run" "$(sync --changes)$(lab_sql "SELECT kind FROM sync_run ORDER BY id DESC LIMIT 1")" 0full
lab_ldap_set p108 displayName "Eight"
is "then it goes by time" "$(sync --changes)$(mailbox p108@example.org name)" 0Eight
says "and says so" '^corp: changes by modifyTimestamp'
lab_done
