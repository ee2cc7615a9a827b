-- Logs get a row of their own, which knows how much there is of each: what is
-- left out of a log that passes its limit, and what is pruned, is decided by it.
-- Lines are kept by the log's number instead of the deployment's long id.

CREATE TABLE logs (
    id          INTEGER NOT NULL PRIMARY KEY,
    deployment  TEXT    NOT NULL UNIQUE REFERENCES deployments (id) ON DELETE CASCADE,
    -- The number of the newest line; it never goes back.
    last        BIGINT  NOT NULL,
    -- Of the lines that are kept, with 32 for each line.
    bytes       BIGINT  NOT NULL,
    -- Lines of each output that were ever written.
    stdout      BIGINT  NOT NULL,
    stderr      BIGINT  NOT NULL,
    -- The lines after gap_after, to gap_through, were left out.
    gap_after   BIGINT,
    gap_through BIGINT
);

CREATE TABLE log_lines (
    log    INTEGER NOT NULL REFERENCES logs (id) ON DELETE CASCADE,
    number BIGINT  NOT NULL,
    at     BIGINT  NOT NULL,
    stream TEXT    NOT NULL,
    text   TEXT    NOT NULL,
    PRIMARY KEY (log, number)
);

INSERT INTO logs (deployment, last, bytes, stdout, stderr)
    SELECT deployment, MAX(number), SUM(LENGTH(CAST(text AS BLOB)) + 32),
           SUM(CASE stream WHEN 'stdout' THEN 1 ELSE 0 END),
           SUM(CASE stream WHEN 'stderr' THEN 1 ELSE 0 END)
    FROM log GROUP BY deployment;

INSERT INTO log_lines (log, number, at, stream, text)
    SELECT logs.id, log.number, log.at, log.stream, log.text
    FROM log JOIN logs ON logs.deployment = log.deployment
    ORDER BY logs.id, log.number;

DROP TABLE log;
