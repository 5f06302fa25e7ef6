package main

import (
	"encoding"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kong"
)

type configCommand struct{}

// Run prints every setting with where its value comes from, as lines that a .env file takes.
func (c *configCommand) Run(p *program) error {
	table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	seen := map[string]bool{}
	err := kong.Visit(p.kong.Model, func(node kong.Visitable, next kong.Next) error {
		flag, ok := node.(*kong.Flag)
		if ok && len(flag.Envs) > 0 && !seen[flag.Envs[0]] {
			seen[flag.Envs[0]] = true
			value, source, err := effective(flag)
			if err != nil {
				return err
			}
			fmt.Fprintf(table, "%s=%s\t# %s\n", flag.Envs[0], value, source)
		}
		return next(nil)
	})
	if err != nil {
		return err
	}
	return table.Flush()
}

// effective is a flag's value when it is not given on the command line, checked.
func effective(flag *kong.Flag) (value, source string, err error) {
	value, source = flag.Default, "default"
	if i := slices.IndexFunc(flag.Envs, func(name string) bool { return os.Getenv(name) != "" }); i >= 0 {
		value, source = os.Getenv(flag.Envs[i]), "environment"
	}
	if value == "" {
		return "", "not set", nil
	}
	target := reflect.New(flag.Target.Type())
	if text, ok := target.Interface().(encoding.TextUnmarshaler); ok {
		if err := text.UnmarshalText([]byte(value)); err != nil {
			return "", "", fmt.Errorf("%s: %w", flag.Envs[0], err)
		}
	}
	if strings.Contains(flag.Name, "url") {
		value = redacted(value)
	}
	return value, source, nil
}
