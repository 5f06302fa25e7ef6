package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/joho/godotenv"
	"github.com/pelletier/go-toml/v2"
)

// maxSize is the largest file, in bytes, that may be committed. What is committed stays in every clone for ever.
const maxSize = 500_000

// A problem is one reason not to commit a file.
type problem struct {
	line int // from 1
	text string
}

// check returns what is wrong with a file: its size, then its syntax, then single lines.
func check(name string, content []byte) []problem {
	name = filepath.ToSlash(name)
	var found []problem
	if len(content) > maxSize && !isGenerated(content) {
		found = append(found, problem{1, fmt.Sprintf("%d bytes, more than %d: keep large files out of the repository", len(content), maxSize)})
	}
	if isBinary(content) {
		return found
	}
	if line, err := checkSyntax(name, content); err != nil {
		found = append(found, problem{line, err.Error()})
	}
	return append(found, checkLines(name, content)...)
}

// isGenerated reports whether Go source carries the mark of generated code before its first line of code.
func isGenerated(content []byte) bool {
	mark := regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)
	return mark.Match(content[:min(len(content), 4096)])
}

// isBinary uses git's own rule: a zero byte early on.
func isBinary(content []byte) bool {
	return bytes.IndexByte(content[:min(len(content), 8000)], 0) >= 0
}

// checkSyntax parses files whose names tell their format. Files in testdata may be broken on purpose, and a chart's templates
// are not YAML before Helm has rendered them.
func checkSyntax(name string, content []byte) (line int, err error) {
	if inFolder(name, "testdata") {
		return 0, nil
	}
	base := filepath.Base(name)
	switch ext := filepath.Ext(base); {
	case strings.HasPrefix(base, ".env"), ext == ".env":
		return checkEnv(content)
	case ext == ".json":
		return checkJSON(content)
	case (ext == ".yaml" || ext == ".yml") && !inFolder(name, "templates"):
		return checkYAML(content)
	case ext == ".toml":
		return checkTOML(content)
	}
	return 0, nil
}

func checkEnv(content []byte) (int, error) {
	values, err := godotenv.UnmarshalBytes(content)
	if err != nil {
		return 1, fmt.Errorf("not a .env file: %w", err)
	}
	name := regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	for key := range values {
		if !name.MatchString(key) {
			return 1, fmt.Errorf("not a .env file: %q is no name for a variable", key)
		}
	}
	return 0, nil
}

func checkJSON(content []byte) (int, error) {
	decoder := json.NewDecoder(bytes.NewReader(content))
	var value any
	err := decoder.Decode(&value)
	if err == nil {
		if _, err = decoder.Token(); errors.Is(err, io.EOF) {
			return 0, nil
		}
		err = errors.New("more than one value")
	}
	offset := decoder.InputOffset()
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = syntax.Offset
	}
	return lineAt(content, offset), fmt.Errorf("not JSON: %w", err)
}

func checkYAML(content []byte) (int, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	for {
		var document any
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return 0, nil
		}
		if err != nil {
			line := 1
			if at, ok := errors.AsType[yaml.Error](err); ok && at.GetToken() != nil {
				line = at.GetToken().Position.Line
			}
			return line, fmt.Errorf("not YAML: %s", yaml.FormatError(err, false, false))
		}
	}
}

func checkTOML(content []byte) (int, error) {
	var document any
	err := toml.Unmarshal(content, &document)
	if err == nil {
		return 0, nil
	}
	line := 1
	if at, ok := errors.AsType[*toml.DecodeError](err); ok {
		line, _ = at.Position()
	}
	return line, fmt.Errorf("not TOML: %w", err)
}

// A leftover is a pattern that may not be in a line of the files that it applies to.
type leftover struct {
	applies func(name string) bool
	pattern *regexp.Regexp
	text    string
}

// leftovers lists the patterns. They don't match their own text, so that this file passes. Debug output in Go is for the linter to
// find (forbidigo).
func leftovers() []leftover {
	return []leftover{
		{anyFile, regexp.MustCompile(`-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY`), "a private key"},
		{anyFile, regexp.MustCompile(`^(?:<{7}|>{7}) `), "a merge conflict"},
		{isCode, regexp.MustCompile(`\bNO_?COMMIT\b`), "marked as not to be committed"},
		{isScript, regexp.MustCompile(`^\s*debugger\b`), "a debugger statement"},
		{isPageScript, regexp.MustCompile(`\bconsole\.(?:log|debug)\(`), "debug output"},
	}
}

func checkLines(name string, content []byte) []problem {
	if inFolder(name, "testdata") {
		return nil
	}
	rules := slices.DeleteFunc(leftovers(), func(l leftover) bool { return !l.applies(name) })
	var found []problem
	number := 0
	for line := range bytes.Lines(content) {
		number++
		for _, rule := range rules {
			if rule.pattern.Match(line) {
				found = append(found, problem{number, rule.text})
			}
		}
	}
	return found
}

func anyFile(string) bool { return true }

func isCode(name string) bool { return filepath.Ext(name) != ".md" }

func isScript(name string) bool {
	return slices.Contains([]string{".js", ".mjs", ".cjs", ".jsx", ".ts", ".tsx"}, filepath.Ext(name))
}

// isPageScript says whether a script runs in a browser. Scripts that build and test may print.
func isPageScript(name string) bool { return isScript(name) && inFolder(name, "src") }

func inFolder(name, folder string) bool {
	return slices.Contains(strings.Split(name, "/"), folder)
}

// lineAt turns a byte offset into a line number.
func lineAt(content []byte, offset int64) int {
	return 1 + bytes.Count(content[:min(offset, int64(len(content)))], []byte("\n"))
}
