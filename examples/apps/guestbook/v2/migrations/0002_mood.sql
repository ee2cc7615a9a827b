-- A default, so that version 1 can go on writing entries while version 2 is being proven.
ALTER TABLE entry ADD COLUMN mood TEXT NOT NULL DEFAULT '';
