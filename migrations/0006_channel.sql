-- Requests that do not come by mail (R4, R41).

-- By which way it came: mail, phone, messenger, in-person.
ALTER TABLE requests ADD COLUMN channel TEXT NOT NULL DEFAULT 'mail';
