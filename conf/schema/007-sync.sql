-- oldest-program: 1
--
-- provost-sync: who may run, what was read when, what is known of people
-- beside their mailbox, and a row for each run. A mailbox whose person left
-- long ago is "gone": mail for it is refused too.

ALTER TABLE mailbox
    MODIFY COLUMN directory_state ENUM('present', 'disabled', 'missing', 'gone') NOT NULL DEFAULT 'present',
    ADD COLUMN IF NOT EXISTS sync_print BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'of the entry, and of the fingerprint it led to; 0: look again';

CREATE TABLE IF NOT EXISTS lease (
    name   VARCHAR(160) NOT NULL COMMENT 'sync/ and the directory',
    epoch  BIGINT UNSIGNED NOT NULL COMMENT 'rises with each holder: an earlier one writes nothing any more',
    holder VARCHAR(255) NOT NULL COMMENT 'host and process; empty: free',
    until  DATETIME(3) NOT NULL,
    PRIMARY KEY (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS sync_directory (
    directory  VARCHAR(128) NOT NULL,
    started    DATETIME NULL COMMENT 'of the last run that read everybody',
    accepted   VARCHAR(64) NOT NULL DEFAULT '' COMMENT 'digest of the settings under which removals are allowed',
    store_made VARCHAR(128) NOT NULL DEFAULT '' COMMENT 'which server made table lease, and when: another after a restore',
    cookie     TEXT NULL COMMENT 'where --changes goes on',
    cookie_for VARCHAR(64) NOT NULL DEFAULT '' COMMENT 'digest of what the cookie holds for',
    PRIMARY KEY (directory)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Only people with something to remember; of most of them there is no row.
CREATE TABLE IF NOT EXISTS sync_person (
    directory     VARCHAR(128) NOT NULL,
    directory_id  VARCHAR(255) NOT NULL COMMENT 'immutable id, or "dn/" and a digest of the DN',
    domain        VARCHAR(253) NOT NULL DEFAULT '',
    print         BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'of the entry that problem is about',
    problem       VARCHAR(64) NOT NULL DEFAULT '' COMMENT 'what was told already',
    missing_runs  INT UNSIGNED NOT NULL DEFAULT 0,
    missing_since DATETIME NULL,
    removed       DATETIME NULL COMMENT 'suspended or disabled by a run: counts for a day',
    PRIMARY KEY (directory, directory_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS sync_run (
    id        BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    directory VARCHAR(128) NOT NULL,
    kind      ENUM('full', 'changes', 'follow') NOT NULL,
    host      VARCHAR(255) NOT NULL,
    started   DATETIME NOT NULL,
    finished  DATETIME NULL COMMENT 'NULL: at work, or killed',
    exit_code INT NULL,
    seen      BIGINT UNSIGNED NOT NULL DEFAULT 0,
    created   BIGINT UNSIGNED NOT NULL DEFAULT 0,
    changed   BIGINT UNSIGNED NOT NULL DEFAULT 0,
    renamed   BIGINT UNSIGNED NOT NULL DEFAULT 0,
    suspended BIGINT UNSIGNED NOT NULL DEFAULT 0,
    refused   BIGINT UNSIGNED NOT NULL DEFAULT 0,
    unchanged BIGINT UNSIGNED NOT NULL DEFAULT 0,
    skipped   BIGINT UNSIGNED NOT NULL DEFAULT 0,
    withheld  BIGINT UNSIGNED NOT NULL DEFAULT 0,
    ms        BIGINT UNSIGNED NOT NULL DEFAULT 0,
    reason    VARCHAR(512) NULL COMMENT 'why removals were withheld, or what failed',
    plan      MEDIUMTEXT NULL COMMENT 'the removals withheld, a line each',
    PRIMARY KEY (id),
    KEY directory (directory, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

ALTER TABLE alias
    ADD KEY IF NOT EXISTS expires (expires);

ALTER TABLE event
    ADD KEY IF NOT EXISTS run (run, id);

CREATE OR REPLACE VIEW mailbox_open AS
    SELECT address, domain, local_part, mail_path, quota, message_size,
           tls_enforce_in, tls_enforce_out
      FROM mailbox
     WHERE template_state <> 'off' AND admin_state <> 'block_all'
       AND directory_state <> 'gone';
