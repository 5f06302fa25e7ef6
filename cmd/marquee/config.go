package main

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"text/tabwriter"

	"github.com/alecthomas/kong"
)

type configCommand struct{}

// Run prints every setting and where its value comes from, in the form of a .env file.
func (c *configCommand) Run(p *program) error {
	table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	err := p.eachSetting(func(flag *kong.Flag) error {
		value, source, err := effective(flag)
		if value != "" && holdsAddress(flag) {
			value = redacted(value)
		}
		if source == "" { // a line without the # would set an empty value
			fmt.Fprintf(table, "# %s=\t# not set\n", flag.Envs[0])
			return err
		}
		fmt.Fprintf(table, "%s=%s\t# %s\n", flag.Envs[0], value, source)
		return err
	})
	if err != nil {
		return err
	}
	return table.Flush()
}

// holdsAddress says whether a flag's value is a URL, which may hold a password.
func holdsAddress(flag *kong.Flag) bool {
	switch flag.Target.Interface().(type) {
	case databaseURL, endpoint:
		return true
	default:
		return false
	}
}

// checkEnvironment finds wrong values of all settings, even those that this command does not use, so that
// a mistake is found as soon as it is made.
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

// effective is the checked value that a flag has when it is not given on the command line, and where it comes from; both empty if it
// has none.
func effective(flag *kong.Flag) (value, source string, err error) {
	value, source = flag.Default, "default"
	set := slices.IndexFunc(flag.Envs, func(name string) bool {
		_, ok := os.LookupEnv(name)
		return ok
	})
	switch {
	case set >= 0:
		value, source = os.Getenv(flag.Envs[set]), "environment"
	case value == "":
		return "", "", nil
	}
	// The flag's own Parse would mark it as given on the command line.
	from := &kong.DecodeContext{Value: flag.Value, Scan: kong.ScanFromTokens(kong.Token{Type: kong.FlagValueToken, Value: value})}
	if err := flag.Mapper.Decode(from, reflect.New(flag.Target.Type()).Elem()); err != nil {
		return "", "", configError("%s: %w", flag.Envs[0], err)
	}
	if flag.Enum != "" && !slices.Contains(flag.EnumSlice(), value) {
		return "", "", configError("%s: %q: want one of %s", flag.Envs[0], value, flag.Enum)
	}
	return value, source, nil
}
