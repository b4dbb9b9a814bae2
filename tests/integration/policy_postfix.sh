#!/bin/sh
# policy_postfix.sh - a real Postfix asks the policy service at its door
# SPDX-License-Identifier: BSD-2-Clause
#
# The restrictions are those of conf/postfix/policy.txt, read from it.
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_begin policy_postfix
lab_slapd
lab_mariadb
LAB_CONF_DEFAULT='rate_limit = "5/1h"; message_size = "50M";'
LAB_CONF="policy = {
  $(lab_policy_listen) account_ttl = \"0\"; usage_ttl = \"0\"; rate_flush = \"500ms\";
  rules = ( { rule = \"recipient_state\"; }, { rule = \"mailbox_quota\"; }, { rule = \"domain_quota\"; },
            { rule = \"message_size\"; }, { rule = \"send_rate\"; }, { rule = \"sender_login\"; },
            { rule = \"tls_in\"; } );
};"
lab_config
lab_schema
lab_domain example.org --max-mailboxes 50
lab_provostctl domain alias add alias.example example.org >/dev/null 2>&1 ||
    lab_sql "INSERT INTO alias_domain (name, name_unicode, target) VALUES ('alias.example', 'alias.example', 'example.org')"
lab_authd
for who in ada bob carol dan; do
    is "$who has a mailbox" "$(lab_auth $who@example.org $who-secret)" "OK $who@example.org"
done
lab_sql "INSERT INTO alias (address, domain, local_part, targets, kind) VALUES
    ('info@example.org', 'example.org', 'info', 'ada@example.org', 'admin'),
    ('team@example.org', 'example.org', 'team', 'ada@example.org,bob@example.org', 'admin')"

like "the page has both services" "$(lab_policy_submission) $(lab_policy_restriction smtpd_recipient_restrictions) $(lab_policy_restriction smtpd_end_of_data_restrictions)" \
    'check_policy_service,unix:var/run/provost/policy.*reject_unauth_destination,check_policy_service,unix:.* check_policy_service,unix:'
lab_postfix_make
lab_postfix_policy
# The rule is to speak, not Postfix's own check of senders.
sed -i 's|^  -o smtpd_sasl_path=smtpd|&\n  -o smtpd_sender_restrictions=|' "$LAB/postfix/master.cf"
printf '%s\n' 'virtual_transport = discard:' 'message_size_limit = 0' 'recipient_delimiter = +' >>"$LAB/postfix/main.cf"
lab_policyd
lab_postfix_start

usage() {
    lab_sql "REPLACE INTO quota2 (username, bytes, messages) VALUES ('$1@example.org', $2, 1)"
}

# -------------------------------------------------------------------- quota --

like "mail for an empty mailbox is taken" "$(lab_send ada@example.org)" 'end 250 '
usage ada 5300000000
like "by its declared size, mail that does not fit is refused at RCPT" "$(lab_send --declare 90000000 ada@example.org)" 'rcpt ada@example.org 452 4\.2\.2 '
like "a small one still fits" "$(lab_send --declare 1000 ada@example.org)" 'end 250 '
like "without a declared size it is refused at the end" "$(lab_send --data 90000000 ada@example.org)" 'end 452 4\.2\.2 '
usage ada 5368000000
like "one of two recipients with room has it taken" "$(lab_send --data 2000000 ada@example.org bob@example.org)" 'end 250 '
usage bob 5368000000
like "and two without have it refused at the end" "$(lab_send --data 2000000 ada@example.org bob@example.org | tr '\n' '|')" \
    'rcpt ada@example.org 250 .*rcpt bob@example.org 250 .*end 452 4\.2\.2 '
usage bob 0
usage ada 6000000000
like "a full mailbox refuses" "$(lab_send ada@example.org)" 'rcpt ada@example.org 452 4\.2\.2 '
like "for one of two recipients only" "$(lab_send ada@example.org bob@example.org | tr '\n' '|')" 'rcpt ada@example.org 452 .*rcpt bob@example.org 250 .*end 250 '
like "behind an alias, too" "$(lab_send info@example.org)" 'rcpt info@example.org 452 4\.2\.2 '
like "in an alias domain, too" "$(lab_send ada@alias.example)" 'rcpt ada@alias.example 452 4\.2\.2 '
like "with an extension, too" "$(lab_send ada+list@example.org)" 'rcpt ada\+list@example.org 452 4\.2\.2 '
like "a list is taken while somebody on it has room" "$(lab_send team@example.org)" 'end 250 '
usage bob 6000000000
like "and refused when nobody has" "$(lab_send team@example.org)" 'rcpt team@example.org 452 4\.2\.2 '
usage bob 0
lab_sql "INSERT INTO alias (address, domain, local_part, targets, kind) VALUES ('@example.org', 'example.org', '', 'ada@example.org', 'admin')"
like "behind the catch-all, too" "$(lab_send whoever@example.org)" 'rcpt whoever@example.org 452 4\.2\.2 '
lab_sql "DELETE FROM alias WHERE address = '@example.org'"
lab_domain bücher.example
lab_sql "INSERT INTO alias (address, domain, local_part, targets, kind) VALUES
    ('@xn--bcher-kva.example', 'xn--bcher-kva.example', '', 'ada@example.org', 'admin')"
like "in a domain with an umlaut, by its A-label" "$(lab_send x@xn--bcher-kva.example)" 'rcpt x@xn--bcher-kva.example 452 4\.2\.2 '
like "by its U-label, too, and a local part in UTF-8" "$(lab_send grün@BÜCHER.example)" 'rcpt .* 452 4\.2\.2 .*Mailbox is full'
like "with a quoted local part" "$(lab_send '"a b"@xn--bcher-kva.example')" 'rcpt .* 452 4\.2\.2 .*Mailbox is full'
like "in capitals" "$(lab_send ADA@Example.ORG)" 'rcpt ADA@Example.ORG 452 4\.2\.2 '
like "and from the null sender" "$(lab_send --from '' ada@example.org)" 'rcpt ada@example.org 452 4\.2\.2 '
like "a message over the whole quota is refused for good" "$(lab_send --declare 9000000000 carol@example.org)" '552 5\.2\.3 '
usage ada 0
lab_provostctl domain edit example.org --max-usage 1G >/dev/null
usage carol 2000000000
like "a domain that has used up its space refuses for everybody" "$(lab_send bob@example.org)" 'rcpt bob@example.org 452 4\.2\.2 .*'
lab_provostctl domain edit example.org --max-usage unlimited >/dev/null
usage carol 0
like "a message over the recipient's limit is refused" "$(lab_send --declare 60000000 bob@example.org)" 'rcpt bob@example.org 552 5\.3\.4 '
lab_sql "UPDATE mailbox SET admin_state = 'block_all' WHERE address = 'dan@example.org'"
like "a mailbox that is off refuses" "$(lab_send dan@example.org)" 'rcpt dan@example.org 550 5\.2\.1 '
lab_sql "UPDATE mailbox SET admin_state = '-', tls_enforce_in = 1 WHERE address = 'dan@example.org'"
like "a recipient who demands TLS refuses without it" "$(lab_send dan@example.org)" 'rcpt dan@example.org 450 4\.7\.10 '
like "and not with it" "$(lab_send --tls "$LAB/tls/ca.pem" dan@example.org)" 'end 250 '
like "mail for others is not asked about" "$(lab_send x@elsewhere.example)" 'rcpt x@elsewhere.example (550|554|454) .*Relay access denied'

is "provostctl says the same, and its answer alone in its row" \
    "$(lab_provostctl policy test --recipient x@elsewhere.example --format csv --no-headers)" "$(printf 'answer,,,,DUNNO\r')"

# ------------------------------------------------------------- who may send --

like "people send under their own name" "$(lab_submit ada --from ada@example.org bob@example.org)" 'end 250 '
like "under an alias of theirs" "$(lab_submit ada --from info@example.org bob@example.org)" 'end 250 '
like "and under nobody else's" "$(lab_submit ada --from bob@example.org bob@example.org)" '553 5\.7\.1 '
like "the log says which rule it was" "$(cat "$LAB/log/policyd.log")" 'rejected: rule=sender_login .*login=ada@example.org sender=bob@example.org'

# -------------------------------------------------------------------- rates --

sent=$(lab_submit bob --from bob@example.org --times 7 ada@example.org)
is "five messages an hour are five" "$(echo "$sent" | grep -c ' 250 ')" 5
like "the sixth is refused for now" "$(echo "$sent" | tail -n 1)" 'last 450 4\.7\.1 '
like "a null sender does not help" "$(lab_submit bob --from '' ada@example.org)" '450 4\.7\.1 '
like "neither does another one" "$(lab_submit bob --from 'bob+x@example.org' ada@example.org)" '450 4\.7\.1 '
like "others go on" "$(lab_submit carol --from carol@example.org ada@example.org)" 'end 250 '
lab_sql "UPDATE mailbox SET rate_recipients = 3, rate_recipients_period = 3600 WHERE address = 'carol@example.org'"
# three RECIPIENT: one message of carol's to three people, and one more.
three() {
    lab_submit carol --from carol@example.org ada@example.org bob@example.org info@example.org "$@" | tr '\n' '|'
}
like "four recipients where three are allowed are refused at the end" "$(three team@example.org)" \
    'rcpt team@example.org 250 .*end 450 4\.7\.1 .*End-of-data rejected: Too many recipients'
like "and cost nothing: three are taken" "$(three)" 'end 250 '
like "then there is none left" "$(three)" 'rcpt ada@example.org 450 4\.7\.1 .*Too many recipients'
told() { [ "$(lab_sql "SELECT COUNT(*) FROM event WHERE address = 'bob@example.org' AND kind LIKE '%rate%'")" = 1 ]; }
wait_for 10 told
is "the first refusal is an event, the others are not" "$?" 0
like "a line says the numbers" "$(cat "$LAB/log/policyd.log")" 'deferred: rule=send_rate .*login=bob@example.org .*subject=bob@example.org .*numbers="?[^"]*5'

# ----------------------------------------------------------- something down --

# Postfix's maps have an account of their own: the service alone is locked out.
lab_sql "ALTER USER provost@localhost ACCOUNT LOCK"
for connection in $(lab_sql "SELECT id FROM information_schema.processlist WHERE user = 'provost'"); do
    lab_sql "KILL $connection" 2>/dev/null
done
is "while the service has no database, a rule that defers then has mail wait" \
    "$(lab_send bob@example.org)" "mail 250 2.1.0 Ok
rcpt bob@example.org 451 4.3.0 <bob@example.org>: Recipient address rejected: Temporary lookup failure"
like "which the log tells, with the rule" "$(cat "$LAB/log/policyd.log")" \
    'deferred, no answer: rule=tls_in .*recipient=bob@example.org '
sed -i 's/{ rule = "tls_in"; }/{ rule = "tls_in"; mode = "warn"; }/' "$LAB/provost.conf"
lab_signal policyd HUP
wait_for 5 grep -q reloaded "$LAB/log/policyd.log"
is "as shipped none does, and mail is taken" "$(lab_send bob@example.org | sed 's/queued as .*/queued/')" \
    "mail 250 2.1.0 Ok
rcpt bob@example.org 250 2.1.5 Ok
end 250 2.0.0 Ok: queued"
lab_mariadb_stop
is "without a database at all Postfix's own maps have it wait" \
    "$(lab_send bob@example.org)" "mail 250 2.1.0 Ok
rcpt bob@example.org 451 4.3.0 <bob@example.org>: Temporary lookup failure"
lab_mariadb_start
lab_done
