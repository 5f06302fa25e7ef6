-- +goose Up
-- drop index "events_present" from table: "events"
DROP INDEX "events_present";
-- create index "events_present" to table: "events"
CREATE INDEX "events_present" ON "events" ("provider_id") INCLUDE ("id", "content_hash", "record_hash", "starts_at") WHERE (last_seen_at IS NULL);

-- +goose Down
-- reverse: create index "events_present" to table: "events"
DROP INDEX "events_present";
-- reverse: drop index "events_present" from table: "events"
CREATE INDEX "events_present" ON "events" ("provider_id") WHERE (last_seen_at IS NULL);
