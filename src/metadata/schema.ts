/** The tables of a region, as numbered migrations: applied in order, each in one transaction, never edited once released. */

export interface Migration {
  readonly version: number
  readonly sql: string
}

export const schema: readonly Migration[] = [
  {
    version: 1,
    sql: `
      CREATE TABLE buckets (
        id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, region TEXT NOT NULL, owner_id TEXT NOT NULL, created_ms INTEGER NOT NULL,
        state TEXT NOT NULL, versioning TEXT NOT NULL, settings TEXT NOT NULL, seq INTEGER NOT NULL
      ) WITHOUT ROWID;

      CREATE TABLE versions (
        bucket_id TEXT NOT NULL, key TEXT NOT NULL, id TEXT NOT NULL,
        is_null INTEGER NOT NULL, is_latest INTEGER NOT NULL, is_marker INTEGER NOT NULL,
        size INTEGER NOT NULL, modified_ms INTEGER NOT NULL, etag TEXT NOT NULL, storage_class TEXT NOT NULL,
        blob TEXT, blob_set TEXT, part_count INTEGER, record TEXT NOT NULL, replication TEXT, seq INTEGER NOT NULL,
        PRIMARY KEY (bucket_id, key, id)
      ) WITHOUT ROWID;
      CREATE INDEX versions_current ON versions (bucket_id, key) WHERE is_latest = 1 AND is_marker = 0;
      CREATE UNIQUE INDEX versions_null ON versions (bucket_id, key) WHERE is_null = 1;
      CREATE INDEX versions_blob ON versions (blob) WHERE blob IS NOT NULL;

      CREATE TABLE uploads (
        id TEXT PRIMARY KEY, bucket_id TEXT NOT NULL, key TEXT NOT NULL, state TEXT NOT NULL,
        initiated_ms INTEGER NOT NULL, record TEXT NOT NULL, outcome TEXT, seq INTEGER NOT NULL
      ) WITHOUT ROWID;
      CREATE INDEX uploads_open ON uploads (bucket_id, key, id DESC) WHERE state = 'open';

      CREATE TABLE parts (
        blob_set TEXT NOT NULL, number INTEGER NOT NULL, blob TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
        checksum TEXT, sealed_key TEXT, modified_ms INTEGER NOT NULL, seq INTEGER NOT NULL,
        PRIMARY KEY (blob_set, number)
      ) WITHOUT ROWID;
      CREATE INDEX parts_blob ON parts (blob);

      CREATE TABLE garbage (id INTEGER PRIMARY KEY, blob TEXT NOT NULL UNIQUE, seq INTEGER NOT NULL);

      CREATE TABLE tasks (
        bucket_id TEXT NOT NULL, key TEXT NOT NULL, version_id TEXT NOT NULL, destination TEXT NOT NULL,
        destination_name TEXT NOT NULL, region TEXT NOT NULL, rule_id TEXT NOT NULL, storage_class TEXT,
        state TEXT NOT NULL, ready INTEGER, revision INTEGER NOT NULL, content_bytes INTEGER NOT NULL, is_content INTEGER NOT NULL,
        created_ms INTEGER NOT NULL, attempts INTEGER NOT NULL, next_attempt_ms INTEGER NOT NULL,
        reason TEXT, message TEXT, seq INTEGER NOT NULL,
        PRIMARY KEY (bucket_id, key, version_id, destination)
      ) WITHOUT ROWID;
      CREATE INDEX tasks_chain ON tasks (destination, bucket_id, key, version_id) WHERE state = 'waiting';
      CREATE INDEX tasks_ready ON tasks (region, ready) WHERE ready IS NOT NULL;
      CREATE INDEX tasks_oldest ON tasks (bucket_id, destination, rule_id, created_ms) WHERE state = 'waiting';
      CREATE INDEX tasks_failed ON tasks (region, next_attempt_ms) WHERE state = 'failed';

      CREATE TABLE links (
        bucket_id TEXT NOT NULL, destination TEXT NOT NULL, rule_id TEXT NOT NULL, destination_name TEXT NOT NULL, region TEXT NOT NULL,
        pending_operations INTEGER NOT NULL, pending_bytes INTEGER NOT NULL, failed INTEGER NOT NULL, last_error TEXT, seq INTEGER NOT NULL,
        PRIMARY KEY (bucket_id, destination, rule_id)
      ) WITHOUT ROWID;

      CREATE TABLE tombstones (
        bucket_id TEXT NOT NULL, key TEXT NOT NULL, version_id TEXT NOT NULL, purged_ms INTEGER NOT NULL, seq INTEGER NOT NULL,
        PRIMARY KEY (bucket_id, key, version_id)
      ) WITHOUT ROWID;

      CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL, seq INTEGER NOT NULL) WITHOUT ROWID;

      CREATE TABLE names (
        name TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, region TEXT NOT NULL, owner_id TEXT NOT NULL, created_ms INTEGER NOT NULL, seq INTEGER NOT NULL
      ) WITHOUT ROWID;
      CREATE TABLE roles (name TEXT COLLATE NOCASE PRIMARY KEY, record TEXT NOT NULL, seq INTEGER NOT NULL) WITHOUT ROWID;
      CREATE TABLE control_log (
        position INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, time_ms INTEGER NOT NULL, request_id TEXT NOT NULL UNIQUE,
        change TEXT NOT NULL, previous_hash TEXT NOT NULL, hash TEXT NOT NULL, seq INTEGER NOT NULL
      );
    `,
  },
  {
    version: 2,
    sql: `
      CREATE TABLE retired_segments (segment TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;

      CREATE TABLE damage (
        bucket_id TEXT NOT NULL, key TEXT NOT NULL, version_id TEXT NOT NULL, part INTEGER NOT NULL,
        reason TEXT NOT NULL, found_ms INTEGER NOT NULL, seq INTEGER NOT NULL,
        PRIMARY KEY (bucket_id, key, version_id, part)
      ) WITHOUT ROWID;
      ALTER TABLE versions ADD COLUMN is_damaged INTEGER NOT NULL DEFAULT 0;

      ALTER TABLE uploads ADD COLUMN completed_ms INTEGER;
      UPDATE uploads SET completed_ms = initiated_ms WHERE state = 'completed';
      CREATE INDEX uploads_completed ON uploads (completed_ms) WHERE completed_ms IS NOT NULL;
    `,
  },
  {
    version: 3,
    sql: `
      -- The null version that is its key's latest is found as the latest, so that unversioned buckets need no index for theirs.
      DROP INDEX versions_null;
      CREATE UNIQUE INDEX versions_null_below ON versions (bucket_id, key) WHERE is_null = 1 AND is_latest = 0;
    `,
  },
  {
    version: 4,
    sql: `
      CREATE TABLE accounts (id TEXT PRIMARY KEY, canonical_id TEXT NOT NULL UNIQUE, record TEXT NOT NULL, seq INTEGER NOT NULL) WITHOUT ROWID;

      CREATE TABLE identities (
        account_id TEXT NOT NULL, type TEXT NOT NULL, name TEXT NOT NULL COLLATE NOCASE, record TEXT NOT NULL, seq INTEGER NOT NULL,
        PRIMARY KEY (account_id, type, name)
      ) WITHOUT ROWID;
      -- Who has a policy attached or for a boundary, and who is in a group, found from there.
      CREATE TABLE identity_links (
        target TEXT NOT NULL, kind TEXT NOT NULL, account_id TEXT NOT NULL, type TEXT NOT NULL, name TEXT NOT NULL COLLATE NOCASE, seq INTEGER NOT NULL,
        PRIMARY KEY (target, kind, account_id, type, name)
      ) WITHOUT ROWID;
      CREATE INDEX identity_links_of ON identity_links (account_id, type, name);

      -- The account's root has no user name: ''.
      CREATE TABLE access_keys (
        id TEXT PRIMARY KEY, account_id TEXT NOT NULL, user_name TEXT NOT NULL COLLATE NOCASE, created_ms INTEGER NOT NULL,
        record TEXT NOT NULL, seq INTEGER NOT NULL
      ) WITHOUT ROWID;
      CREATE INDEX access_keys_of ON access_keys (account_id, user_name, created_ms, id);

      INSERT INTO identities (account_id, type, name, record, seq)
        SELECT json_extract(record, '$.accountId'), 'role', name,
          json_remove(
            json_set(
              json_insert(record, '$.attachedPolicies', json('[]'), '$.tags', json('[]')),
              '$.type', 'role', '$.id', coalesce(json_extract(record, '$.id'), json_extract(record, '$.roleId'))
            ),
            '$.roleId'
          ),
          seq
        FROM roles;
      DROP TABLE roles;
    `,
  },
  {
    version: 5,
    sql: `
      -- From when lifecycle counts: Last-Modified of a current version, that of the version which took its place of any other.
      ALTER TABLE versions ADD COLUMN since_ms INTEGER NOT NULL DEFAULT 0;
      UPDATE versions SET since_ms = CASE WHEN is_latest = 1 THEN modified_ms ELSE coalesce(
        (SELECT newer.modified_ms FROM versions newer
         WHERE newer.bucket_id = versions.bucket_id AND newer.key = versions.key AND newer.id < versions.id ORDER BY newer.id DESC LIMIT 1),
        modified_ms) END;
      CREATE INDEX versions_age ON versions (bucket_id, is_latest, since_ms);
      CREATE INDEX versions_markers ON versions (bucket_id, since_ms) WHERE is_latest = 1 AND is_marker = 1;
      CREATE INDEX uploads_age ON uploads (bucket_id, initiated_ms) WHERE state = 'open';

      -- Up to where a bucket's versions have been judged at an age: only what came to it since then is looked at.
      CREATE TABLE lifecycle_marks (
        bucket_id TEXT NOT NULL, is_latest INTEGER NOT NULL, age TEXT NOT NULL, judged_ms INTEGER NOT NULL, configuration TEXT NOT NULL, seq INTEGER NOT NULL,
        PRIMARY KEY (bucket_id, is_latest, age)
      ) WITHOUT ROWID;
      -- To be judged again, though the marks have passed: something else than its age has changed, or it was held back. Id '': all of the key.
      CREATE TABLE lifecycle_again (
        bucket_id TEXT NOT NULL, key TEXT NOT NULL, id TEXT NOT NULL, due_ms INTEGER NOT NULL, reason TEXT, seq INTEGER NOT NULL,
        PRIMARY KEY (bucket_id, key, id)
      ) WITHOUT ROWID;
      CREATE INDEX lifecycle_again_due ON lifecycle_again (due_ms);
      -- How far a bucket's last pass came, and what was done since it began. It is for the midnight due_ms, and not over while ended_ms is NULL.
      CREATE TABLE lifecycle_passes (
        bucket_id TEXT PRIMARY KEY, configuration TEXT NOT NULL, due_ms INTEGER NOT NULL, started_ms INTEGER NOT NULL, ended_ms INTEGER,
        expired INTEGER NOT NULL, removed INTEGER NOT NULL, transitioned INTEGER NOT NULL, aborted INTEGER NOT NULL,
        freed_bytes INTEGER NOT NULL, moved_bytes INTEGER NOT NULL, seq INTEGER NOT NULL
      ) WITHOUT ROWID;

      -- Versions whose bytes are to be elsewhere than they are, or restored, or whose restored copy is to go.
      CREATE TABLE moves (
        bucket_id TEXT NOT NULL, key TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL,
        storage_class TEXT NOT NULL, due_ms INTEGER NOT NULL, created_ms INTEGER NOT NULL,
        attempts INTEGER NOT NULL, reason TEXT, seq INTEGER NOT NULL,
        PRIMARY KEY (bucket_id, key, id, kind)
      ) WITHOUT ROWID;
      CREATE INDEX moves_due ON moves (kind, storage_class, due_ms);

      -- Blobs that are being written to a tier, noted before their first byte: those that no row refers to after a crash are taken away again.
      CREATE TABLE tier_writes (ref TEXT PRIMARY KEY, started_ms INTEGER NOT NULL, seq INTEGER NOT NULL) WITHOUT ROWID;
      -- A tier that cannot be reached must not stand between the region's own disk and its space.
      CREATE INDEX garbage_own ON garbage (id) WHERE blob < 't';
    `,
  },
  {
    version: 6,
    sql: `
      CREATE TABLE key_uses (id TEXT PRIMARY KEY, used_ms INTEGER NOT NULL, service TEXT NOT NULL, region TEXT NOT NULL, seq INTEGER NOT NULL) WITHOUT ROWID;

      -- What a bucket was made with outlives the row that made it.
      ALTER TABLE names ADD COLUMN settings TEXT NOT NULL DEFAULT '{"ownership":"BucketOwnerEnforced"}';
      UPDATE names SET settings = coalesce(
        (SELECT json_extract(change, '$.settings') FROM control_log
           WHERE json_extract(change, '$.kind') = 'createBucket' AND json_extract(change, '$.bucket.id') = names.id),
        settings);
    `,
  },
]
