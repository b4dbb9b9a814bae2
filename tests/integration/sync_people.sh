#!/bin/sh
# sync_people.sh - a person's life in the directory, and what becomes of the
# mailbox: joins, changes, marries, is locked, leaves, comes back
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck disable=SC2034 # LAB_...: lab.sh's
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
# shellcheck source=tests/lib/sync.sh
. "$(dirname "$0")/../lib/sync.sh"
lab_begin sync_people
LAB_CONF_DIRECTORY='import_users = true; periodic_full_sync = true; disabled_filter = "(description=locked)";'
sync_begin 130

# ----------------------------------------------------- joins, and nothing new --

is "a plan has changes" "$(sync plan)" 2
is "and names each new mailbox" "$(grep -c '^+ ' "$LAB/out")" 36
is "with template and quota" "$(sync_line grace@example.org)" "+ grace@example.org  template vip, quota 20G"
is "it writes nothing" "$(lab_sql 'SELECT COUNT(*) FROM mailbox')$(lab_sql 'SELECT COUNT(*) FROM sync_run')" 00
is "a plan as JSON is one document" "$(sync plan --json)" 2
is "with the same people" "$(python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
print(len(d[0]["changes"]), d[0]["summary"]["created"], d[0]["changes"][0]["action"])' "$LAB/out")" "36 36 create"
is "a run makes them" "$(sync)" 0
is "all of them" "$(lab_sql "SELECT COUNT(*), SUM(source = 'ldap'), SUM(directory_id IS NOT NULL) FROM mailbox")" "$(printf '36\t36\t36')"
is "and counts them in the domain" "$(lab_sql "SELECT mailboxes_used, quota_allotted FROM domain")" "$(printf '36\t%s' $((35 * 5368709120 + 21474836480)))"
is "each has its own alias" "$(lab_sql "SELECT COUNT(*) FROM alias a JOIN mailbox m ON m.address = a.address AND a.owner = m.address AND a.kind = 'self'")" 36
is "a case of letters is no other address" "$(mailbox carol@example.org name)" "Carol Shaw"
is "of several addresses the first is taken" "$(mailbox e.ve@example.org name)" "Eve Arden"
is "each is an event of the run" "$(lab_sql "SELECT kind, who, COUNT(*) FROM event WHERE run = 1 GROUP BY kind, who")" "$(printf 'create\tsync\t36')"
like "the summary says so" "$(cat "$LAB/out")" '^corp: 36 seen, 36 created, 0 changed, 0 renamed, 0 suspended, 0 refused, 0 unchanged'
before=$(everything)
count=$(events)
is "a second run does nothing" "$(sync)" 0
is "all are unchanged" "$(sync_count unchanged)" 36
is "no row is another one" "$(everything)" "$before"
is "and there is no event" "$(events)" "$count"
is "a plan after it has none" "$(sync plan)" 0
is "a login sees the mailbox as its own" "$(lab_authd && lab_auth ada@example.org ada-secret)" "OK ada@example.org"
is "and the run after a login finds nothing new" "$(sync)$(events)" "0$count"

# ------------------------------------------------------------------- changes --

lab_ldap_set ada displayName "Ada King"
lab_ldap_set bob mailQuota 7G
lab_ldap_set dan otherMailbox "cn=vip,ou=groups,dc=example,dc=org"
sync plan >/dev/null
is "a plan shows old and new" "$(sync_line ada@example.org)" "~ ada@example.org  name Ada Lovelace -> Ada King"
is "a quota" "$(sync_line bob@example.org)" "~ bob@example.org  quota 5G -> 7G"
like "a template" "$(sync_line dan@example.org)" '^~ dan@example.org  template default -> vip, quota 5G -> 20G'
is "they are done" "$(sync)$(sync_count changed)" 03
is "the quota is counted" "$(lab_sql "SELECT quota_allotted = (SELECT SUM(quota) FROM mailbox) FROM domain")" 1
is "an event has old and new" "$(last_event ada@example.org before_json,after_json)" "$(printf '{"name": "Ada Lovelace"}\t{"name": "Ada King"}')"
lab_provostctl mailbox edit ada@example.org --quota 9G >/dev/null
lab_ldap_set ada displayName "Ada Countess"
sync >/dev/null
is "what an administrator pinned stays" "$(mailbox ada@example.org name,quota)" "$(printf 'Ada Countess\t%s' $((9 * 1024 * 1024 * 1024)))"
lab_provostctl mailbox unpin ada@example.org quota >/dev/null
is "and follows again when it is unpinned" "$(sync)$(mailbox ada@example.org quota)" 05368709120
sed -i 's/{ name = "default"; quota = "5G";/{ name = "default"; quota = "6G";/' "$LAB/provost.conf"
is "a changed template reaches everybody" "$(sync)$(sync_count changed)" 033
is "but who has another one, or a quota from the directory" "$(lab_sql "SELECT quota / 1073741824, COUNT(*) FROM mailbox GROUP BY quota ORDER BY quota")" "$(printf '6.0000\t33\n7.0000\t1\n20.0000\t2')"

