-- The desk's memory, first version. Read from top to bottom: what came in, what it is about, what went out, and the proof.
--
-- One text serves SQLite and PostgreSQL. Marks of the form /*sqlite … */ are live on SQLite only; BIGINT and BYTEA become INTEGER and
-- BLOB there (STRICT tables know no others). Every moment (…_us) is in microseconds since 1970 in UTC; every flag is 0 or 1; ids are
-- given by the program. A column's meaning never changes; a new meaning is a new column in a new migration.

-- ── What it is about ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

-- One row for each request, as it stands now. How it came to stand so is in `events`.
CREATE TABLE requests (
    id               BIGINT NOT NULL PRIMARY KEY, -- the store's own name, given before there is a number
    number_year      BIGINT,                      -- the desk's year of its number (R17); none while it is queued (R16)
    number_count     BIGINT,                      -- the count within that year, from 1, without gaps
    customer         TEXT,                        -- identifier of the customer; none for a stranger at an open desk (R12)
    installation     TEXT,                        -- identifier of the installation; none while it is asked for (R8)
    requester        TEXT NOT NULL,               -- the address it came from; answers go there (R14)
    requester_name   TEXT NOT NULL,               -- their name
    requester_key    TEXT,                        -- comparison key of the sender who opened it; limits count by it (R48)
    locale           TEXT NOT NULL,               -- language the requester is written to: ru, en
    kind             TEXT NOT NULL,               -- order, question (R9)
    type             TEXT NOT NULL,               -- support, fault, improvement (R25)
    subject          TEXT NOT NULL,               -- subject of the letter that opened it, without reply prefixes
    message_id       TEXT,                        -- Message-ID of that letter, without brackets
    arrived_us       BIGINT NOT NULL,             -- when that letter arrived (R2)
    opens_us         BIGINT NOT NULL,             -- the moment of registration that R16 gives
    registration_day TEXT NOT NULL,               -- the working day of registration, 2026-11-23 (R18)
    status           TEXT NOT NULL,               -- in-progress, with-developer, awaiting-information, resolved, closed (R22)
    due_us           BIGINT,                      -- when the answer is due (R18); none while it has no number
    acknowledged     BIGINT NOT NULL,             -- 1 if the requester is written to by themselves (R46, S37)
    vouched          TEXT NOT NULL,               -- how sure the desk was of the requester: none, weak, domain, challenged, signed (R13)
    quiet            BIGINT NOT NULL,             -- 1 if it was opened past a limit: nobody is told of it by itself (R48)
    created_us       BIGINT NOT NULL,             -- when this row was written
    UNIQUE (number_year, number_count),
    CHECK ((number_year IS NULL) = (number_count IS NULL))
) /*sqlite STRICT*/;
-- Queued requests, by the moment at which they open.
CREATE INDEX requests_queued ON requests (opens_us) WHERE number_count IS NULL;
-- How many requests an address opened lately (R48).
CREATE INDEX requests_by_requester ON requests (requester_key, created_us);

-- What a request waits for from somebody outside (R8, R10, R13). Settled rows stay.
CREATE TABLE pendings (
    id         BIGINT NOT NULL PRIMARY KEY,
    request_id BIGINT NOT NULL REFERENCES requests (id),
    kind       TEXT NOT NULL,   -- primary-confirmation, challenge, which-installation
    party      TEXT NOT NULL,   -- the address whose reply settles it
    lapses_us  BIGINT NOT NULL, -- when it lapses
    created_us BIGINT NOT NULL, -- when the desk began to wait
    outcome    TEXT,            -- confirmed, declined, lapsed, superseded; none while it waits
    settled_us BIGINT           -- when it was settled; none while it waits
) /*sqlite STRICT*/;
CREATE INDEX pendings_of_request ON pendings (request_id);
CREATE INDEX pendings_waiting ON pendings (lapses_us, id) WHERE settled_us IS NULL;

-- ── What came in ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

