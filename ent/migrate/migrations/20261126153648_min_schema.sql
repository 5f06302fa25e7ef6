-- +goose Up
-- modify "catalog" table
ALTER TABLE "catalog" ADD COLUMN "min_schema" bigint NOT NULL DEFAULT 0;

-- +goose Down
-- reverse: modify "catalog" table
ALTER TABLE "catalog" DROP COLUMN "min_schema";
