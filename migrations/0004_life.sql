-- How requests go on by themselves: their clocks (R19, R20), what time brings to them (R21, R22), and reminders (R10, R26).

-- How the clock ran and what was told of that, JSON: {"since":…,"turns":[[moment,"stopped"|"resumed"|days],…],"warned":…,"overdue":…,
-- "reminded":…,"ending":…}; moments in microseconds, what is none is left out. Made again at any time from `events`.
ALTER TABLE requests ADD COLUMN course TEXT NOT NULL DEFAULT '{}';
-- When it next needs looking at; none if time alone brings nothing more.
ALTER TABLE requests ADD COLUMN wakes_us BIGINT;
CREATE INDEX requests_waking ON requests (wakes_us, id) WHERE wakes_us IS NOT NULL;
-- The number of the closed request that it goes on from (R23).
ALTER TABLE requests ADD COLUMN continues_year BIGINT;
ALTER TABLE requests ADD COLUMN continues_count BIGINT;

-- When its party is reminded next; none if not.
ALTER TABLE pendings ADD COLUMN remind_us BIGINT;
-- The working days that an extension asks for (R20).
ALTER TABLE pendings ADD COLUMN days BIGINT;
CREATE INDEX pendings_reminding ON pendings (remind_us, id) WHERE settled_us IS NULL AND remind_us IS NOT NULL;
