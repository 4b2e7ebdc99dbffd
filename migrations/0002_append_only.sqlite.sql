-- The history is append only, and the database itself says so (R36): no entry is changed or removed, but for erasing what one says
-- (`data` and `salt` together), which the chain survives. PostgreSQL has its own text of this, for its triggers are written differently.

CREATE TRIGGER events_stay BEFORE UPDATE ON events
WHEN NOT (
    NEW.data IS NULL AND NEW.salt IS NULL
    AND NEW.seq = OLD.seq AND NEW.request_id IS OLD.request_id AND NEW.letter_id IS OLD.letter_id
    AND NEW.letter_sha256 IS OLD.letter_sha256 AND NEW.at_us = OLD.at_us AND NEW.kind = OLD.kind
    AND NEW.commitment = OLD.commitment AND NEW.prev_hash = OLD.prev_hash AND NEW.hash = OLD.hash
)
BEGIN
    SELECT RAISE(ABORT, 'the history is append only');
END;

CREATE TRIGGER events_are_not_removed BEFORE DELETE ON events
BEGIN
    SELECT RAISE(ABORT, 'the history is append only');
END;