# -------------------------------------------------------------------- aliases --

lab_ldap_set ada mailAlternateAddress countess@example.org smtp:a.king@example.org SMTP:ada@example.org
sync >/dev/null
aliases() { lab_sql "SELECT GROUP_CONCAT(address ORDER BY address) FROM alias WHERE owner = '$1' AND kind = 'directory'"; }
is "aliases come, prefixes of proxyAddresses taken off" "$(aliases ada@example.org)" "a.king@example.org,countess@example.org"
lab_sql "INSERT INTO alias (address, domain, local_part, targets, kind, owner) VALUES ('info@example.org', 'example.org', 'info', 'ada@example.org', 'admin', NULL)"
lab_ldap_set ada mailAlternateAddress countess@example.org
sync >/dev/null
is "and go" "$(aliases ada@example.org)" "countess@example.org"
is "an administrator's stays" "$(lab_sql "SELECT kind FROM alias WHERE address = 'info@example.org'")" admin
lab_ldap_set bob mailAlternateAddress countess@example.org
is "an alias that is somebody else's is refused" "$(sync)$(sync_count refused)" 11
like "and named" "$(last_event bob@example.org kind,reason)" 'update_refused.*alias_taken: countess@example.org is an alias of ada@example.org'
count=$(events)
is "told once, not in each run" "$(sync)$(events)" "1$count"
lab_ldap_set bob mailAlternateAddress
sync >/dev/null

# ------------------------------------------- locked, no mapping any more, local --

lab_ldap_set carol description locked
sync plan >/dev/null
is "a plan shows who is locked" "$(sync_line carol@example.org)" "- carol@example.org  directory_state present -> disabled"
is "who is locked in the directory is suspended at once" "$(sync)$(sync_count suspended)$(mailbox carol@example.org directory_state)" 01disabled
is "mail is accepted" "$(lab_sql "SELECT COUNT(*) FROM mailbox_open WHERE address = 'carol@example.org'")" 1
is "and once is enough" "$(sync)$(sync_count suspended)" 00
lab_ldap_set carol description
sync >/dev/null
lab_ldap_set carol mailAlternateAddress countess@example.org
lab_ldap_set carol description locked
sync >/dev/null
is "also who has something else that is refused" "$(mailbox carol@example.org directory_state)$(sync_count suspended)$(sync_count refused)" disabled11
lab_ldap_set carol mailAlternateAddress
sync >/dev/null
lab_ldap_set carol description
is "back when enabled" "$(sync)$(mailbox carol@example.org directory_state)" 0present
lab_ldap_set dan otherMailbox nothing
count=$(events)
is "nothing maps any more: no fault" "$(sync)" 0
is "the mailbox keeps its settings" "$(mailbox dan@example.org template,quota)" "$(printf 'vip\t21474836480')"
like "with one warning" "$(last_event dan@example.org kind,reason)" 'warning.*nothing maps any more'
sync >/dev/null
is "not one for each run" "$(events)" "$((count + 1))"
lab_ldap_set dan otherMailbox default
sync >/dev/null
lab_person 20 pat pat@example.org "Pat" unmapped
is "who has no template is refused" "$(sync)$(sync_count refused)" 11
count=$(events)
is "told once" "$(sync)$(events)" "1$count"
lab_ldap_set pat otherMailbox default
is "and served when it is mended" "$(sync)$(mailbox pat@example.org name)" 0Pat
lab_provostctl mailbox add --local desk@example.org --template default >/dev/null 2>&1 || lab_provostctl mailbox add desk@example.org --template default >/dev/null 2>&1
local_row=$(lab_sql "SELECT * FROM mailbox WHERE address = 'desk@example.org'")
lab_person 21 desk desk@example.org "Desk" default
is "a local mailbox is never touched" "$(sync)$(lab_sql "SELECT * FROM mailbox WHERE address = 'desk@example.org'")" "0$local_row"

# -------------------------------------------------- marries; swaps; is followed --

