package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
)

// A value is one key of values.yaml.
type value struct {
	path   string // its keys, with dots between them
	about  string
	schema map[string]any // what @schema adds
	data   any            // the default
	inner  []*value       // the keys under one that has no description of its own
}

var keyLine = regexp.MustCompile(`^( *)([A-Za-z][A-Za-z0-9]*):(.*)$`)

// parse reads values.yaml, whose keys have to be in block style, indented by two spaces a level. A key with a description is a value,
// with all that is under it. A key without one holds values.
func parse(text string) ([]*value, error) {
	var defaults map[string]any
	if err := yaml.Unmarshal([]byte(text), &defaults); err != nil {
		return nil, err
	}
	root := &value{}
	holders := []*value{root} // the keys around the current line, by depth
	var about []string
	var schema map[string]any
	skip := -1 // the depth of a described value: deeper lines are a part of it; -1: there is none
	for i, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimSpace(line)
		depth := (len(line) - len(strings.TrimLeft(line, " "))) / 2
		comment, isComment := strings.CutPrefix(trimmed, "#")
		comment = strings.TrimSpace(comment)
		switch {
		case trimmed == "":
			about, schema = nil, nil
		case isComment:
			switch {
			case strings.HasPrefix(comment, "-- "):
				about = []string{strings.TrimPrefix(comment, "-- ")}
			case strings.HasPrefix(comment, "@schema "):
				if err := yaml.Unmarshal([]byte(strings.TrimPrefix(comment, "@schema ")), &schema); err != nil {
					return nil, fmt.Errorf("line %d: @schema: %w", i+1, err)
				}
			case about != nil:
				about = append(about, comment)
			}
		case skip >= 0 && depth > skip:
		default:
			key := keyLine.FindStringSubmatch(line)
			if key == nil || depth >= len(holders) {
				return nil, fmt.Errorf("line %d: %q: want a key in block style", i+1, trimmed)
			}
			holder := holders[depth]
			v := &value{path: strings.TrimPrefix(holder.path+"."+key[2], "."), about: strings.Join(about, " "), schema: schema}
			v.data = at(defaults, v.path)
			holder.inner = append(holder.inner, v)
			holders, skip = holders[:depth+1], depth
			if about == nil {
				if _, isMap := v.data.(map[string]any); !isMap {
					return nil, fmt.Errorf("line %d: %s has no description", i+1, v.path)
				}
				holders, skip = append(holders, v), -1
			}
			about, schema = nil, nil
		}
	}
	return root.inner, nil
}

func at(data any, path string) any {
	for key := range strings.SplitSeq(path, ".") {
		inner, ok := data.(map[string]any)
		if !ok {
			return nil
		}
		data = inner[key]
	}
	return data
}

// closed is the schema of an object that may have these keys and no others.
func closed(values []*value) (map[string]any, error) {
	properties := map[string]any{}
	for _, v := range values {
		schema, err := v.jsonSchema()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", v.path, err)
		}
		properties[v.path[strings.LastIndex(v.path, ".")+1:]] = schema
	}
	return map[string]any{"type": "object", "additionalProperties": false, "properties": properties}, nil
}

func (v *value) jsonSchema() (map[string]any, error) {
	if v.inner != nil {
		return closed(v.inner)
	}
	schema := map[string]any{"description": v.about, "default": v.data}
	_, referred := v.schema["$ref"]
	_, listed := v.schema["enum"]
	if !referred && !listed {
		switch v.data.(type) {
		case string:
			schema["type"] = "string"
		case bool:
			schema["type"] = "boolean"
		case int, int64, uint64:
			schema["type"] = "integer"
		case float64:
			schema["type"] = "number"
		case []any:
			schema["type"] = "array"
		case map[string]any:
			schema["type"] = "object"
		}
	}
	maps.Copy(schema, v.schema)
	switch {
	case schema["type"] == nil && !referred && !listed:
		return nil, errors.New("a default of null says no type: want @schema {type: …}")
	case schema["type"] == "object" && schema["additionalProperties"] == nil:
		return nil, errors.New("want @schema to say what may be in the map")
	}
	return schema, nil
}

// table is the values as a Markdown table.
func table(values []*value) string {
	var b strings.Builder
	b.WriteString("| value | default | |\n|---|---|---|\n")
	var rows func([]*value)
	rows = func(values []*value) {
		for _, v := range values {
			if v.inner != nil {
				rows(v.inner)
				continue
			}
			text, err := json.Marshal(v.data)
			if err != nil {
				text = []byte("?")
			}
			fmt.Fprintf(&b, "| `%s` | `%s` | %s |\n", v.path, strings.ReplaceAll(string(text), "|", "\\|"), strings.ReplaceAll(v.about, "|", "\\|"))
		}
	}
	rows(values)
	return b.String()
}
