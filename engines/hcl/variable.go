package main

import (
	"encoding/json"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// Variable is one variable block. Default is as written, converted only where the type is primitive; HasDefault tells null from absent.
type Variable struct {
	Name           string          `json:"name"`
	TypeExpression string          `json:"type_expression"`
	Type           *Type           `json:"type"`
	Description    *string         `json:"description"`
	Default        json.RawMessage `json:"default"`
	HasDefault     bool            `json:"has_default"`
	Sensitive      bool            `json:"sensitive"`
	Ephemeral      bool            `json:"ephemeral"`
	Nullable       bool            `json:"nullable"`
	Deprecated     *string         `json:"deprecated"`
	Validations    []Validation    `json:"validations"`
	Place
}

// Validation is one validation block: its texts, and what of its condition is understood. Exact says that Constraint is all of it.
type Validation struct {
	Condition    string      `json:"condition"`
	ErrorMessage string      `json:"error_message"`
	Constraint   *Constraint `json:"constraint"`
	Exact        bool        `json:"exact"`
}

// Type is a type constraint as a tree. Kind is any, string, number, bool, list, set, map, tuple or object.
type Type struct {
	Kind       string               `json:"kind"`
	Element    *Type                `json:"element,omitempty"`
	Elements   []*Type              `json:"elements,omitempty"`
	Attributes map[string]Attribute `json:"attributes,omitempty"`
}

// Attribute is one attribute of an object type; Default is that of optional(type, default).
type Attribute struct {
	Type     *Type           `json:"type"`
	Optional bool            `json:"optional"`
	Default  json.RawMessage `json:"default,omitempty"`
}

var anyType = &Type{Kind: "any"}

// Terraform still accepts the words of 0.11, bare or quoted.
var legacyTypes = map[string]cty.Type{
	"string": cty.String, "list": cty.List(cty.DynamicPseudoType), "map": cty.Map(cty.DynamicPseudoType),
}

func (r *reader) readVariable(block *hcl.Block) {
	content := r.attributes(block, "type", "description", "default", "sensitive", "nullable", "ephemeral", "deprecated")
	variable := &Variable{
		Name: block.Labels[0], Type: anyType, TypeExpression: "any", Default: json.RawMessage("null"),
		Nullable: true, Validations: []Validation{}, Place: place(block.DefRange),
	}
	if known, ok := r.variables[variable.Name]; ok {
		if !isOverride(variable.File) {
			r.duplicate("variable", variable.Name, known.Place, block.DefRange)
			return
		}
		variable = known
	} else {
		r.variables[variable.Name] = variable
		r.module.Variables = append(r.module.Variables, variable)
	}
	r.fill(variable, content)
	r.readValidations(variable, block)
}

func (r *reader) fill(variable *Variable, content hcl.Attributes) {
	wanted := cty.DynamicPseudoType
	if attribute, ok := content["type"]; ok {
		wanted = r.readType(variable, attribute.Expr)
	}
	if attribute, ok := content["description"]; ok {
		variable.Description = r.text(attribute)
	}
	if attribute, ok := content["deprecated"]; ok {
		variable.Deprecated = r.text(attribute)
	}
	if attribute, ok := content["default"]; ok {
		r.readDefault(variable, attribute.Expr, wanted)
	}
	// A flag that can't be read is taken for the careful answer: secret, and null allowed.
	for name, flag := range map[string]*bool{
		"sensitive": &variable.Sensitive, "ephemeral": &variable.Ephemeral, "nullable": &variable.Nullable,
	} {
		if attribute, ok := content[name]; ok {
			*flag = truth(attribute.Expr, true)
		}
	}
}

func (r *reader) readType(variable *Variable, expression hcl.Expression) cty.Type {
	variable.TypeExpression = r.source(expression)
	word := hcl.ExprAsKeyword(expression)
	if text, ok := constantText(expression); ok {
		word = text
	}
	if legacy, ok := legacyTypes[word]; ok {
		variable.Type = tree(legacy, nil)
		return legacy
	}
	wanted, defaults, diags := typeexpr.TypeConstraintWithDefaults(expression)
	r.report(diags)
	if diags.HasErrors() {
		return cty.DynamicPseudoType
	}
	variable.Type = tree(wanted, defaults)
	return wanted
}

func (r *reader) readDefault(variable *Variable, expression hcl.Expression, wanted cty.Type) {
	variable.HasDefault = true
	value, diags := expression.Value(nil)
	r.report(diags)
	if diags.HasErrors() {
		return
	}
	converted, err := convert.Convert(value, wanted)
	if err != nil {
		at := expression.Range()
		r.report(hcl.Diagnostics{{
			Severity: hcl.DiagError, Summary: "Invalid default value for variable", Subject: &at,
			Detail: "This default value is not compatible with the variable's type constraint: " + err.Error() + ".",
		}})
	} else if wanted.IsPrimitiveType() {
		value = converted
	}
	variable.Default = plain(value)
}

func (r *reader) readValidations(variable *Variable, block *hcl.Block) {
	content, _, _ := block.Body.PartialContent(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "validation"}}})
	for _, inner := range content.Blocks {
		attributes, _, diags := inner.Body.PartialContent(&hcl.BodySchema{
			Attributes: []hcl.AttributeSchema{{Name: "condition", Required: true}, {Name: "error_message", Required: true}},
		})
		r.report(diags)
		condition, ok := attributes.Attributes["condition"]
		if !ok {
			continue
		}
		validation := Validation{Condition: r.source(condition.Expr)}
		if message, ok := attributes.Attributes["error_message"]; ok {
			text, constant := constantText(message.Expr)
			if !constant {
				text = r.source(message.Expr)
			}
			validation.ErrorMessage = text
		}
		expression, _ := hclsyntax.ParseExpression([]byte(validation.Condition), variable.File, hcl.InitialPos)
		if expression != nil {
			validation.Constraint, validation.Exact = recognise(expression, variableSubject(variable.Name))
			validation.Exact = validation.Exact && guarded(expression)
		}
		variable.Validations = append(variable.Validations, validation)
	}
}

