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

// attributePath is a chain of names such as var.network.cidr or var.tags["Team"]; an index that is no name breaks it. What stands
// in for an absent value (lookup's default, coalesce's empty list) is passed over: guarded tells where that loses something.
func attributePath(expression hclsyntax.Expression) ([]string, bool) {
	expression = unwrap(expression)
	name, arguments := call(expression)
	switch {
	case slices.Contains(transparent, name) && len(arguments) == 1:
		return attributePath(arguments[0])
	case name == "lookup" && len(arguments) == 3:
		names, ok := attributePath(arguments[0])
		key, constant := constantText(arguments[1])
		return append(slices.Clone(names), key), ok && constant
	case name == "coalesce" && len(arguments) == 2 && isEmpty(arguments[1]):
		return attributePath(arguments[0])
	}
	scope, ok := expression.(*hclsyntax.ScopeTraversalExpr)
	if !ok {
		return nil, false
	}
	names := []string{scope.Traversal.RootName()}
	for _, step := range scope.Traversal[1:] {
		name, ok := stepName(step)
		if !ok {
			return nil, false
		}
		names = append(names, name)
	}
	return names, true
}

func stepName(step hcl.Traverser) (string, bool) {
	switch step := step.(type) {
	case hcl.TraverseAttr:
		return step.Name, true
	case hcl.TraverseIndex:
		if step.Key.Type() == cty.String && step.Key.IsKnown() && !step.Key.IsNull() {
			return step.Key.AsString(), true
		}
	}
	return "", false
}

func isEmpty(expression hclsyntax.Expression) bool {
	value, ok := constant(expression)
	return ok && !value.IsNull() && value.CanIterateElements() && value.LengthInt() == 0
}

// guarded tells whether every lookup of an expression only asks whether there is something: any other default may decide the
// condition where the key is absent, and a constraint speaks of what is there.
func guarded(expression hclsyntax.Expression) bool {
	lookups, asking := 0, 0
	_ = hclsyntax.VisitAll(expression, func(node hclsyntax.Node) hcl.Diagnostics {
		switch node := node.(type) {
		case *hclsyntax.FunctionCallExpr:
			if node.Name == "lookup" {
				lookups++
			}
		case *hclsyntax.BinaryOpExpr:
			if (node.Op == hclsyntax.OpEqual || node.Op == hclsyntax.OpNotEqual) && asksForPresence(node.LHS, node.RHS) {
				asking++
			}
		}
		return nil
	})
	return lookups == asking
}

func asksForPresence(left, right hclsyntax.Expression) bool {
	name, arguments := call(left)
	return name == "lookup" && len(arguments) == 3 && isNull(arguments[2]) && isNull(right)
}

func isNull(expression hclsyntax.Expression) bool {
	value, ok := constant(expression)
	return ok && value.IsNull()
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
	return shared(single(result)), exact
}

// shared draws a property that all ways out are about in front of them: then they can be said as keywords of that property.
func shared(group *Constraint) *Constraint {
	if group == nil || group.Operation != "any" {
		return group
	}
	inner := &Constraint{Operation: group.Operation}
	for _, part := range group.Of {
		if part.Operation != "property" || part.Name != group.Of[0].Name {
			return group
		}
		inner.Of = append(inner.Of, part.Of[0])
	}
	return &Constraint{Operation: "property", Name: group.Of[0].Name, Of: []*Constraint{shared(inner)}}
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
	return opposite(found), true
}

// opposite stays below properties, so that it speaks of what is there and no more.
func opposite(found *Constraint) *Constraint {
	turned := map[string]string{"all": "any", "any": "all", "property": "property"}
	operation, known := turned[found.Operation]
	switch {
	case found.Operation == "not":
		return found.Of[0]
	case !known:
		return &Constraint{Operation: "not", Of: []*Constraint{found}}
	}
	result := &Constraint{Operation: operation, Name: found.Name}
	for _, part := range found.Of {
		result.Of = append(result.Of, opposite(part))
	}
	return result
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
		if path, ok := about(pair[1]); ok && (name == "floor" || name == "ceil") && len(arguments) == 1 && same(arguments[0], path, about) {
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
		return opposite(equal)
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
		return attempt(arguments, about)
	case node.Name == "startswith" && len(arguments) == 2:
		return affix(arguments, about, "^", "")
	case node.Name == "endswith" && len(arguments) == 2:
		return affix(arguments, about, "", "$")
	case (node.Name == "alltrue" || node.Name == "anytrue") && len(arguments) == 1:
		return each(node.Name, unwrap(arguments[0]), about)
	}
	return nil, false
}

