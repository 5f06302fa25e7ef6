package graph

import (
	"encoding/json"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// The cost of an operation is the sum of the costs of its fields, in points, computed before it runs: about one for each object of the
// answer. In the SDL, @cost and @listSize say how the cost of a field, and the length of its list, differ from the usual.
//
//	field = length × (weight + all that is selected in it)
//
// If fragments for several types are selected, all of them count, although each object is of one type only.

// Weights of introspection. Its answers are large, but come from memory.
const (
	schemaWeight = 100 // __schema
	typeWeight   = 10  // __type
)

// maxCost is where adding up stops, far above every limit and far below overflow.
const maxCost = 1 << 40

// costs knows the price of each field of a schema.
type costs map[*ast.FieldDefinition]price

type price struct {
	weight int
	list   *listSize // nil: it is no list, or page says how long it is
	page   bool      // it is a list as long as the page of the field around it
	whole  bool      // weight is the whole cost, whatever is selected in it
}

// listSize is a @listSize.
type listSize struct {
	assumed   int
	arguments []string
	sized     bool // not this field is the list, but fields of it (sizedFields)
}

// costsOf reads the prices off a schema.
func costsOf(schema *ast.Schema) costs {
	c := costs{}
	for _, definition := range schema.Types {
		for _, field := range definition.Fields {
			c[field] = priceOf(schema, field, c[field].page)
			sized := field.Directives.ForName("listSize")
			if sized == nil {
				continue
			}
			for _, name := range texts(sized, "sizedFields") {
				child := schema.Types[field.Type.Name()].Fields.ForName(name)
				p := c[child]
				p.page = true
				c[child] = p
			}
		}
	}
	for name, weight := range map[string]int{"__schema": schemaWeight, "__type": typeWeight} {
		if field := schema.Query.Fields.ForName(name); field != nil {
			c[field] = price{weight: weight, whole: true}
		}
	}
	return c
}

func priceOf(schema *ast.Schema, field *ast.FieldDefinition, page bool) price {
	p := price{page: page}
	returned := schema.Types[field.Type.Name()]
	if returned != nil && returned.IsCompositeType() {
		p.weight = 1
		if d := returned.Directives.ForName("cost"); d != nil {
			p.weight = number(d, "weight")
		}
	}
	if d := field.Directives.ForName("cost"); d != nil {
		p.weight = number(d, "weight")
	}
	if d := field.Directives.ForName("listSize"); d != nil {
		p.list = &listSize{
			assumed: number(d, "assumedSize"), arguments: texts(d, "slicingArguments"), sized: len(texts(d, "sizedFields")) > 0,
		}
	}
	return p
}

// number and texts read the arguments of a directive of the schema, which gqlgen has validated.
func number(d *ast.Directive, name string) int {
	value := d.Arguments.ForName(name)
	if value == nil {
		return 0
	}
	n, _ := strconv.Atoi(value.Value.Raw) // an Int literal, by validation
	return n
}

func texts(d *ast.Directive, name string) []string {
	argument := d.Arguments.ForName(name)
	if argument == nil {
		return nil
	}
	var list []string
	for _, child := range argument.Value.Children {
		list = append(list, child.Value.Raw)
	}
	return list
}

// tally adds up the cost of one operation with its variables.
type tally struct {
	costs     costs
	variables map[string]any
	known     map[spread]int // one fragment that is spread in a hundred others is added up once
	largest   slice
}

// slice is a number of items that an argument asks for.
type slice struct {
	argument string
	n        int
}

type spread struct {
	fragment *ast.FragmentDefinition
	page     int
}

// of is the cost of an operation in points, at least 1, and the largest page that it asks for.
func (c costs) of(operation *ast.OperationDefinition, variables map[string]any) (int, slice) {
	t := tally{costs: c, variables: variables}
	return max(1, t.set(operation.SelectionSet, 1)), t.largest
}

// set adds up the cost of a selection; page is how many items the lists may have that are sizedFields of the field around it.
func (t *tally) set(selections ast.SelectionSet, page int) int {
	sum := 0
	for _, selection := range selections {
		switch s := selection.(type) {
		case *ast.Field:
			if !t.skipped(s.Directives) {
				sum += t.field(s, page)
			}
		case *ast.InlineFragment:
			if !t.skipped(s.Directives) {
				sum += t.set(s.SelectionSet, page)
			}
		case *ast.FragmentSpread:
			if !t.skipped(s.Directives) {
				sum += t.fragment(s.Definition, page)
			}
		}
		if sum >= maxCost {
			return maxCost
		}
	}
	return sum
}

func (t *tally) fragment(fragment *ast.FragmentDefinition, page int) int {
	key := spread{fragment, page}
	if sum, ok := t.known[key]; ok {
		return sum
	}
	if t.known == nil {
		t.known = map[spread]int{}
	}
	sum := t.set(fragment.SelectionSet, page)
	t.known[key] = sum
	return sum
}

func (t *tally) field(f *ast.Field, page int) int {
	p := t.costs[f.Definition]
	length, inner := 1, 1
	if p.page {
		length = page
	}
	if p.list != nil {
		n := t.length(f, p.list)
		if p.list.sized {
			inner = n
		} else {
			length *= n
		}
	}
	if p.whole {
		return p.weight
	}
	each := p.weight + t.set(f.SelectionSet, inner)
	if each > 0 && length > maxCost/each {
		return maxCost
	}
	return length * each
}

// length is how many items a list may have, by its arguments: from the document, from variables, or from the schema's
// defaults.
func (t *tally) length(f *ast.Field, list *listSize) int {
	longest, given := 0, false
	for _, name := range list.arguments {
		if n, ok := t.sliced(f, name); ok {
			longest, given = max(longest, n), true
		}
	}
	if !given {
		return list.assumed
	}
	return longest
}

// sliced is the number of items that an argument asks for; false if it is not given. A value of a wrong type counts as not given; it is
// refused elsewhere.
func (t *tally) sliced(f *ast.Field, name string) (int, bool) {
	value := valueOf(f, name)
	if value == nil {
		return 0, false
	}
	given, err := value.Value(t.variables)
	if err != nil || given == nil {
		return 0, false
	}
	if f.Definition.Arguments.ForName(name).Type.Elem != nil {
		return len(graphql.CoerceList(given)), true
	}
	var n int64
	switch v := given.(type) {
	case int64:
		n = v
	case int:
		n = int64(v)
	case float64:
		n = int64(min(v, maxCost))
	case json.Number:
		if n, err = v.Int64(); err != nil {
			return 0, false
		}
	default:
		return 0, false
	}
	size := int(min(n, maxCost))
	if size > t.largest.n {
		t.largest = slice{name, size}
	}
	return max(0, size), true
}

// valueOf is what a field is given for an argument, or the schema's default, or nil.
func valueOf(f *ast.Field, name string) *ast.Value {
	if given := f.Arguments.ForName(name); given != nil {
		return given.Value
	}
	if f.Definition == nil {
		return nil
	}
	if defined := f.Definition.Arguments.ForName(name); defined != nil {
		return defined.DefaultValue
	}
	return nil
}

// skipped says whether @skip or @include leave a selection out.
func (t *tally) skipped(directives ast.DirectiveList) bool {
	for _, d := range directives {
		if d.Name != "skip" && d.Name != "include" {
			continue
		}
		argument := d.Arguments.ForName("if")
		if argument == nil {
			continue
		}
		condition, err := argument.Value.Value(t.variables)
		if on, ok := condition.(bool); err == nil && ok && on == (d.Name == "skip") {
			return true
		}
	}
	return false
}
