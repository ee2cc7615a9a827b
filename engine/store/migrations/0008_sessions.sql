-- Who is signed in to the console. Rows go when their time is over.

CREATE TABLE sessions (
    digest     TEXT   NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL,
    body       TEXT   NOT NULL
);
CREATE INDEX sessions_by_end ON sessions (expires_at);
