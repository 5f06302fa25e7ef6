-- +goose Up
-- create "held_snapshots" table
CREATE TABLE "held_snapshots" (
    "id" uuid NOT NULL,
    "run_id" bigint NOT NULL,
    "reason" text NOT NULL,
    "snapshot" jsonb NOT NULL,
    "counts" jsonb NOT NULL,
    "body" bytea NOT NULL,
    "rejected" boolean NOT NULL DEFAULT false,
    PRIMARY KEY ("id")
);
-- create index "held_snapshots_run_id_key" to table: "held_snapshots"
CREATE UNIQUE INDEX "held_snapshots_run_id_key" ON "held_snapshots" ("run_id");
-- create "leases" table
CREATE TABLE "leases" (
    "id" uuid NOT NULL,
    "owner" text NOT NULL,
    "token" bigint NOT NULL,
    "run_id" bigint NOT NULL,
    "heartbeat_at" timestamptz NOT NULL,
    PRIMARY KEY ("id")
);
-- no sooner does the provider want to be asked again
ALTER TABLE "sync_runs" ADD COLUMN "next_check_at" timestamptz NULL;
-- changes are kept for a set time: what is old is found by index, and how far they reach back is known
CREATE INDEX "change_at" ON "changes" ("at");
ALTER TABLE "catalog" ADD COLUMN "pruned_change" bigint NOT NULL DEFAULT 0;
-- a record that is known need not be read; null: read it
ALTER TABLE "events" ADD COLUMN "record_hash" bytea NULL;

-- +goose Down
ALTER TABLE "events" DROP COLUMN "record_hash";
ALTER TABLE "catalog" DROP COLUMN "pruned_change";
DROP INDEX "change_at";
ALTER TABLE "sync_runs" DROP COLUMN "next_check_at";
DROP TABLE "leases";
DROP TABLE "held_snapshots";
