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

-- +goose Down
DROP TABLE "leases";
DROP TABLE "held_snapshots";
