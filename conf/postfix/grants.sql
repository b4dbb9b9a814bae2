-- grants.sql - Postfix reads these views, and nothing else
-- SPDX-License-Identifier: BSD-2-Clause
--
-- Run by an administrator of the database, after provostctl db migrate:
--   mariadb provost < grants.sql
CREATE USER IF NOT EXISTS postfix@localhost IDENTIFIED VIA unix_socket;
GRANT SELECT ON postfix_domain TO postfix@localhost;
GRANT SELECT ON postfix_mailbox TO postfix@localhost;
GRANT SELECT ON postfix_alias TO postfix@localhost;
GRANT SELECT ON postfix_sender_login TO postfix@localhost;
GRANT SELECT ON postfix_tls TO postfix@localhost;
