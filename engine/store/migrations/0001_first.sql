-- The first schema. What is searched has a column, the rest of an entity is
-- JSON beside it. Words that both SQLite and PostgreSQL know, except BLOB.
-- Times are nanoseconds since 1970 in UTC.

CREATE TABLE apps (
    name TEXT NOT NULL PRIMARY KEY,
    body TEXT NOT NULL
);

CREATE TABLE environments (
    app  TEXT NOT NULL REFERENCES apps (name) ON DELETE CASCADE,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (app, name)
);

-- A domain belongs to one environment.
CREATE TABLE domains (
    domain      TEXT NOT NULL PRIMARY KEY,
    app         TEXT NOT NULL,
    environment TEXT NOT NULL,
    FOREIGN KEY (app, environment) REFERENCES environments (app, name) ON DELETE CASCADE
);
CREATE INDEX domains_of_environment ON domains (app, environment);

-- Deployments as they look from outside, in step with their journals. Ids are
-- UUIDv7, so their order is the order in time.
CREATE TABLE deployments (
    id              TEXT   NOT NULL PRIMARY KEY,
    app             TEXT   NOT NULL,
    environment     TEXT   NOT NULL,
    idempotency_key TEXT,
    ended_at        BIGINT,
    body            TEXT   NOT NULL,
    UNIQUE (app, environment, idempotency_key),
    FOREIGN KEY (app, environment) REFERENCES environments (app, name) ON DELETE CASCADE
);
CREATE INDEX deployments_of_environment ON deployments (app, environment, id);
CREATE INDEX deployments_of_app ON deployments (app, id);
CREATE INDEX deployments_unfinished ON deployments (id) WHERE ended_at IS NULL;

CREATE TABLE journal (
    deployment TEXT   NOT NULL REFERENCES deployments (id) ON DELETE CASCADE,
    sequence   BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    kind       TEXT   NOT NULL,
    body       TEXT   NOT NULL,
    PRIMARY KEY (deployment, sequence)
);

CREATE TABLE log (
    deployment TEXT   NOT NULL REFERENCES deployments (id) ON DELETE CASCADE,
    number     BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    stream     TEXT   NOT NULL,
    text       TEXT   NOT NULL,
    PRIMARY KEY (deployment, number)
);

-- What the newest switch of an environment's journals says.
CREATE TABLE serving (
    app         TEXT NOT NULL,
    environment TEXT NOT NULL,
    body        TEXT NOT NULL,
    PRIMARY KEY (app, environment),
    FOREIGN KEY (app, environment) REFERENCES environments (app, name) ON DELETE CASCADE
);

-- Outlives its environment: a generation number is never given twice, not even
-- when an environment is deleted and made again under the same name.
CREATE TABLE leases (
    app         TEXT   NOT NULL,
    environment TEXT   NOT NULL,
    generation  BIGINT NOT NULL,
    holder      TEXT,
    expires_at  BIGINT NOT NULL,
    PRIMARY KEY (app, environment)
);

CREATE TABLE components (
    digest TEXT NOT NULL PRIMARY KEY,
    bytes  BLOB NOT NULL
);

CREATE TABLE plugins (
    name   TEXT NOT NULL PRIMARY KEY,
    digest TEXT NOT NULL REFERENCES components (digest),
    body   TEXT NOT NULL
);
CREATE INDEX plugins_of_component ON plugins (digest);

CREATE TABLE tokens (
    name         TEXT NOT NULL PRIMARY KEY,
    digest       TEXT NOT NULL UNIQUE,
    last_used_at BIGINT,
    body         TEXT NOT NULL
);
