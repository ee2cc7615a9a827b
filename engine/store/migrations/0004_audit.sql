-- Who did what, from where. What is refused is counted apart from what was
-- done, so that strangers push out only each other.

CREATE TABLE audit (
    number  INTEGER NOT NULL PRIMARY KEY,
    at      BIGINT  NOT NULL,
    actor   TEXT    NOT NULL,
    action  TEXT    NOT NULL,
    app     TEXT,
    refused BOOLEAN NOT NULL,
    body    TEXT    NOT NULL
);
CREATE INDEX audit_of_share ON audit (refused, number);
CREATE INDEX audit_of_time ON audit (at);
