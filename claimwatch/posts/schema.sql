-- The tables of the posts store. Times are whole microseconds since 1970 UTC, days ISO dates, "" means none where a
-- column may not be null. fold() is claimwatch.text.fold, given to every connection that writes.

CREATE TABLE posts (
  number INTEGER PRIMARY KEY, -- grows with every post met: number descending is newest met first
  id TEXT NOT NULL UNIQUE,
  source TEXT NOT NULL,
  platform TEXT NOT NULL,
  created_at INTEGER,
  collected_at INTEGER NOT NULL,
  first_seen INTEGER NOT NULL,
  day TEXT NOT NULL,
  language TEXT NOT NULL,
  title TEXT NOT NULL,
  text TEXT NOT NULL,
  text_hash TEXT NOT NULL,
  author_key TEXT NOT NULL,
  url TEXT,
  sealed_url TEXT,
  edited_at INTEGER,
  reply_to TEXT,
  repost_of TEXT,
  state TEXT NOT NULL,
  "group" TEXT,
  bands TEXT NOT NULL, -- with a space between
  slot INTEGER NOT NULL,
  expires_at INTEGER,
  -- What follows from the other tables, kept here so that no count and no search joins them.
  model TEXT NOT NULL DEFAULT '', -- the last to assess the present text
  flag INTEGER NOT NULL DEFAULT 0,
  claim TEXT NOT NULL DEFAULT '',
  stance TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL DEFAULT 'new',
  engagement INTEGER NOT NULL DEFAULT 0,
  batch INTEGER -- of the purge that will delete it
);
CREATE INDEX posts_unseen ON posts (id, slot) WHERE model = '' AND state <> 'deleted';
CREATE INDEX posts_model ON posts (model, collected_at, slot, id) WHERE model <> '';
CREATE INDEX posts_unplaced ON posts (collected_at, id, slot)
  WHERE "group" IS NULL AND model <> '' AND state <> 'deleted';
CREATE INDEX posts_group ON posts ("group", collected_at, id) WHERE "group" IS NOT NULL;
CREATE INDEX posts_text ON posts (text_hash);
CREATE INDEX posts_expiry ON posts (expires_at) WHERE batch IS NULL AND expires_at IS NOT NULL;
CREATE INDEX posts_gone ON posts (expires_at) WHERE state = 'deleted';
CREATE INDEX posts_batch ON posts (batch, day) WHERE batch IS NOT NULL;
CREATE INDEX posts_language ON posts (language);
CREATE INDEX posts_source ON posts (source);
CREATE INDEX posts_claim ON posts (claim) WHERE claim <> '';
CREATE INDEX posts_flag ON posts (flag) WHERE flag = 1;
CREATE INDEX posts_flagged ON posts (flag, language, source, claim, "group") WHERE flag = 1;
CREATE INDEX posts_repeats ON posts (day, claim, first_seen, author_key)
  WHERE stance = 'repeats' AND claim <> '' AND state <> 'deleted' AND status IN ('flagged', 'decided');

-- The last write of each source to each post, so that a repeated page gives the same outcomes.
CREATE TABLE writes (
  post INTEGER NOT NULL REFERENCES posts ON DELETE CASCADE,
  source TEXT NOT NULL,
  token TEXT NOT NULL,
  outcome TEXT NOT NULL,
  PRIMARY KEY (post, source)
) WITHOUT ROWID;

