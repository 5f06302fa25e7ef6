// Command precheck checks files before they are committed: the syntax of JSON, YAML, TOML and .env files, and that there are no private
// keys, merge conflicts, leftovers of debugging and files too large for a repository.
//
// It takes file names, prints a line for each problem, and exits with 1 if there is one. Names that are not regular files (a deleted
// file, a symbolic link) are ignored.
package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

func main() {
	problems, err := run(os.Args[1:], os.Stdout)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "precheck:", err)
		os.Exit(2)
	case problems > 0:
		os.Exit(1)
	}
}

// run checks each file, writes the problems to out as FILE:LINE: TEXT and returns how many there were.
func run(names []string, out io.Writer) (int, error) {
	count := 0
	for _, name := range names {
		info, err := os.Lstat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return count, fmt.Errorf("look at file: %w", err)
		}
		if !info.Mode().IsRegular() {
			continue
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return count, fmt.Errorf("read file: %w", err)
		}
		for _, p := range check(name, content) {
			count++
			if _, err := fmt.Fprintf(out, "%s:%d: %s\n", name, p.line, p.text); err != nil {
				return count, fmt.Errorf("write report: %w", err)
			}
		}
	}
	return count, nil
}
