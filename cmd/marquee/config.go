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
	err := p.eachSetting(func(flag *kong.Flag) error {
		value, source, err := effective(flag)
		if strings.Contains(flag.Name, "url") && value != "" {
			value = redacted(value)
		}
		fmt.Fprintf(table, "%s=%s\t# %s\n", flag.Envs[0], value, source)
		return err
	})
	if err != nil {
		return err
	}
	return table.Flush()
}

// checkEnvironment finds a wrong value wherever it is set, also one that this command does not use: a
// mistake is found when it is made.
func (p *program) checkEnvironment() error {
	return p.eachSetting(func(flag *kong.Flag) error {
		_, _, err := effective(flag)
		return err
	})
}

// eachSetting visits every flag of every command that has a variable, once.
func (p *program) eachSetting(visit func(*kong.Flag) error) error {
	seen := map[string]bool{}
	return kong.Visit(p.kong.Model, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok && len(flag.Envs) > 0 && !seen[flag.Envs[0]] {
			seen[flag.Envs[0]] = true
			if err := visit(flag); err != nil {
				return err
			}
		}
		return next(nil)
	})
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
	if text, ok := reflect.TypeAssert[encoding.TextUnmarshaler](target); ok {
		if err := text.UnmarshalText([]byte(value)); err != nil {
			return "", "", fmt.Errorf("%s: %w", flag.Envs[0], err)
		}
	}
	return value, source, nil
}
