-- What the desk last knew of the appointments, so that an edit of the customers' files is recognised whenever it was made (R6, R31).

-- One row once the desk has looked for the first time: from then on what it finds otherwise is a change.
CREATE TABLE roll (
    one      BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    taken_us BIGINT NOT NULL -- when it last found a change, or first looked
) /*sqlite STRICT*/;

-- Every appointment, in the order of the files. It only mirrors the configuration; what changed when stands in `events`.
CREATE TABLE appointments (
    installation TEXT NOT NULL,   -- identifier of the installation
    place        BIGINT NOT NULL, -- its place among those of the installation, from 0
    customer     TEXT NOT NULL,   -- identifier of the customer
    role         TEXT NOT NULL,   -- primary, additional, contract (R7)
    name         TEXT NOT NULL,
    address      TEXT NOT NULL,   -- as it is written
    phone        TEXT,
    since        TEXT NOT NULL,   -- first day, 2026-11-23
    until        TEXT,            -- last day; none while it lasts
    PRIMARY KEY (installation, place)
) /*sqlite STRICT*/;

-- What happened to the desk itself, without a walk along the whole history.
CREATE INDEX events_of_desk ON events (seq) WHERE request_id IS NULL AND letter_id IS NULL;
