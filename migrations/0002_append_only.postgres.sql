-- The history is append only, and the database itself says so (R36): no entry is changed or removed, but for erasing what one says
-- (`data` and `salt` together), which the chain survives. SQLite has its own text of this, for its triggers are written differently.

CREATE FUNCTION events_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.data IS NULL AND NEW.salt IS NULL
            AND (NEW.seq, NEW.request_id, NEW.letter_id, NEW.letter_sha256, NEW.at_us, NEW.kind, NEW.commitment, NEW.prev_hash, NEW.hash)
                IS NOT DISTINCT FROM
                (OLD.seq, OLD.request_id, OLD.letter_id, OLD.letter_sha256, OLD.at_us, OLD.kind, OLD.commitment, OLD.prev_hash, OLD.hash)
        THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'the history is append only';
END
$$;

CREATE TRIGGER events_stay BEFORE UPDATE OR DELETE ON events FOR EACH ROW EXECUTE FUNCTION events_stay();
CREATE TRIGGER events_are_not_emptied BEFORE TRUNCATE ON events FOR EACH STATEMENT EXECUTE FUNCTION events_stay();

-- What is compressed already is stored as it is.
ALTER TABLE originals ALTER COLUMN raw SET STORAGE EXTERNAL;
ALTER TABLE outbox ALTER COLUMN bytes SET STORAGE EXTERNAL;
ALTER TABLE letters ALTER COLUMN explanation SET STORAGE EXTERNAL;
