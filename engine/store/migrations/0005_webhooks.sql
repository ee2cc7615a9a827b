-- Webhooks of Git hosts, and which of their deliveries were seen: by the id
-- that came with each, and by what the host had signed.

CREATE TABLE webhooks (
    id   TEXT NOT NULL PRIMARY KEY,
    app  TEXT NOT NULL REFERENCES apps (name) ON DELETE CASCADE,
    body TEXT NOT NULL
);
CREATE INDEX webhooks_of_app ON webhooks (app, id);

CREATE TABLE deliveries (
    number   INTEGER NOT NULL PRIMARY KEY,
    webhook  TEXT    NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    delivery TEXT    NOT NULL,
    digest   TEXT    NOT NULL,
    at       BIGINT  NOT NULL,
    UNIQUE (webhook, delivery)
);
CREATE INDEX deliveries_by_digest ON deliveries (webhook, digest);
CREATE INDEX deliveries_in_order ON deliveries (webhook, number);
