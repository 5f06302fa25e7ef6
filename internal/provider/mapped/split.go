package mapped

import (
	"slices"
	"strings"

	"github.com/itchyny/gojq"
)

// part is a piece of a program.
type part struct {
	query     *gojq.Query
	variables []string // those that earlier parts have bound
}

// split cuts a program after each expression that yields many values, as `.days[] | .talks[] | {…}` after the brackets.
// Pipes are associative, so running each part on every value of the part before gives the same as running the whole program;
// but an error then ends only the run on one value.
func split(q *gojq.Query) []part {
	var parts []part
	var variables []string
	for {
		head, rest, bound, ok := cut(q, variables)
		if !ok {
			return append(parts, part{q, variables})
		}
		parts = append(parts, part{head, variables})
		variables = slices.Concat(variables, bound)
		q = rest
	}
}

// cut cuts a program in two. The head yields arrays of a value and of the variables that the head has bound, for the rest. variables
// are those bound before. ok is false if the program has no expression that yields many, or can't be cut.
func cut(q *gojq.Query, variables []string) (head, rest *gojq.Query, bound []string, ok bool) {
	var spine []*gojq.Query
	var defs []*gojq.FuncDef
	for ; q.Op == gojq.OpPipe && len(q.Patterns) <= 1; q = q.Right {
		defs = append(defs, q.FuncDefs...)
		for _, pattern := range q.Patterns {
			for _, name := range namesIn(pattern) {
				if slices.Contains(variables, name) || slices.Contains(bound, name) {
					return nil, nil, nil, false // bound twice: a function that is defined in between may use the first of the two
				}
				bound = append(bound, name)
			}
		}
		spine = append(spine, q)
		if !yieldsMany(q.Left, defs) {
			continue
		}
		head = bundle(bound)
		for _, node := range slices.Backward(spine) {
			above := *node
			above.Right = head
			head = &above
		}
		rest := *q.Right
		rest.FuncDefs = slices.Concat(defs, rest.FuncDefs)
		return head, &rest, bound, true
	}
	return nil, nil, nil, false
}

// yieldsMany reports whether an expression yields many values, as far as its syntax shows. defs are the functions that are defined.
func yieldsMany(q *gojq.Query, defs []*gojq.FuncDef) bool {
	if q == nil {
		return false
	}
	if q.Term == nil {
		switch q.Op {
		case gojq.OpPipe, gojq.OpAlt:
			return yieldsMany(q.Left, defs) || yieldsMany(q.Right, defs)
		case gojq.OpComma:
			return true
		default:
			return false
		}
	}
	for _, suffix := range q.Term.SuffixList {
		if suffix.Iter {
			return true
		}
	}
	switch t := q.Term; t.Type {
	case gojq.TermTypeRecurse:
		return true
	case gojq.TermTypeQuery:
		return yieldsMany(t.Query, defs)
	case gojq.TermTypeTry:
		return yieldsMany(t.Try.Body, defs)
	case gojq.TermTypeIf:
		return yieldsMany(t.If.Then, defs) || yieldsMany(t.If.Else, defs)
	case gojq.TermTypeForeach:
		return true
	case gojq.TermTypeFunc:
		if slices.Contains([]string{"recurse", "range", "repeat", "repeats", "splits", "limit", "combinations"}, t.Func.Name) {
			return true
		}
		for i, def := range slices.Backward(defs) {
			if def.Name == t.Func.Name && len(def.Args) == len(t.Func.Args) {
				return yieldsMany(def.Body, defs[:i])
			}
		}
	default:
	}
	return false
}

// namesIn lists the variables that a pattern binds.
func namesIn(p *gojq.Pattern) (names []string) {
	if p == nil {
		return nil
	}
	if p.Name != "" {
		names = append(names, p.Name)
	}
	for _, element := range p.Array {
		names = append(names, namesIn(element)...)
	}
	for _, member := range p.Object {
		if member.Key != "" && member.Key[0] == '$' {
			names = append(names, member.Key)
		}
		names = append(names, namesIn(member.Val)...)
	}
	return names
}

// bundle is the array [., $a, $b] of the value and of variables.
func bundle(variables []string) *gojq.Query {
	elements := &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeIdentity}}
	for _, name := range variables {
		variable := &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeFunc, Func: &gojq.Func{Name: name}}}
		elements = &gojq.Query{Left: elements, Op: gojq.OpComma, Right: variable}
	}
	return &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeArray, Array: &gojq.Array{Query: elements}}}
}

