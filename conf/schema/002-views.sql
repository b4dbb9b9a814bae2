-- oldest-program: 1
--
-- What Postfix and Dovecot ask for, so that their map files are one line of
-- SQL. `asked` is a domain in any form a client may send: A-label, U-label, or
-- an alias domain in either. The views run with the rights of who made them,
-- so that Postfix's and Dovecot's accounts need SELECT on these views alone and
-- never read a hash.

CREATE OR REPLACE VIEW domain_asked AS
    SELECT name AS asked, name AS domain
      FROM domain WHERE active = 1
    UNION ALL
    SELECT name_unicode, name
      FROM domain WHERE active = 1 AND name_unicode <> name
    UNION ALL
    SELECT a.name, d.name
      FROM alias_domain a JOIN domain d ON d.name = a.target
     WHERE a.active = 1 AND d.active = 1
    UNION ALL
    SELECT a.name_unicode, d.name
      FROM alias_domain a JOIN domain d ON d.name = a.target
     WHERE a.active = 1 AND d.active = 1 AND a.name_unicode <> a.name;

-- Mailboxes that accept mail, whatever their login says.
CREATE OR REPLACE VIEW mailbox_open AS
    SELECT address, domain, local_part, mail_path, quota, message_size,
           tls_enforce_in, tls_enforce_out
      FROM mailbox
     WHERE template_state <> 'off' AND admin_state <> 'block_all';

-- virtual_mailbox_domains
CREATE OR REPLACE VIEW postfix_domain AS
    SELECT asked, domain FROM domain_asked;

-- virtual_mailbox_maps
CREATE OR REPLACE VIEW postfix_mailbox AS
    SELECT n.asked, m.local_part, m.address, m.mail_path
      FROM domain_asked n JOIN mailbox_open m ON m.domain = n.domain;

-- virtual_alias_maps: an alias of a mailbox that accepts no mail is none.
CREATE OR REPLACE VIEW postfix_alias AS
    SELECT n.asked, a.local_part, a.address, a.targets
      FROM domain_asked n
      JOIN alias a ON a.domain = n.domain
      LEFT JOIN mailbox_open m ON m.address = a.owner
     WHERE a.active = 1
       AND (a.expires IS NULL OR a.expires > UTC_TIMESTAMP())
       AND (a.owner IS NULL OR m.address IS NOT NULL);

-- smtpd_sender_login_maps: who gets the mail of an address may send with it,
-- and who was given the address, or '' (all) of its domain.
CREATE OR REPLACE VIEW postfix_sender_login AS
    SELECT n.asked, a.local_part, a.targets AS login
      FROM domain_asked n JOIN alias a ON a.domain = n.domain
     WHERE a.active = 1
       AND (a.expires IS NULL OR a.expires > UTC_TIMESTAMP())
    UNION ALL
    SELECT n.asked, s.local_part, s.login
      FROM domain_asked n JOIN sender_acl s ON s.domain = n.domain;

-- The mailbox whose TLS rules count for an address: the owner of the alias, or
-- its one target.
CREATE OR REPLACE VIEW postfix_tls AS
    SELECT n.asked, a.local_part, m.address,
           m.tls_enforce_in, m.tls_enforce_out
      FROM domain_asked n
      JOIN alias a ON a.domain = n.domain
      JOIN mailbox_open m ON m.address = COALESCE(a.owner, a.targets)
     WHERE a.active = 1
       AND (a.expires IS NULL OR a.expires > UTC_TIMESTAMP());

-- Dovecot's userdb; quota 0 is unlimited, as Dovecot has it.
CREATE OR REPLACE VIEW dovecot_user AS
    SELECT n.asked, m.local_part, m.address AS user, m.domain, m.mail_path,
           CONCAT('*:bytes=', m.quota) AS quota_rule
      FROM domain_asked n JOIN mailbox_open m ON m.domain = n.domain;

-- Dovecot's iterate_query: each mailbox once, by its own name.
CREATE OR REPLACE VIEW dovecot_users AS
    SELECT m.address AS user, m.local_part AS username, m.domain
      FROM mailbox_open m JOIN domain d ON d.name = m.domain
     WHERE d.active = 1;
