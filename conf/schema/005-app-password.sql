-- oldest-program: 1
--
-- When each app password was used last; last_login has the newest of a service
-- alone.

ALTER TABLE app_password
    ADD COLUMN IF NOT EXISTS last_used    DATETIME NULL COMMENT 'NULL: never',
    ADD COLUMN IF NOT EXISTS last_service VARCHAR(16) NULL,
    ADD COLUMN IF NOT EXISTS last_client  VARCHAR(64) NULL;