// attempt reads try(condition, otherwise): where the condition fails on null, an otherwise of true lets null pass.
func attempt(arguments []hclsyntax.Expression, about subject) (*Constraint, bool) {
	value, ok := constant(arguments[1])
	if !ok || value.IsNull() || value.Type() != cty.Bool {
		return nil, false
	}
	found, exact := recognise(arguments[0], about)
	if found == nil || value.False() {
		return found, exact
	}
	null := &Constraint{Operation: "enum", Value: json.RawMessage("[null]")}
	return &Constraint{Operation: "any", Of: []*Constraint{null, found}}, false
}

// possible reads the inside of can(…): calls that fail on what they can't take.
func possible(expression hclsyntax.Expression, about subject) (*Constraint, bool) {
	name, arguments := call(expression)
	switch {
	case name == "regex" && len(arguments) == 2:
		return matching(arguments[0], arguments[1], about)
	case (name == "cidrhost" || name == "cidrnetmask" || name == "cidrsubnet") && len(arguments) > 0:
		return on(arguments[0], about, &Constraint{Operation: "cidr"})
	case name == "index" && len(arguments) == 2:
		if values, ok := list(arguments[0]); ok {
			return on(arguments[1], about, &Constraint{Operation: "enum", Value: values})
		}
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
	loop, nested := inside, false
	if flat, arguments := call(inside); flat == "flatten" && len(arguments) == 1 {
		loop, nested = unwrap(arguments[0]), true
	}
	if over, ok := loop.(*hclsyntax.ForExpr); ok && name == "alltrue" && over.KeyExpr == nil && over.CondExpr == nil {
		return elementwise(over, nested, about)
	}
	return nil, false
}

// elementwise reads the loop of alltrue([for …]), and where it is nested that of alltrue(flatten([for … : [for …]])).
func elementwise(loop *hclsyntax.ForExpr, nested bool, about subject) (*Constraint, bool) {
	inside := func(names subject) (*Constraint, bool) {
		if nested {
			return each("alltrue", unwrap(loop.ValExpr), names)
		}
		return recognise(loop.ValExpr, names)
	}
	if only, ok := unwrap(loop.CollExpr).(*hclsyntax.TupleConsExpr); ok && len(only.Exprs) == 1 {
		path, ok := about(only.Exprs[0])
		if !ok {
			return nil, false
		}
		found, exact := inside(iteratorSubject(loop.ValVar))
		return at(path, found), exact
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
	found, exact := inside(iteratorSubject(loop.ValVar))
	result := wrapped(&Constraint{Operation: "all"}, operation, found)
	if loop.KeyVar != "" {
		found, whole := inside(iteratorSubject(loop.KeyVar))
		result = wrapped(result, "names", found)
		exact = exact || whole || separable(loop, nested)
	}
	return at(path, single(result)), exact
}

func wrapped(result *Constraint, operation string, found *Constraint) *Constraint {
	if found != nil {
		result.Of = append(result.Of, &Constraint{Operation: operation, Of: []*Constraint{found}})
	}
	return result
}

// separable tells whether each part of a loop's condition is wholly about the key or wholly about the value.
func separable(loop *hclsyntax.ForExpr, nested bool) bool {
	if nested {
		return false
	}
	for _, part := range conjuncts(loop.ValExpr) {
		_, byValue := recognise(part, iteratorSubject(loop.ValVar))
		_, byKey := recognise(part, iteratorSubject(loop.KeyVar))
		if !byValue && !byKey {
			return false
		}
	}
	return true
}

func conjuncts(expression hclsyntax.Expression) []hclsyntax.Expression {
	if node, ok := unwrap(expression).(*hclsyntax.BinaryOpExpr); ok && node.Op == hclsyntax.OpLogicalAnd {
		return append(conjuncts(node.LHS), conjuncts(node.RHS)...)
	}
	return []hclsyntax.Expression{expression}
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
