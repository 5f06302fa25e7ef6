-- +goose Up
-- create index "event_min_price_id" to table: "events"
CREATE INDEX "event_min_price_id" ON "events" ("min_price", "id") WHERE listed;
-- create index "event_updated_at_id" to table: "events"
CREATE INDEX "event_updated_at_id" ON "events" ("updated_at", "id") WHERE listed;
-- create index "events_removed" to table: "events"
CREATE INDEX "events_removed" ON "events" ("starts_at", "id") WHERE (listed AND (removed_at IS NOT NULL));
-- create index "events_unscheduled" to table: "events"
CREATE INDEX "events_unscheduled" ON "events" ("starts_at", "id") WHERE (listed AND (status <> 'SCHEDULED'::text));

-- +goose Down
-- reverse: create index "events_unscheduled" to table: "events"
DROP INDEX "events_unscheduled";
-- reverse: create index "events_removed" to table: "events"
DROP INDEX "events_removed";
-- reverse: create index "event_updated_at_id" to table: "events"
DROP INDEX "event_updated_at_id";
-- reverse: create index "event_min_price_id" to table: "events"
DROP INDEX "event_min_price_id";
