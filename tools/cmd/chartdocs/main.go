// Command chartdocs writes a Helm chart's values.schema.json, and the table of values in its README.md, from the
// comments of its values.yaml, so that the three always agree:
//
//	# -- What the value means.
//	# @schema {minimum: 1}
//	replicas: 2
//
// The schema allows no other values. A value has the type of its default; `@schema` adds what the default doesn't tell. The parts that
// `$ref: "#/$defs/…"` names are in schema.defs.yaml.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"
)

// The lines of the README between which the table of values is.
const (
	tableBegin = "<!-- Written by make generate from values.yaml. -->\n"
	tableEnd   = "<!-- End. -->\n"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: chartdocs CHART")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "chartdocs:", err)
		os.Exit(1)
	}
}

func run(chart string) error {
	text, err := os.ReadFile(filepath.Join(chart, "values.yaml"))
	if err != nil {
		return err
	}
	values, err := parse(string(text))
	if err != nil {
		return fmt.Errorf("values.yaml: %w", err)
	}
	var defs map[string]any
	if text, err = os.ReadFile(filepath.Join(chart, "schema.defs.yaml")); err != nil {
		return err
	}
	if err := yaml.Unmarshal(text, &defs); err != nil {
		return fmt.Errorf("schema.defs.yaml: %w", err)
	}
	schema, err := closed(values)
	if err != nil {
		return fmt.Errorf("values.yaml: %w", err)
	}
	schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	schema["$defs"] = defs
	if err := writeJSON(filepath.Join(chart, "values.schema.json"), schema); err != nil {
		return err
	}
	return replaceTable(filepath.Join(chart, "README.md"), table(values))
}

func writeJSON(path string, value any) error {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return err
	}
	return os.WriteFile(path, out.Bytes(), 0o644) //nolint:gosec // a file of the repository
}

func replaceTable(path, table string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(text), tableBegin)
	_, after, ended := strings.Cut(rest, tableEnd)
	if !ok || !ended {
		return errors.New(path + ": has no place for the table of values")
	}
	return os.WriteFile(path, []byte(before+tableBegin+table+tableEnd+after), 0o644) //nolint:gosec // a file of the repository
}
