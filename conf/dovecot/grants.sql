-- grants.sql - Dovecot reads its views, and counts in quota2
-- SPDX-License-Identifier: BSD-2-Clause
--
-- Run by an administrator of the database, after provostctl db migrate:
--   mariadb provost < grants.sql
CREATE USER IF NOT EXISTS dovecot@localhost IDENTIFIED VIA unix_socket;
GRANT SELECT ON dovecot_user TO dovecot@localhost;
GRANT SELECT ON dovecot_users TO dovecot@localhost;
GRANT SELECT, INSERT, UPDATE, DELETE ON quota2 TO dovecot@localhost;
