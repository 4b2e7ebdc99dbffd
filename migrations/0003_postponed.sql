-- Letters whose decision waits because the DNS did not answer, and signatures by which a replay is known.

-- A letter that needs to know whether its sender's domain signed it is not decided on while the DNS is silent: it is tried again from this
-- moment on; none if it never waited.
ALTER TABLE letters ADD COLUMN not_before_us BIGINT;
-- How often its decision was put off.
ALTER TABLE letters ADD COLUMN postponed BIGINT NOT NULL DEFAULT 0;
-- The letters that wait for a moment.
CREATE INDEX letters_postponed ON letters (not_before_us) WHERE decided_us IS NULL AND not_before_us IS NOT NULL;

-- SHA-256 of domain, selector and signature of the DKIM signature that vouched for it (K4); none if none did, or none had to.
ALTER TABLE letters ADD COLUMN signature_key BYTEA;
CREATE INDEX letters_by_signature ON letters (signature_key) WHERE signature_key IS NOT NULL;
