-- oldest-program: 1
--
-- What was sent in the present period, as provost-policyd's nodes keep it over
-- a restart and share it; and the rates of whole domains.

CREATE TABLE IF NOT EXISTS rate_usage (
    node    VARCHAR(64) NOT NULL COMMENT 'who counted; policy.node',
    kind    TINYINT UNSIGNED NOT NULL COMMENT '0 messages, 1 recipients of a mailbox; 2, 3 of a domain',
    subject VARCHAR(320) NOT NULL COMMENT 'mailbox.address or domain.name',
    period  INT UNSIGNED NOT NULL COMMENT 'seconds',
    bucket  BIGINT NOT NULL COMMENT 'UTC milliseconds / (period * 1000 / 32, rounded up)',
    count   INT UNSIGNED NOT NULL,
    batch   BIGINT UNSIGNED NOT NULL COMMENT 'of the node that wrote it, rising',
    expires BIGINT NOT NULL COMMENT 'seconds since 1970; counts nowhere afterwards',
    PRIMARY KEY (node, kind, subject, period, bucket),
    KEY batch (node, batch),
    KEY expires (expires)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

ALTER TABLE domain
    ADD COLUMN IF NOT EXISTS rate_messages INT UNSIGNED NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS rate_messages_period INT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'seconds',
    ADD COLUMN IF NOT EXISTS rate_recipients INT UNSIGNED NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS rate_recipients_period INT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'seconds';
