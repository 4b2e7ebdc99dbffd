-- Representatives change (R28-R32): a procedure of its own, tied to the request that asks for it.

-- How the procedure stands, as JSON; none for other requests. It follows from the request's history, like the status.
ALTER TABLE requests ADD COLUMN succession TEXT;
-- Whether the desk is to write the change into the customer's file (R30): 1 until that is done or known to be impossible.
ALTER TABLE requests ADD COLUMN to_write BIGINT NOT NULL DEFAULT 0;

CREATE INDEX requests_of_succession ON requests (customer) WHERE succession IS NOT NULL;
CREATE INDEX requests_to_write ON requests (id) WHERE to_write = 1;
-- What passes on when somebody leaves office (R31).
CREATE INDEX requests_by_installation ON requests (installation, status);
