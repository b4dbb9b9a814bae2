-- oldest-program: 1
--
-- Attempts to log in that were not let in, of each person the last few. The
-- place of a row is worked out from its reason and client, so that guessing
-- fills the places of wrong passwords and no more: 32 rows a person.

CREATE TABLE IF NOT EXISTS attempt (
    address  VARCHAR(320) NOT NULL,
    place    TINYINT UNSIGNED NOT NULL,
    result   VARCHAR(16) NOT NULL COMMENT 'wrong, refused, temporary',
    reason   VARCHAR(64) NOT NULL,
    service  VARCHAR(16) NOT NULL,
    client   VARCHAR(64) NOT NULL DEFAULT '',
    times    INT UNSIGNED NOT NULL,
    first_at DATETIME NOT NULL,
    last_at  DATETIME NOT NULL,
    PRIMARY KEY (address, place),
    KEY last_at (last_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
