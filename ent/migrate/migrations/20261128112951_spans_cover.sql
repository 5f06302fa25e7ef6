-- +goose Up
-- create index "events_spans" to table: "events"
CREATE INDEX "events_spans" ON "events" ("span_class", "starts_at", "id") INCLUDE ("ends_at", "starts_local", "ends_local") WHERE listed;
-- drop index "event_span_class_starts_at_id" from table: "events"; last, for nobody can read until this commits
DROP INDEX "event_span_class_starts_at_id";

-- +goose Down
-- reverse: drop index "event_span_class_starts_at_id" from table: "events"
CREATE INDEX "event_span_class_starts_at_id" ON "events" ("span_class", "starts_at", "id") WHERE listed;
-- reverse: create index "events_spans" to table: "events"
DROP INDEX "events_spans";
