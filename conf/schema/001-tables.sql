-- oldest-program: 1
--
-- The tables of Provost. Every key is in a binary collation and holds the
-- canonical form; sizes are bytes, 0 is "no limit"; times are UTC. No foreign
-- keys, no triggers (HACKING, Decisions). A statement may run twice.

CREATE TABLE IF NOT EXISTS schema_version (
    version        INT UNSIGNED NOT NULL,
    oldest_program INT UNSIGNED NOT NULL COMMENT 'a program that knows no more than this version must not use the schema if it is smaller',
    applied        DATETIME NOT NULL,
    PRIMARY KEY (version)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS domain (
    name           VARCHAR(253) NOT NULL COMMENT 'A-label form',
    name_unicode   VARCHAR(253) NOT NULL COMMENT 'U-label form, the same where it is ASCII',
    active         TINYINT NOT NULL DEFAULT 1,
    max_mailboxes  BIGINT NOT NULL DEFAULT 0,
    quota          BIGINT NOT NULL DEFAULT 0 COMMENT 'limits the sum of what is allotted to mailboxes',
    max_quota      BIGINT NOT NULL DEFAULT 0 COMMENT 'of one mailbox',
    max_usage      BIGINT NOT NULL DEFAULT 0 COMMENT 'limits what is used; 0: as quota',
    max_aliases    BIGINT NOT NULL DEFAULT 0,
    mailboxes_used BIGINT NOT NULL DEFAULT 0,
    quota_allotted BIGINT NOT NULL DEFAULT 0,
    aliases_used   BIGINT NOT NULL DEFAULT 0 COMMENT 'aliases of kind directory and admin',
    created        DATETIME NOT NULL DEFAULT UTC_TIMESTAMP(),
    PRIMARY KEY (name),
    UNIQUE KEY name_unicode (name_unicode)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS alias_domain (
    name         VARCHAR(253) NOT NULL COMMENT 'A-label form; not also a domain',
    name_unicode VARCHAR(253) NOT NULL,
    target       VARCHAR(253) NOT NULL COMMENT 'domain.name',
    active       TINYINT NOT NULL DEFAULT 1,
    created      DATETIME NOT NULL DEFAULT UTC_TIMESTAMP(),
    PRIMARY KEY (name),
    UNIQUE KEY name_unicode (name_unicode),
    KEY target (target)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS mailbox (
    address                VARCHAR(320) NOT NULL,
    domain                 VARCHAR(253) NOT NULL,
    local_part             VARCHAR(64) NOT NULL,
    source                 ENUM('local', 'ldap') NOT NULL,
    directory              VARCHAR(128) NULL COMMENT 'name in provost.conf',
    directory_id           VARCHAR(255) NULL COMMENT 'immutable id; NULL: not yet adopted',
    password               VARCHAR(1024) NULL COMMENT 'local hash; kept while source is ldap',
    name                   VARCHAR(255) NOT NULL DEFAULT '',
    template               VARCHAR(128) NULL,
    fingerprint            VARCHAR(128) NULL COMMENT 'of what was applied',
    quota                  BIGINT NOT NULL DEFAULT 0,
    message_size           BIGINT NOT NULL DEFAULT 0,
    rate_messages          INT UNSIGNED NOT NULL DEFAULT 0,
    rate_messages_period   INT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'seconds',
    rate_recipients        INT UNSIGNED NOT NULL DEFAULT 0,
    rate_recipients_period INT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'seconds',
    smtp_access            TINYINT NOT NULL DEFAULT 1,
    imap_access            TINYINT NOT NULL DEFAULT 1,
    pop3_access            TINYINT NOT NULL DEFAULT 1,
    sieve_access           TINYINT NOT NULL DEFAULT 1,
    tls_enforce_in         TINYINT NOT NULL DEFAULT 0,
    tls_enforce_out        TINYINT NOT NULL DEFAULT 0,
    tags                   TEXT NOT NULL DEFAULT '' COMMENT 'comma separated, sorted',
    template_state         ENUM('active', 'nologin', 'off') NOT NULL DEFAULT 'active',
    directory_state        ENUM('present', 'disabled', 'missing') NOT NULL DEFAULT 'present',
    admin_state            ENUM('-', 'block_login', 'block_all') NOT NULL DEFAULT '-',
    pinned                 INT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'a bit for each setting an administrator fixed, in the order of enum account_setting',
    mail_path              VARCHAR(1024) NOT NULL COMMENT 'relative; set once',
    created                DATETIME NOT NULL DEFAULT UTC_TIMESTAMP(),
    modified               DATETIME NOT NULL DEFAULT UTC_TIMESTAMP(),
    PRIMARY KEY (address),
    UNIQUE KEY domain (domain, local_part),
    UNIQUE KEY directory (directory, directory_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Each mailbox has its self-alias, so that an address which is somebody's
-- alias cannot become a mailbox: the key says no.
CREATE TABLE IF NOT EXISTS alias (
    address    VARCHAR(320) NOT NULL,
    domain     VARCHAR(253) NOT NULL,
    local_part VARCHAR(64) NOT NULL,
    targets    TEXT NOT NULL COMMENT 'addresses, comma separated',
    kind       ENUM('self', 'directory', 'admin', 'rename') NOT NULL,
    owner      VARCHAR(320) NULL COMMENT 'mailbox.address',
    active     TINYINT NOT NULL DEFAULT 1,
    expires    DATETIME NULL,
    created    DATETIME NOT NULL DEFAULT UTC_TIMESTAMP(),
    PRIMARY KEY (address),
    UNIQUE KEY domain (domain, local_part),
    KEY owner (owner, kind)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS sender_acl (
    login      VARCHAR(320) NOT NULL COMMENT 'mailbox.address',
    sender     VARCHAR(320) NOT NULL COMMENT 'an address, or @domain for all of it',
    domain     VARCHAR(253) AS (SUBSTRING_INDEX(sender, '@', -1)) STORED,
    local_part VARCHAR(320) AS (LEFT(sender, CHAR_LENGTH(sender) - CHAR_LENGTH(SUBSTRING_INDEX(sender, '@', -1)) - 1)) STORED,
    created    DATETIME NOT NULL DEFAULT UTC_TIMESTAMP(),
    PRIMARY KEY (login, sender),
    KEY domain (domain, local_part)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS app_password (
    id       BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    address  VARCHAR(320) NOT NULL,
    name     VARCHAR(255) NOT NULL DEFAULT '',
    hash     VARCHAR(1024) NOT NULL,
    services INT UNSIGNED NOT NULL COMMENT 'bits: 1 smtp, 2 imap, 4 pop3, 8 sieve',
    active   TINYINT NOT NULL DEFAULT 1,
    expires  DATETIME NULL,
    created  DATETIME NOT NULL DEFAULT UTC_TIMESTAMP(),
    PRIMARY KEY (id),
    KEY address (address)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- As Dovecot's dict writes it; nobody else writes here but a rename.
CREATE TABLE IF NOT EXISTS quota2 (
    username VARCHAR(320) NOT NULL,
    bytes    BIGINT NOT NULL DEFAULT 0,
    messages BIGINT NOT NULL DEFAULT 0,
    domain   VARCHAR(253) AS (SUBSTRING_INDEX(username, '@', -1)) STORED,
    PRIMARY KEY (username),
    KEY domain (domain, bytes)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS event (
    id          BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    at          DATETIME NOT NULL,
    kind        VARCHAR(32) NOT NULL,
    who         VARCHAR(128) NOT NULL,
    address     VARCHAR(320) NULL,
    domain      VARCHAR(253) NULL,
    directory   VARCHAR(128) NULL,
    run         BIGINT UNSIGNED NULL COMMENT 'sync run',
    reason      VARCHAR(512) NULL,
    before_json MEDIUMTEXT NULL,
    after_json  MEDIUMTEXT NULL,
    token       CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'of the transaction that wrote it, so that none is written twice',
    PRIMARY KEY (id),
    KEY address (address, id),
    KEY domain (domain, id),
    KEY kind (kind, id),
    UNIQUE KEY token (token)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS last_login (
    address      VARCHAR(320) NOT NULL,
    service      VARCHAR(16) NOT NULL,
    at           DATETIME NOT NULL,
    client       VARCHAR(64) NOT NULL DEFAULT '',
    app_password BIGINT UNSIGNED NULL COMMENT 'NULL: the main password',
    PRIMARY KEY (address, service)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