func parenthesized(q *gojq.Query) *gojq.Query {
	return &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeQuery, Query: q}}
}

func pipe(left, right *gojq.Query) *gojq.Query {
	return &gojq.Query{Left: left, Op: gojq.OpPipe, Right: right}
}

// listPath is the path of the list in an expression such as `.a.b[]`; nil for any other expression. That of `.[]` is empty, not nil.
func listPath(q *gojq.Query) []string {
	if q == nil || q.Term == nil || len(q.FuncDefs) > 0 || len(q.Term.SuffixList) == 0 {
		return nil
	}
	path := []string{}
	switch q.Term.Type {
	case gojq.TermTypeIdentity:
	case gojq.TermTypeIndex:
		if q.Term.Index.Name == "" {
			return nil
		}
		path = append(path, q.Term.Index.Name)
	default:
		return nil
	}
	suffixes := q.Term.SuffixList
	for _, suffix := range suffixes[:len(suffixes)-1] {
		if suffix.Index == nil || suffix.Index.Name == "" {
			return nil
		}
		path = append(path, suffix.Index.Name)
	}
	if last := suffixes[len(suffixes)-1]; !last.Iter || last.Optional {
		return nil
	}
	return path
}

// keyOf is the program with nothing left in its object but id and seriesId, or nil if it does not end
// in an object with one of these. In a sum of objects, only the first object counts.
func keyOf(q *gojq.Query) *gojq.Query {
	copied := *q
	switch q.Op {
	case gojq.OpPipe:
		if copied.Right = keyOf(q.Right); copied.Right == nil {
			return nil
		}
		return &copied
	case gojq.OpAdd:
		first := keyOf(q.Left)
		if first == nil {
			return nil
		}
		copied = *first
		copied.FuncDefs = slices.Concat(q.FuncDefs, first.FuncDefs)
		return &copied
	default:
	}
	if q.Term == nil || q.Term.Type != gojq.TermTypeObject || len(q.Term.SuffixList) > 0 {
		return nil
	}
	object := &gojq.Object{}
	for _, member := range q.Term.Object.KeyVals {
		name := member.Key
		if member.KeyString != nil && len(member.KeyString.Queries) == 0 {
			name = member.KeyString.Str
		}
		switch name {
		case "id", "$id", "seriesId", "$seriesId":
			object.KeyVals = append(object.KeyVals, member)
		}
	}
	if len(object.KeyVals) == 0 {
		return nil
	}
	copied.Term = &gojq.Term{Type: gojq.TermTypeObject, Object: object}
	return &copied
}

// bare is a program that keyOf made, with nothing left in its object.
func bare(key *gojq.Query) *gojq.Query {
	copied := *key
	if key.Op == gojq.OpPipe {
		copied.Right = bare(key.Right)
	} else {
		copied.Term = &gojq.Term{Type: gojq.TermTypeObject, Object: &gojq.Object{}}
	}
	return &copied
}

// seriesOf is the object in which the program ends with nothing left in it but seriesId, if that is a variable which the program does
// not bind itself; else nil.
func seriesOf(q *gojq.Query) *gojq.Query {
	var bound []string
	for ; q.Op == gojq.OpPipe; q = q.Right {
		for _, pattern := range q.Patterns {
			bound = append(bound, namesIn(pattern)...)
		}
	}
	for q.Op == gojq.OpAdd {
		q = q.Left
	}
	if q = keyOf(q); q == nil {
		return nil
	}
	for _, member := range q.Term.Object.KeyVals {
		name := ""
		switch value := member.Val; {
		case member.Key == "$seriesId":
			name = member.Key
		case member.Key == "seriesId" && value != nil && value.Term != nil && value.Term.Type == gojq.TermTypeFunc && len(value.Term.SuffixList) == 0:
			name = value.Term.Func.Name
		}
		if strings.HasPrefix(name, "$") && !slices.Contains(bound, name) {
			return &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeObject, Object: &gojq.Object{KeyVals: []*gojq.ObjectKeyVal{member}}}}
		}
	}
	return nil
}

// endingIn is a part that cut has made, with another end in place of its last two expressions: the one that yields many, and the
// bundle. Variables that are bound before them stay bound.
func endingIn(end, part *gojq.Query) *gojq.Query {
	if part.Right == nil || part.Right.Op != gojq.OpPipe {
		return end
	}
	copied := *part
	copied.Right = endingIn(end, part.Right)
	return &copied
}