lab_sql "INSERT INTO quota2 (username, bytes, messages) VALUES ('grace@example.org', 4711, 3);
    INSERT INTO app_password (address, hash, services) VALUES ('grace@example.org', 'x', 15)"
path=$(mailbox grace@example.org mail_path)
lab_ldap_set grace mail grace.murray@example.org
sync plan >/dev/null
is "a plan shows a rename" "$(sync_line grace.murray@example.org)" "> grace.murray@example.org  was grace@example.org"
is "a new address is a rename" "$(sync)$(sync_count renamed)" 01
is "of the same mailbox, where its mail is" "$(mailbox grace.murray@example.org mail_path)$(mailbox grace@example.org mail_path)" "$path"
is "usage and app passwords move along" "$(lab_sql "SELECT bytes FROM quota2 WHERE username = 'grace.murray@example.org'; SELECT COUNT(*) FROM app_password WHERE address = 'grace.murray@example.org'")" "$(printf '4711\n1')"
is "the old address stays as an alias, for a time" "$(lab_sql "SELECT targets, kind, TIMESTAMPDIFF(DAY, UTC_TIMESTAMP(), expires + INTERVAL 1 HOUR) FROM alias WHERE address = 'grace@example.org'")" "$(printf 'grace.murray@example.org\trename\t180')"
lab_sql "UPDATE alias SET expires = UTC_TIMESTAMP() - INTERVAL 1 DAY WHERE address = 'grace@example.org'"
sync --if-due >/dev/null
is "and goes when that is over" "$(lab_sql "SELECT COUNT(*) FROM alias WHERE address = 'grace@example.org'")" 0
lab_ldap_set ada mail bob@example.org
lab_ldap_set bob mail ada@example.org
ids=$(lab_sql "SELECT address, mail_path FROM mailbox WHERE directory_id LIKE '%000000000001' OR directory_id LIKE '%000000000002' ORDER BY address")
sync plan >/dev/null
is "a plan shows two who swap" "$(grep -c '^> ' "$LAB/out")" 2
is "two people swap addresses" "$(sync)$(sync_count renamed)" 02
is "each mailbox has the other's name, and its own mail" "$(lab_sql "SELECT address, mail_path FROM mailbox WHERE directory_id LIKE '%000000000001' OR directory_id LIKE '%000000000002' ORDER BY address")" \
    "$(echo "$ids" | awk '{ a[NR] = $1; p[NR] = $2 } END { printf "%s\t%s\n%s\t%s\n", a[1], p[2], a[2], p[1] }')"
is "nothing is left of the way" "$(lab_sql "SELECT COUNT(*) FROM alias WHERE address LIKE 'renamed-%' OR owner LIKE 'renamed-%'; SELECT COUNT(*) FROM alias WHERE kind = 'rename'")" "$(printf '0\n0')"
lab_ldap_set p100 mail p101@example.org
lab_ldap_set p101 mail p102@example.org
lab_ldap_set p102 mail p103x@example.org
is "three follow one another" "$(sync)$(sync_count renamed)" 03
is "each to the place that was left" "$(lab_sql "SELECT address, name FROM mailbox WHERE name IN ('Person 100', 'Person 101', 'Person 102') ORDER BY name")" \
    "$(printf 'p101@example.org\tPerson 100\np102@example.org\tPerson 101\np103x@example.org\tPerson 102')"
before=$(everything)
is "and then it is quiet" "$(sync)$(everything)" "0$before"
lab_person 22 late p104@example.org "Late" default
is "two people with one address: the newcomer is refused" "$(sync)$(sync_count refused)" 11
like "the other one is named" "$(last_event p104@example.org reason)" 'other_id: the mailbox belongs to another person'
lab_person 23 same1 same@example.org "Same" default
lab_person 24 same2 same@example.org "Same" default
sync >/dev/null
is "of two new ones with one address, none has it" "$(lab_sql "SELECT COUNT(*) FROM mailbox WHERE address = 'same@example.org'; SELECT COUNT(*) FROM event WHERE reason LIKE 'same_address%'")" "$(printf '0\n2')"
lab_ldap_delete same2
sync >/dev/null
is "when one goes, the other one gets it" "$(mailbox same@example.org name)" Same

# ------------------------------------------------------------- leaves, comes back --