// source is an expression as written; in JSON syntax, the expression that the string holds.
func (r *reader) source(expression hcl.Expression) string {
	at := expression.Range()
	text := string(at.SliceBytes(r.parser.Sources()[at.Filename]))
	if strings.HasSuffix(at.Filename, ".json") {
		var inner string
		if json.Unmarshal([]byte(text), &inner) == nil {
			text = inner
		}
		if strings.HasPrefix(text, "${") && strings.HasSuffix(text, "}") {
			text = text[2 : len(text)-1]
		}
	}
	return text
}

func tree(wanted cty.Type, defaults *typeexpr.Defaults) *Type {
	switch {
	case wanted == cty.String:
		return &Type{Kind: "string"}
	case wanted == cty.Number:
		return &Type{Kind: "number"}
	case wanted == cty.Bool:
		return &Type{Kind: "bool"}
	case wanted.IsListType():
		return &Type{Kind: "list", Element: tree(wanted.ElementType(), child(defaults, ""))}
	case wanted.IsSetType():
		return &Type{Kind: "set", Element: tree(wanted.ElementType(), child(defaults, ""))}
	case wanted.IsMapType():
		return &Type{Kind: "map", Element: tree(wanted.ElementType(), child(defaults, ""))}
	case wanted.IsTupleType():
		return tuple(wanted, defaults)
	case wanted.IsObjectType():
		return object(wanted, defaults)
	}
	return anyType
}

func tuple(wanted cty.Type, defaults *typeexpr.Defaults) *Type {
	result := &Type{Kind: "tuple", Elements: []*Type{}}
	for index, element := range wanted.TupleElementTypes() {
		number, _ := json.Marshal(index)
		result.Elements = append(result.Elements, tree(element, child(defaults, string(number))))
	}
	return result
}

func object(wanted cty.Type, defaults *typeexpr.Defaults) *Type {
	result := &Type{Kind: "object", Attributes: map[string]Attribute{}}
	for name, inner := range wanted.AttributeTypes() {
		attribute := Attribute{Type: tree(inner, child(defaults, name)), Optional: wanted.AttributeOptional(name)}
		if defaults != nil {
			if value, ok := defaults.DefaultValues[name]; ok {
				attribute.Default = plain(value)
			}
		}
		result.Attributes[name] = attribute
	}
	return result
}

func child(defaults *typeexpr.Defaults, name string) *typeexpr.Defaults {
	if defaults == nil {
		return nil
	}
	return defaults.Children[name]
}

// plain is a value as JSON; what can't be written is null.
func plain(value cty.Value) json.RawMessage {
	if !value.IsWhollyKnown() {
		return json.RawMessage("null")
	}
	text, err := ctyjson.Marshal(value, value.Type())
	if err != nil {
		return json.RawMessage("null")
	}
	return text
}

// constant evaluates an expression that refers to nothing.
func constant(expression hcl.Expression) (cty.Value, bool) {
	if len(expression.Variables()) > 0 {
		return cty.NilVal, false
	}
	value, diags := expression.Value(nil)
	if diags.HasErrors() || !value.IsWhollyKnown() {
		return cty.NilVal, false
	}
	return value, true
}

func constantText(expression hcl.Expression) (string, bool) {
	value, ok := constant(expression)
	if !ok || value.IsNull() || value.Type() != cty.String {
		return "", false
	}
	return value.AsString(), true
}

func truth(expression hcl.Expression, otherwise bool) bool {
	value, ok := constant(expression)
	if !ok {
		return otherwise
	}
	converted, err := convert.Convert(value, cty.Bool)
	if err != nil || converted.IsNull() {
		return otherwise
	}
	return converted.True()
}
