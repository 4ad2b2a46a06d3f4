"""The ledger's schema, step by step. `user_version` counts the steps a database has taken; steps are never edited, only added."""

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE runs (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('running', 'finished', 'failed', 'interrupted')),
        recipe_path TEXT NOT NULL,
        recipe_sha256 TEXT NOT NULL,
        recipe_text TEXT NOT NULL,
        catalog_hash TEXT NOT NULL,
        seed INTEGER NOT NULL,
        started TEXT NOT NULL,
        seconds REAL NOT NULL,
        steps INTEGER NOT NULL,
        metrics TEXT NOT NULL,
        peak_memory_bytes INTEGER,
        peak_memory_kind TEXT NOT NULL,
        estimate_bytes INTEGER,
        versions TEXT NOT NULL,
        hardware TEXT NOT NULL,
        output TEXT NOT NULL,
        message TEXT NOT NULL,
        host TEXT NOT NULL,
        pid INTEGER NOT NULL
    );
    CREATE TABLE metrics (
        run TEXT NOT NULL REFERENCES runs (id),
        step INTEGER NOT NULL,
        name TEXT NOT NULL,
        value REAL,
        PRIMARY KEY (run, name, step)
    ) WITHOUT ROWID;
    CREATE TABLE events (
        run TEXT NOT NULL REFERENCES runs (id),
        at TEXT NOT NULL,
        kind TEXT NOT NULL,
        detail TEXT NOT NULL
    );
    CREATE INDEX events_by_run ON events (run);
    """,
    """
    ALTER TABLE runs ADD COLUMN folder TEXT NOT NULL DEFAULT '';
    ALTER TABLE runs ADD COLUMN smoke INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE runs ADD COLUMN cause TEXT NOT NULL DEFAULT '';
    """,
    """
    CREATE TABLE machines (
        host TEXT NOT NULL,
        device TEXT NOT NULL,
        at TEXT NOT NULL,
        measured TEXT NOT NULL,
        PRIMARY KEY (host, device)
    ) WITHOUT ROWID;
    """,
)
