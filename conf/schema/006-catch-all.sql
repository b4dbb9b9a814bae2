-- oldest-program: 1
--
-- A catch-all ('' in alias.local_part) gets the mail of an address that is
-- none, and gives nobody the right to send with all of its domain.

CREATE OR REPLACE VIEW postfix_sender_login AS
    SELECT n.asked, a.local_part, a.targets AS login
      FROM domain_asked n JOIN alias a ON a.domain = n.domain
     WHERE a.active = 1
       AND a.local_part <> ''
       AND (a.expires IS NULL OR a.expires > UTC_TIMESTAMP())
    UNION ALL
    SELECT n.asked, s.local_part, s.login
      FROM domain_asked n JOIN sender_acl s ON s.domain = n.domain;
