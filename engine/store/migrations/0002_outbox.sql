-- What notifiers are still to be told. The journal is what is told: a
-- notifier's place in it is here, and what comes after that place is due at
-- due_at. NULL: all is told, or it was given up.

CREATE TABLE outbox (
    deployment TEXT   NOT NULL REFERENCES deployments (id) ON DELETE CASCADE,
    notifier   TEXT   NOT NULL,
    delivered  BIGINT NOT NULL,
    attempts   BIGINT NOT NULL,
    due_at     BIGINT,
    PRIMARY KEY (deployment, notifier)
);
CREATE INDEX outbox_due ON outbox (due_at) WHERE due_at IS NOT NULL;