CREATE TABLE tombstones (id TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX tombstones_at ON tombstones (at);

CREATE TABLE observations (
  post INTEGER NOT NULL REFERENCES posts ON DELETE CASCADE,
  source TEXT NOT NULL,
  at INTEGER NOT NULL,
  likes INTEGER,
  shares INTEGER,
  replies INTEGER,
  views INTEGER,
  PRIMARY KEY (post, source, at)
) WITHOUT ROWID;

CREATE TABLE models (name TEXT PRIMARY KEY) WITHOUT ROWID; -- those that have assessed anything

CREATE TABLE assessments (
  post INTEGER NOT NULL REFERENCES posts ON DELETE CASCADE,
  text_hash TEXT NOT NULL,
  model TEXT NOT NULL,
  on_topic INTEGER NOT NULL,
  p_false REAL NOT NULL,
  stance TEXT,
  stage TEXT NOT NULL,
  flag INTEGER NOT NULL,
  why TEXT NOT NULL,
  PRIMARY KEY (post, text_hash, model)
) WITHOUT ROWID;
CREATE INDEX assessments_text ON assessments (text_hash, model);

CREATE TABLE matches (
  post INTEGER NOT NULL REFERENCES posts ON DELETE CASCADE,
  text_hash TEXT NOT NULL,
  claim TEXT NOT NULL,
  claim_version INTEGER NOT NULL,
  similarity REAL NOT NULL,
  confirmed INTEGER NOT NULL,
  model TEXT NOT NULL, -- whose assessment it came beside; another model's assessment replaces it
  PRIMARY KEY (post, text_hash, claim, claim_version)
) WITHOUT ROWID;

CREATE TABLE vectors (
  text_hash TEXT NOT NULL,
  encoder TEXT NOT NULL,
  vector BLOB NOT NULL,
  PRIMARY KEY (text_hash, encoder)
) WITHOUT ROWID;

-- Of placed posts alone. Deleted by the post's own band keys, so it needs no index by post.
CREATE TABLE bands (
  band TEXT NOT NULL,
  collected_at INTEGER NOT NULL,
  post INTEGER NOT NULL,
  PRIMARY KEY (band, collected_at, post)
) WITHOUT ROWID;

CREATE TABLE cards (
  id TEXT PRIMARY KEY,
  head TEXT NOT NULL,
  claim TEXT, -- decided, else as scored
  claim_similarity REAL,
  posts INTEGER NOT NULL,
  accounts INTEGER NOT NULL,
  engagement INTEGER NOT NULL,
  reach REAL NOT NULL,
  growth REAL NOT NULL,
  harm INTEGER NOT NULL,
  p_false REAL NOT NULL,
  priority REAL NOT NULL,
  language TEXT NOT NULL,
  model TEXT NOT NULL,
  state TEXT NOT NULL,
  number INTEGER NOT NULL,
  opened_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  scored_claim TEXT, -- for when a decision is taken back
  scored_similarity REAL,
  decided_stance TEXT
) WITHOUT ROWID;
CREATE INDEX cards_queue ON cards (state, priority DESC, id);
CREATE INDEX cards_all ON cards (priority DESC, id);

-- How many posts share six properties, kept on every write; posts marked for a purge are left out.
CREATE TABLE daily (
  day TEXT NOT NULL,
  claim TEXT NOT NULL,
  language TEXT NOT NULL,
  source TEXT NOT NULL,
  stance TEXT NOT NULL,
  status TEXT NOT NULL,
  posts INTEGER NOT NULL,
  PRIMARY KEY (day, claim, language, source, stance, status)
) WITHOUT ROWID;

CREATE TRIGGER daily_added AFTER INSERT ON posts WHEN new.batch IS NULL AND new.state <> 'deleted' BEGIN
  INSERT INTO daily VALUES (new.day, new.claim, new.language, new.source, new.stance, new.status, 1)
    ON CONFLICT (day, claim, language, source, stance, status) DO UPDATE SET posts = posts + 1;
END;
CREATE TRIGGER daily_removed AFTER DELETE ON posts WHEN old.batch IS NULL AND old.state <> 'deleted' BEGIN
  UPDATE daily SET posts = posts - 1 WHERE day = old.day AND claim = old.claim AND language = old.language
    AND source = old.source AND stance = old.stance AND status = old.status;
  DELETE FROM daily WHERE day = old.day AND claim = old.claim AND language = old.language
    AND source = old.source AND stance = old.stance AND status = old.status AND posts = 0;
END;
CREATE TRIGGER daily_left AFTER UPDATE OF language, state, claim, stance, status, batch ON posts
WHEN old.batch IS NULL AND old.state <> 'deleted' BEGIN
  UPDATE daily SET posts = posts - 1 WHERE day = old.day AND claim = old.claim AND language = old.language
    AND source = old.source AND stance = old.stance AND status = old.status;
  DELETE FROM daily WHERE day = old.day AND claim = old.claim AND language = old.language
    AND source = old.source AND stance = old.stance AND status = old.status AND posts = 0;
END;
CREATE TRIGGER daily_joined AFTER UPDATE OF language, state, claim, stance, status, batch ON posts
WHEN new.batch IS NULL AND new.state <> 'deleted' BEGIN
  INSERT INTO daily VALUES (new.day, new.claim, new.language, new.source, new.stance, new.status, 1)
    ON CONFLICT (day, claim, language, source, stance, status) DO UPDATE SET posts = posts + 1;
END;

-- Words of all posts, and again of the flagged alone, so that the urgent are found without reading the rest. The text
-- is not kept twice: a deleted row is folded anew for the 'delete' command, which every version of FTS5 knows.
CREATE VIRTUAL TABLE words USING fts5 (
  folded, content = '', prefix = '3', tokenize = "unicode61 remove_diacritics 0 categories 'L* N* Co Mn Mc'"
);
CREATE VIRTUAL TABLE flagged_words USING fts5 (
  folded, content = '', prefix = '3', tokenize = "unicode61 remove_diacritics 0 categories 'L* N* Co Mn Mc'"
);

CREATE TRIGGER words_added AFTER INSERT ON posts WHEN new.state <> 'deleted' BEGIN
  INSERT INTO words (rowid, folded) VALUES (new.number, fold(new.title || ' ' || new.text));
END;
CREATE TRIGGER words_removed AFTER DELETE ON posts WHEN old.state <> 'deleted' BEGIN
  INSERT INTO words (words, rowid, folded) VALUES ('delete', old.number, fold(old.title || ' ' || old.text));
END;
-- Out with the old words and in with the new in one trigger: SQLite does not say which of two would fire first, and the
-- words that both texts have must not be taken out last.
CREATE TRIGGER words_changed AFTER UPDATE OF title, text, state ON posts
WHEN new.title <> old.title OR new.text <> old.text OR (new.state = 'deleted') <> (old.state = 'deleted') BEGIN
  INSERT INTO words (words, rowid, folded)
    SELECT 'delete', old.number, fold(old.title || ' ' || old.text) WHERE old.state <> 'deleted';
  INSERT INTO words (rowid, folded)
    SELECT new.number, fold(new.title || ' ' || new.text) WHERE new.state <> 'deleted';
END;
CREATE TRIGGER flagged_removed AFTER DELETE ON posts WHEN old.flag = 1 AND old.state <> 'deleted' BEGIN
  INSERT INTO flagged_words (flagged_words, rowid, folded)
    VALUES ('delete', old.number, fold(old.title || ' ' || old.text));
END;
CREATE TRIGGER flagged_changed AFTER UPDATE OF title, text, state, flag ON posts
WHEN (old.flag = 1 OR new.flag = 1) AND (new.flag <> old.flag OR new.title <> old.title OR new.text <> old.text
  OR (new.state = 'deleted') <> (old.state = 'deleted')) BEGIN
  INSERT INTO flagged_words (flagged_words, rowid, folded)
    SELECT 'delete', old.number, fold(old.title || ' ' || old.text) WHERE old.flag = 1 AND old.state <> 'deleted';
  INSERT INTO flagged_words (rowid, folded)
    SELECT new.number, fold(new.title || ' ' || new.text) WHERE new.flag = 1 AND new.state <> 'deleted';
END;

-- How the words were folded: another Unicode version folds otherwise, and the words are then put in anew.
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