for uid in late same1 desk; do lab_ldap_delete "$uid"; done
sync_setting missing_runs 2
sync_setting missing_for '"1h"'
sync_setting max_removals '"20"'
lab_ldap_delete p110
is "who is gone is missing, no more" "$(sync)$(mailbox p110@example.org directory_state)" 0present
is "in a second run too: not for long enough" "$(sync)$(mailbox p110@example.org directory_state)" 0present
sync_older 7200
is "long enough: an event is all, as shipped" "$(sync)$(mailbox p110@example.org directory_state)$(last_event p110@example.org)" 0presentmissing
count=$(events)
is "one event" "$(sync)$(events)" "0$count"
sync_setting on_missing '"suspend"'
sync plan >/dev/null
is "a plan shows who is to be suspended" "$(sync_line p110@example.org)" "- p110@example.org  directory_state present -> missing"
is "then suspended, where it is wanted" "$(sync)$(mailbox p110@example.org directory_state)" 0missing
like "with the reason" "$(last_event p110@example.org kind,reason)" 'deactivate.*not in the directory in [0-9]* complete runs'
is "mail is accepted" "$(lab_sql "SELECT COUNT(*) FROM mailbox_open WHERE address = 'p110@example.org'")" 1
sync_setting on_missing '"disable"'
sync >/dev/null
is "not disabled at once" "$(mailbox p110@example.org directory_state)" missing
sync_older 3000000
is "but later" "$(sync)$(mailbox p110@example.org directory_state)" 0gone
is "it is listed among the missing, and why says so" \
    "$(lab_provostctl --no-headers --format csv mailbox list --state missing | grep -c p110)$(lab_provostctl why p110@example.org | grep -c 'the directory says: gone')" 11
is "mail is refused then" "$(lab_sql "SELECT COUNT(*) FROM mailbox_open WHERE address = 'p110@example.org'")" 0
is "nothing is deleted" "$(lab_sql "SELECT COUNT(*) FROM mailbox WHERE address = 'p110@example.org'")" 1
before=$(everything)
count=$(events)
is "and then it is quiet" "$(sync)$(events)" "0$count"
lab_ldap_set p111 objectClass inetOrgPerson labMailPerson
printf 'dn: uid=p111,%s\nchangetype: modrdn\nnewrdn: uid=p111\ndeleteoldrdn: 0\nnewsuperior: dc=example,dc=org\n' "$LAB_PEOPLE" | lab_ldap_modify
sync >/dev/null; sync_older 7200; sync >/dev/null
is "who moved out of the base has left" "$(mailbox p111@example.org directory_state)" missing
printf 'dn: uid=p111,dc=example,dc=org\nchangetype: modrdn\nnewrdn: uid=p111\ndeleteoldrdn: 0\nnewsuperior: %s\n' "$LAB_PEOPLE" | lab_ldap_modify
is "who comes back has the mailbox again, by itself" "$(sync)$(mailbox p111@example.org directory_state)" 0present
is "and counts as missing no more" "$(lab_sql "SELECT COUNT(*) FROM sync_person p JOIN mailbox m USING (directory, directory_id) WHERE m.address = 'p111@example.org' AND p.missing_runs > 0")" 0
lab_sql "DELETE FROM mailbox WHERE address = 'p120@example.org'; DELETE FROM alias WHERE owner = 'p120@example.org';
    UPDATE domain SET mailboxes_used = mailboxes_used - 1, quota_allotted = quota_allotted - 6442450944"

# ----------------------------------------------------------- each switch alone --

sed -i 's/import_users = true; periodic_full_sync = true;/import_users = false; periodic_full_sync = true;/' "$LAB/provost.conf"
lab_ldap_set p112 displayName "Twelve"
is "periodic_full_sync alone changes" "$(sync)$(mailbox p112@example.org name)" 0Twelve
is "and makes nothing" "$(mailbox p120@example.org name)" ""
lab_sql "UPDATE mailbox SET directory_id = NULL, fingerprint = NULL WHERE address = 'p113@example.org'"
sync >/dev/null
is "it adopts a mailbox without an id" "$(mailbox p113@example.org 'directory_id IS NOT NULL')" 1
sed -i 's/import_users = false; periodic_full_sync = true;/import_users = true; periodic_full_sync = false;/' "$LAB/provost.conf"
lab_ldap_set p112 displayName "Dozen"
is "import_users alone makes" "$(sync)$(mailbox p120@example.org name)" "0Person 120"
is "and changes nothing" "$(mailbox p112@example.org name)" Twelve
sed -i 's/import_users = true; periodic_full_sync = false;/import_users = false; periodic_full_sync = false;/' "$LAB/provost.conf"
is "with both off there is nothing to do" "$(sync)" 0
like "and it says so" "$(cat "$LAB/out")" '^corp: import_users and periodic_full_sync are off'
lab_done
