package main

import (
	"encoding/json"
	"regexp"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Constraint is a validation condition as data. Operations:
//
//	all any not          of other constraints
//	property key         on the attribute Name, when it is there; that the key Name is there
//	items names          on each element or value; on each key
//	enum                 one of the list Value
//	pattern              the regular expression Value (RE2)
//	minimum maximum exclusive_minimum exclusive_maximum min_length max_length    the number Value
//	unique integer cidr  without value
type Constraint struct {
	Operation string          `json:"operation"`
	Value     json.RawMessage `json:"value,omitempty"`
	Name      string          `json:"name,omitempty"`
	Of        []*Constraint   `json:"of,omitempty"`
}

// A subject tells whether an expression is what a condition is about, and by which attributes below it.
type subject func(hclsyntax.Expression) (path []string, ok bool)

// What a value may be wrapped in without changing what a constraint on it means.
var transparent = []string{"toset", "tolist", "tostring", "tonumber", "tomap", "nonsensitive"}

func variableSubject(name string) subject {
	return func(expression hclsyntax.Expression) ([]string, bool) {
		names, ok := attributePath(expression)
		if !ok || len(names) < 2 || names[0] != "var" || names[1] != name {
			return nil, false
		}
		return names[2:], true
	}
}

func iteratorSubject(name string) subject {
	return func(expression hclsyntax.Expression) ([]string, bool) {
		names, ok := attributePath(expression)
		if !ok || names[0] != name {
			return nil, false
		}
		return names[1:], true
	}
}

// attributePath is a chain of names such as var.network.cidr; an index breaks it.
func attributePath(expression hclsyntax.Expression) ([]string, bool) {
	expression = unwrap(expression)
	if name, arguments := call(expression); slices.Contains(transparent, name) && len(arguments) == 1 {
		return attributePath(arguments[0])
	}
	scope, ok := expression.(*hclsyntax.ScopeTraversalExpr)
	if !ok {
		return nil, false
	}
	names := []string{scope.Traversal.RootName()}
	for _, step := range scope.Traversal[1:] {
		attribute, ok := step.(hcl.TraverseAttr)
		if !ok {
			return nil, false
		}
		names = append(names, attribute.Name)
	}
	return names, true
}

func unwrap(expression hclsyntax.Expression) hclsyntax.Expression {
	for {
		inner, ok := expression.(*hclsyntax.ParenthesesExpr)
		if !ok {
			return expression
		}
		expression = inner.Expression
	}
}

func call(expression hclsyntax.Expression) (string, []hclsyntax.Expression) {
	if function, ok := unwrap(expression).(*hclsyntax.FunctionCallExpr); ok && !function.ExpandFinal {
		return function.Name, function.Args
	}
	return "", nil
}

// recognise gives what a condition demands of its subject. The answer never demands more than the condition does;
// exact says that it doesn't demand less either.
func recognise(expression hclsyntax.Expression, about subject) (found *Constraint, exact bool) {
	switch node := unwrap(expression).(type) {
	case *hclsyntax.BinaryOpExpr:
		switch node.Op {
		case hclsyntax.OpLogicalAnd:
			return all([]hclsyntax.Expression{node.LHS, node.RHS}, about)
		case hclsyntax.OpLogicalOr:
			return either([]hclsyntax.Expression{node.LHS, node.RHS}, about)
		}
		return comparison(node, about)
	case *hclsyntax.UnaryOpExpr:
		if node.Op == hclsyntax.OpLogicalNot {
			return negation(node.Val, about)
		}
	case *hclsyntax.ConditionalExpr:
		return choice(node, about)
	case *hclsyntax.FunctionCallExpr:
		return function(node, about)
	}
	return nil, false
}

// choice reads "unless … : true", the usual way to let null or an empty text pass.
func choice(node *hclsyntax.ConditionalExpr, about subject) (*Constraint, bool) {
	if value, ok := constant(node.TrueResult); ok && value.RawEquals(cty.True) {
		return either([]hclsyntax.Expression{node.Condition, node.FalseResult}, about)
	}
	if value, ok := constant(node.FalseResult); ok && value.RawEquals(cty.True) {
		unless, exact := negation(node.Condition, about)
		found, whole := recognise(node.TrueResult, about)
		if unless != nil && found != nil {
			return &Constraint{Operation: "any", Of: []*Constraint{unless, found}}, exact && whole
		}
	}
	return nil, false
}

func all(parts []hclsyntax.Expression, about subject) (*Constraint, bool) {
	result, exact := &Constraint{Operation: "all"}, true
	for _, part := range parts {
		found, whole := recognise(part, about)
		exact = exact && whole
		if found != nil {
			result.Of = append(result.Of, found)
		}
	}
	return single(result), exact
}

func either(parts []hclsyntax.Expression, about subject) (*Constraint, bool) {
	result, exact := &Constraint{Operation: "any"}, true
	for _, part := range parts {
		found, whole := recognise(part, about)
		if found == nil { // the other way out is unknown, so nothing is demanded
			return nil, false
		}
		exact = exact && whole
		result.Of = append(result.Of, found)
	}
	return single(result), exact
}

func single(group *Constraint) *Constraint {
	switch len(group.Of) {
	case 0:
		return nil
	case 1:
		return group.Of[0]
	}
	return group
}

func negation(inner hclsyntax.Expression, about subject) (*Constraint, bool) {
	found, exact := recognise(inner, about)
	if found == nil || !exact {
		return nil, false
	}
	return &Constraint{Operation: "not", Of: []*Constraint{found}}, true
}

var mirrored = map[*hclsyntax.Operation]*hclsyntax.Operation{
	hclsyntax.OpEqual: hclsyntax.OpEqual, hclsyntax.OpNotEqual: hclsyntax.OpNotEqual,
	hclsyntax.OpGreaterThan: hclsyntax.OpLessThan, hclsyntax.OpLessThan: hclsyntax.OpGreaterThan,
	hclsyntax.OpGreaterThanOrEqual: hclsyntax.OpLessThanOrEqual, hclsyntax.OpLessThanOrEqual: hclsyntax.OpGreaterThanOrEqual,
}

var bounds = map[*hclsyntax.Operation]string{
	hclsyntax.OpGreaterThan: "exclusive_minimum", hclsyntax.OpGreaterThanOrEqual: "minimum",
	hclsyntax.OpLessThan: "exclusive_maximum", hclsyntax.OpLessThanOrEqual: "maximum",
}

func comparison(node *hclsyntax.BinaryOpExpr, about subject) (*Constraint, bool) {
	left, right, operation := unwrap(node.LHS), unwrap(node.RHS), node.Op
	if _, ok := constant(left); ok {
		left, right, operation = right, left, mirrored[operation]
	}
	if operation == nil {
		return nil, false
	}
	if operation == hclsyntax.OpEqual {
		if found := selfComparison(left, right, about); found != nil {
			return found, true
		}
	}
	value, ok := constant(right)
	if !ok {
		return nil, false
	}
	if path, ok := about(left); ok {
		found := at(path, compareWith(operation, value))
		return found, found != nil
	}
	if name, arguments := call(left); name == "length" && len(arguments) == 1 {
		return lengthOf(arguments[0], operation, value, about)
	}
	return nil, false
}

// selfComparison knows the two idioms that compare a value with a form of itself.
func selfComparison(left, right hclsyntax.Expression, about subject) *Constraint {
	for _, pair := range [][2]hclsyntax.Expression{{left, right}, {right, left}} {
		name, arguments := call(pair[0])
		if path, ok := about(pair[1]); ok && name == "floor" && len(arguments) == 1 && same(arguments[0], path, about) {
			return at(path, &Constraint{Operation: "integer"})
		}
		other, others := call(pair[1])
		if name != "length" || other != "length" || len(arguments) != 1 || len(others) != 1 {
			continue
		}
		inner, values := call(arguments[0])
		if path, ok := about(others[0]); ok && inner == "distinct" && len(values) == 1 && same(values[0], path, about) {
			return at(path, &Constraint{Operation: "unique"})
		}
	}
	return nil
}

func same(expression hclsyntax.Expression, path []string, about subject) bool {
	other, ok := about(expression)
	return ok && slices.Equal(path, other)
}

func compareWith(operation *hclsyntax.Operation, value cty.Value) *Constraint {
	equal := &Constraint{Operation: "enum", Value: plain(cty.TupleVal([]cty.Value{value}))}
	switch operation {
	case hclsyntax.OpEqual:
		return equal
	case hclsyntax.OpNotEqual:
		return &Constraint{Operation: "not", Of: []*Constraint{equal}}
	}
	bound, known := bounds[operation]
	if !known || value.IsNull() || value.Type() != cty.Number {
		return nil
	}
	return &Constraint{Operation: bound, Value: plain(value)}
}

func lengthOf(measured hclsyntax.Expression, operation *hclsyntax.Operation, value cty.Value, about subject) (*Constraint, bool) {
	if value.IsNull() || value.Type() != cty.Number {
		return nil, false
	}
	number, _ := value.AsBigFloat().Int64()
	name, arguments := call(measured)
	if path, ok := about(measured); ok && name != "toset" { // a set is shorter than its list
		found := at(path, lengthBound(operation, number))
		return found, found != nil
	}
	wantsSome := (operation == hclsyntax.OpGreaterThan && number == 0) || (operation == hclsyntax.OpGreaterThanOrEqual && number == 1) ||
		(operation == hclsyntax.OpNotEqual && number == 0)
	switch {
	case name == "trimspace" && wantsSome:
		return on(arguments[0], about, pattern(`\S`))
	case name == "regexall" && wantsSome && len(arguments) == 2:
		return matching(arguments[0], arguments[1], about)
	case name == "setsubtract" && operation == hclsyntax.OpEqual && number == 0 && len(arguments) == 2:
		if values, ok := list(arguments[1]); ok {
			return on(arguments[0], about, &Constraint{Operation: "items", Of: []*Constraint{{Operation: "enum", Value: values}}})
		}
	}
	return nil, false
}

func lengthBound(operation *hclsyntax.Operation, number int64) *Constraint {
	least := func(n int64) *Constraint { return &Constraint{Operation: "min_length", Value: integer(n)} }
	most := func(n int64) *Constraint { return &Constraint{Operation: "max_length", Value: integer(n)} }
	switch operation {
	case hclsyntax.OpGreaterThan:
		return least(number + 1)
	case hclsyntax.OpGreaterThanOrEqual:
		return least(number)
	case hclsyntax.OpLessThan:
		return most(number - 1)
	case hclsyntax.OpLessThanOrEqual:
		return most(number)
	}
	exactly := &Constraint{Operation: "all", Of: []*Constraint{least(number), most(number)}}
	switch operation {
	case hclsyntax.OpEqual:
		return exactly
	case hclsyntax.OpNotEqual:
		return &Constraint{Operation: "not", Of: []*Constraint{exactly}}
	}
	return nil
}

func integer(number int64) json.RawMessage {
	text, _ := json.Marshal(number)
	return text
}

func function(node *hclsyntax.FunctionCallExpr, about subject) (*Constraint, bool) {
	arguments := node.Args
	switch {
	case node.Name == "contains" && len(arguments) == 2:
		if values, ok := list(arguments[0]); ok {
			return on(arguments[1], about, &Constraint{Operation: "enum", Value: values})
		}
		if name, inner := call(arguments[0]); name == "keys" && len(inner) == 1 {
			if text, ok := constantText(arguments[1]); ok {
				return on(inner[0], about, &Constraint{Operation: "key", Name: text})
			}
		}
	case node.Name == "can" && len(arguments) == 1:
		return possible(arguments[0], about)
	case node.Name == "try" && len(arguments) == 2:
		if value, ok := constant(arguments[1]); ok && value.Type() == cty.Bool && value.False() {
			return recognise(arguments[0], about)
		}
	case node.Name == "startswith" && len(arguments) == 2:
		return affix(arguments, about, "^", "")
	case node.Name == "endswith" && len(arguments) == 2:
		return affix(arguments, about, "", "$")
	case (node.Name == "alltrue" || node.Name == "anytrue") && len(arguments) == 1:
		return each(node.Name, unwrap(arguments[0]), about)
	}
	return nil, false
}

// possible reads the inside of can(…): calls that fail on what they can't take.
func possible(expression hclsyntax.Expression, about subject) (*Constraint, bool) {
	name, arguments := call(expression)
	switch {
	case name == "regex" && len(arguments) == 2:
		return matching(arguments[0], arguments[1], about)
	case (name == "cidrhost" || name == "cidrnetmask" || name == "cidrsubnet") && len(arguments) > 0:
		return on(arguments[0], about, &Constraint{Operation: "cidr"})
	}
	return nil, false
}

func matching(expression, value hclsyntax.Expression, about subject) (*Constraint, bool) {
	text, ok := constantText(expression)
	if !ok {
		return nil, false
	}
	return on(value, about, pattern(text))
}

func affix(arguments []hclsyntax.Expression, about subject, before, after string) (*Constraint, bool) {
	text, ok := constantText(arguments[1])
	if !ok {
		return nil, false
	}
	return on(arguments[0], about, pattern(before+regexp.QuoteMeta(text)+after))
}

func pattern(text string) *Constraint {
	value, _ := json.Marshal(text)
	return &Constraint{Operation: "pattern", Value: value}
}

// each reads alltrue and anytrue over a literal list of conditions, and alltrue over the subject's elements or keys.
func each(name string, inside hclsyntax.Expression, about subject) (*Constraint, bool) {
	if conditions, ok := inside.(*hclsyntax.TupleConsExpr); ok {
		if name == "alltrue" {
			return all(conditions.Exprs, about)
		}
		return either(conditions.Exprs, about)
	}
	loop, ok := inside.(*hclsyntax.ForExpr)
	if !ok || name != "alltrue" || loop.KeyExpr != nil || loop.CondExpr != nil {
		return nil, false
	}
	operation, collection := "items", loop.CollExpr
	if of, arguments := call(collection); (of == "keys" || of == "values") && len(arguments) == 1 {
		collection = arguments[0]
		if of == "keys" {
			operation = "names"
		}
	}
	path, ok := about(collection)
	if !ok {
		return nil, false
	}
	result, exact := &Constraint{Operation: "all"}, false
	if found, whole := recognise(loop.ValExpr, iteratorSubject(loop.ValVar)); found != nil {
		result.Of, exact = append(result.Of, &Constraint{Operation: operation, Of: []*Constraint{found}}), whole
	}
	if loop.KeyVar != "" {
		if found, whole := recognise(loop.ValExpr, iteratorSubject(loop.KeyVar)); found != nil {
			result.Of, exact = append(result.Of, &Constraint{Operation: "names", Of: []*Constraint{found}}), exact || whole
		}
	}
	return at(path, single(result)), exact
}

func list(expression hclsyntax.Expression) (json.RawMessage, bool) {
	if name, arguments := call(expression); slices.Contains(transparent, name) && len(arguments) == 1 {
		expression = arguments[0]
	}
	value, ok := constant(expression)
	if !ok || value.IsNull() || !(value.Type().IsTupleType() || value.Type().IsListType() || value.Type().IsSetType()) {
		return nil, false
	}
	return plain(value), true
}

func on(expression hclsyntax.Expression, about subject, found *Constraint) (*Constraint, bool) {
	path, ok := about(expression)
	if !ok {
		return nil, false
	}
	return at(path, found), true
}

// at hangs a constraint below attributes.
func at(path []string, found *Constraint) *Constraint {
	if found == nil {
		return nil
	}
	for _, name := range slices.Backward(path) {
		found = &Constraint{Operation: "property", Name: name, Of: []*Constraint{found}}
	}
	return found
}