-- One row for each letter with bytes of its own (K2), however often and wherever it was seen.
CREATE TABLE letters (
    id          BIGINT NOT NULL PRIMARY KEY,
    mailbox     TEXT NOT NULL,          -- the mailbox it was first seen in
    arrived_us  BIGINT NOT NULL,        -- when it arrived there (INTERNALDATE, R2)
    kept_us     BIGINT NOT NULL,        -- when the desk kept it
    size        BIGINT NOT NULL,        -- octets of the original as kept
    oversize    BIGINT,                 -- octets on the server, if the desk kept only the beginning
    sha256      BYTEA NOT NULL UNIQUE,  -- of the original as kept
    attempts    BIGINT NOT NULL,        -- how often reading it was begun; counted before each attempt
    decided_us  BIGINT,                 -- when it was decided on; none while it waits
    verdict     TEXT,                   -- what became of it, one word (R1); none while it waits
    request_id  BIGINT REFERENCES requests (id), -- the request it opened or was entered in
    message_id  TEXT,                   -- its Message-ID, without brackets; known once it was read
    content_key BYTEA,                  -- the identity that survives another path (K3); known once it was read
    sender_key  TEXT,                   -- comparison key of its sender; known once it was read
    assurance   TEXT,                   -- how sure the desk is of that sender, as in requests.vouched; none while it waits
    explanation BYTEA                   -- what `explain --json` printed at the decision, zstd
) /*sqlite STRICT*/;
CREATE INDEX letters_waiting ON letters (arrived_us, id) WHERE decided_us IS NULL;
CREATE INDEX letters_by_message_id ON letters (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX letters_by_content ON letters (content_key) WHERE content_key IS NOT NULL;
CREATE INDEX letters_of_request ON letters (request_id) WHERE request_id IS NOT NULL;

-- The letters' bytes, apart from `letters` so that a decision does not rewrite them.
CREATE TABLE originals (
    letter_id BIGINT NOT NULL PRIMARY KEY REFERENCES letters (id),
    raw       BYTEA NOT NULL -- zstd
) /*sqlite STRICT*/;

-- Everywhere a letter was seen (K1). The ledger that decides whether something on a server is new; never deleted from.
CREATE TABLE locations (
    mailbox     TEXT NOT NULL,   -- the mailbox's name in the configuration
    uidvalidity BIGINT NOT NULL, -- UIDVALIDITY of the folder; 0 for a Maildir
    uid         BIGINT NOT NULL, -- UID under it; for a Maildir a number made from the unique name
    letter_id   BIGINT NOT NULL REFERENCES letters (id),
    arrived_us  BIGINT NOT NULL, -- when it arrived in this place
    PRIMARY KEY (mailbox, uidvalidity, uid)
) /*sqlite STRICT, WITHOUT ROWID*/;
CREATE INDEX locations_of_letter ON locations (letter_id);

-- How far each mailbox has been read: every UID up to `uid` is accounted for.
CREATE TABLE cursors (
    mailbox     TEXT NOT NULL PRIMARY KEY,
    uidvalidity BIGINT NOT NULL,
    uid         BIGINT NOT NULL,
    since_us    BIGINT,                          -- messages from before are not the desk's; none if all are
    polled_us   BIGINT                           -- when it was last read to its end; none until it once was
) /*sqlite STRICT*/;

-- ── What goes out ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────

-- One row for each letter of the desk and recipient: bytes and Message-ID are fixed when the row is written.
CREATE TABLE outbox (
    id            BIGINT NOT NULL PRIMARY KEY,
    request_id    BIGINT REFERENCES requests (id), -- the request it is about
    pending_id    BIGINT REFERENCES pendings (id), -- what a reply to it settles
    recipient     TEXT NOT NULL,
    recipient_key TEXT NOT NULL,        -- comparison key of that address
    template      TEXT NOT NULL,        -- which wording
    refusal       BIGINT NOT NULL,      -- counts against R12's one refusal a day
    internal      BIGINT NOT NULL,      -- for the desk's own people (P6)
    about_failure BIGINT NOT NULL,      -- about an undelivered letter: if it fails too, that is only logged
    subject       TEXT NOT NULL,
    message_id    TEXT NOT NULL UNIQUE, -- without brackets
    bytes         BYTEA NOT NULL,       -- exactly what is sent, zstd
    created_us    BIGINT NOT NULL,      -- when it was written
    state         TEXT NOT NULL,        -- pending, sending, deferred, sent, failed
    due_us        BIGINT,               -- when the next attempt is due; none unless pending or deferred
    attempts      BIGINT NOT NULL,      -- counted and committed before each attempt
    unknowns      BIGINT NOT NULL,      -- attempts whose connection was lost after the final dot: it may have arrived
    answer        TEXT,                 -- the last answer of the server, or why there was none
    settled_us    BIGINT,               -- when it was sent or given up
    cause_key     TEXT,                 -- comparison key of the sender whose letter caused it; limits count by it (R12, R48)
    cause_vouched BIGINT                -- 1 if that sender was authenticated: what forgers cause counts against forgers
) /*sqlite STRICT*/;
CREATE INDEX outbox_due ON outbox (due_us, id) WHERE due_us IS NOT NULL;
CREATE INDEX outbox_claimed ON outbox (id) WHERE state = 'sending';
-- How many letters a sender caused lately (R12, R48), and how often the specialists were alarmed.
CREATE INDEX outbox_by_cause ON outbox (cause_key, created_us);
CREATE INDEX outbox_alerts ON outbox (created_us) WHERE template = 'specialist-alert';
CREATE INDEX outbox_of_request ON outbox (request_id);

-- ── The proof ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

-- The history, one chain over everything (R24, R36). Append only; `data` and `salt` may be erased together, and the chain still holds:
-- hash = SHA-256(previous hash, seq, moment, kind, request, letter, its SHA-256, commitment), commitment = HMAC-SHA-256(salt, data).
CREATE TABLE events (
    seq           BIGINT NOT NULL PRIMARY KEY, -- from 1, without gaps
    request_id    BIGINT REFERENCES requests (id), -- whose history it belongs to
    letter_id     BIGINT REFERENCES letters (id),  -- the letter that caused it
    letter_sha256 BYTEA,          -- SHA-256 of that letter's original
    at_us         BIGINT NOT NULL,
    kind          TEXT NOT NULL,  -- the event's word; for a letter without event the verdict's
    data          TEXT,           -- what it says, JSON; none once erased
    salt          BYTEA,          -- 16 random octets; none once erased
    commitment    BYTEA NOT NULL,
    prev_hash     BYTEA NOT NULL, -- the hash of the entry before it
    hash          BYTEA NOT NULL,
    CHECK ((data IS NULL) = (salt IS NULL))
) /*sqlite STRICT*/;
CREATE INDEX events_of_request ON events (request_id, seq);
-- With `seq`, or PostgreSQL looks for a letter's first entry along the whole chain.
CREATE INDEX events_of_letter ON events (letter_id, seq) WHERE letter_id IS NOT NULL;

-- The last number given in each year (R17).
CREATE TABLE numbers (
    year BIGINT NOT NULL PRIMARY KEY,
    last BIGINT NOT NULL
) /*sqlite STRICT*/;

-- One row. Locking it is the desk's one write lock: whoever holds it decides and numbers.
CREATE TABLE ledger (
    one          BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    next_request BIGINT NOT NULL,
    next_pending BIGINT NOT NULL,
    next_outbox  BIGINT NOT NULL,
    next_seq     BIGINT NOT NULL,
    head         BYTEA NOT NULL, -- hash of the last entry in `events`; at first made from `instance`
    instance     BYTEA NOT NULL  -- 16 random octets that tell this database from every other
) /*sqlite STRICT*/;

-- One row, apart from `ledger` so that keeping letters never waits for a decision. Locking it keeps two keepers apart.
CREATE TABLE keeping (
    one         BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    next_letter BIGINT NOT NULL
) /*sqlite STRICT*/;
INSERT INTO keeping (one, next_letter) VALUES (1, 1);

-- One row: each new active daemon raises the fence, and one that holds an older value can no longer decide or send.
CREATE TABLE lease (
    one    BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    fence  BIGINT NOT NULL,
    holder TEXT NOT NULL -- the process that raised it last, for people
) /*sqlite STRICT*/;
INSERT INTO lease (one, fence, holder) VALUES (1, 0, '');
