// Package ent is the contract between Marquee and PostgreSQL: schema is written by hand, everything else
// here is generated from it.
package ent

//go:generate go tool ent generate --feature sql/versioned-migration ./schema
