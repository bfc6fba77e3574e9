// Package main reads what a Terraform module says about itself, with HashiCorp's own HCL parser: variables, outputs, providers,
// module calls and resource types. What doesn't parse becomes a diagnostic, and the rest is still read.
package main

import (
	"encoding/json"
	"path"
	"slices"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
)

// Module is everything the engine answers.
type Module struct {
	Variables       []*Variable  `json:"variables"`
	Outputs         []*Output    `json:"outputs"`
	Providers       []*Provider  `json:"providers"`
	RequiredVersion []string     `json:"required_version"`
	Modules         []*Call      `json:"modules"`
	Resources       []*Resource  `json:"resources"`
	Backend         *Backend     `json:"backend"`
	Diagnostics     []Diagnostic `json:"diagnostics"`
}

// Place is where a block stands.
type Place struct {
	File string `json:"file"`
	Line int    `json:"line"`
}

// Output is one output block.
type Output struct {
	Name        string  `json:"name"`
	Description *string `json:"description"`
	Sensitive   bool    `json:"sensitive"`
	Deprecated  *string `json:"deprecated"`
	Place
}

// Provider is one provider requirement; Source and Version are null where only a provider or resource block implies it.
type Provider struct {
	Name    string  `json:"name"`
	Source  *string `json:"source"`
	Version *string `json:"version"`
	Place
}

// Call is one module block; Arguments are those that are no part of Terraform's own language.
type Call struct {
	Name      string              `json:"name"`
	Source    *string             `json:"source"`
	Version   *string             `json:"version"`
	Arguments map[string]Argument `json:"arguments"`
	Place
}

// Argument is one argument of a module block: as written and, where that refers to nothing, its value.
type Argument struct {
	Expression string          `json:"expression"`
	Value      json.RawMessage `json:"value"`
}

// The arguments of a module block that every module takes, and how long an expression is kept whole.
var metaArguments = []string{"source", "version", "providers", "count", "for_each", "depends_on"}

const longestExpression = 500

// Resource is a resource type with the number of its blocks; Mode is managed, data or ephemeral.
type Resource struct {
	Mode  string `json:"mode"`
	Type  string `json:"type"`
	Count int    `json:"count"`
}

// Backend is where the module itself says its state lies; Type is cloud for a cloud block.
type Backend struct {
	Type string `json:"type"`
	Place
}

// Diagnostic is one of HCL's, with its place.
type Diagnostic struct {
	Severity string `json:"severity"`
	Summary  string `json:"summary"`
	Detail   string `json:"detail"`
	File     string `json:"file"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
}

type reader struct {
	module    *Module
	parser    *hclparse.Parser
	variables map[string]*Variable
	outputs   map[string]*Output
	providers map[string]*Provider
	resources map[[2]string]*Resource
}

var fileSchema = &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{
	{Type: "terraform"},
	{Type: "variable", LabelNames: []string{"name"}},
	{Type: "output", LabelNames: []string{"name"}},
	{Type: "provider", LabelNames: []string{"name"}},
	{Type: "module", LabelNames: []string{"name"}},
	{Type: "resource", LabelNames: []string{"type", "name"}},
	{Type: "data", LabelNames: []string{"type", "name"}},
	{Type: "ephemeral", LabelNames: []string{"type", "name"}},
}}

var terraformSchema = &hcl.BodySchema{
	Attributes: []hcl.AttributeSchema{{Name: "required_version"}},
	Blocks: []hcl.BlockHeaderSchema{
		{Type: "required_providers"}, {Type: "backend", LabelNames: []string{"type"}}, {Type: "cloud"},
	},
}

// ReadModule reads the files of one directory, given by name; override files last, as Terraform does.
func ReadModule(files map[string]string) *Module {
	r := &reader{
		module: &Module{
			Variables: []*Variable{}, Outputs: []*Output{}, Providers: []*Provider{}, RequiredVersion: []string{},
			Modules: []*Call{}, Resources: []*Resource{}, Diagnostics: []Diagnostic{},
		},
		parser:    hclparse.NewParser(),
		variables: map[string]*Variable{}, outputs: map[string]*Output{},
		providers: map[string]*Provider{}, resources: map[[2]string]*Resource{},
	}
	for _, name := range inOrder(files) {
		r.readFile(name, files[name])
	}
	r.finish()
	return r.module
}

func inOrder(files map[string]string) []string {
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	sort.Slice(names, func(i, j int) bool {
		if isOverride(names[i]) != isOverride(names[j]) {
			return isOverride(names[j])
		}
		return names[i] < names[j]
	})
	return names
}

func isOverride(name string) bool {
	stem := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(path.Base(name), ".json"), ".tf"), ".tofu")
	return stem == "override" || strings.HasSuffix(stem, "_override")
}

func (r *reader) readFile(name, text string) {
	var file *hcl.File
	var diags hcl.Diagnostics
	if strings.HasSuffix(name, ".json") {
		file, diags = r.parser.ParseJSON([]byte(text), name)
	} else {
		file, diags = r.parser.ParseHCL([]byte(text), name)
	}
	r.report(diags)
	if file == nil || file.Body == nil {
		return
	}
	content, _, diags := file.Body.PartialContent(fileSchema)
	r.report(diags)
	for _, block := range content.Blocks {
		r.readBlock(block)
	}
}

func (r *reader) readBlock(block *hcl.Block) {
	switch block.Type {
	case "terraform":
		r.readTerraform(block)
	case "variable":
		r.readVariable(block)
	case "output":
		r.readOutput(block)
	case "provider":
		r.implyProvider(block.Labels[0], place(block.DefRange))
	case "module":
		r.readCall(block)
	default:
		r.readResource(block)
	}
}

func (r *reader) readTerraform(block *hcl.Block) {
	content, _, diags := block.Body.PartialContent(terraformSchema)
	r.report(diags)
	if attribute, ok := content.Attributes["required_version"]; ok {
		if version := r.text(attribute); version != nil {
			r.module.RequiredVersion = append(r.module.RequiredVersion, *version)
		}
	}
	for _, inner := range content.Blocks {
		switch inner.Type {
		case "required_providers":
			r.readProviders(inner)
		case "backend":
			r.module.Backend = &Backend{Type: inner.Labels[0], Place: place(inner.DefRange)}
		case "cloud":
			r.module.Backend = &Backend{Type: "cloud", Place: place(inner.DefRange)}
		}
	}
}

func (r *reader) readProviders(block *hcl.Block) {
	attributes, diags := block.Body.JustAttributes()
	r.report(diags)
	for name, attribute := range attributes {
		provider := &Provider{Name: name, Place: place(attribute.Range)}
		pairs, diags := hcl.ExprMap(attribute.Expr)
		if diags.HasErrors() { // the form of Terraform 0.12: aws = "~> 2.0"
			provider.Version = r.text(attribute)
		}
		for _, pair := range pairs {
			key, _ := constantText(pair.Key)
			if value, ok := constantText(pair.Value); ok {
				switch key {
				case "source":
					provider.Source = &value
				case "version":
					provider.Version = &value
				}
			}
		}
		r.providers[name] = provider
	}
}

func (r *reader) implyProvider(name string, at Place) {
	if _, known := r.providers[name]; !known {
		r.providers[name] = &Provider{Name: name, Place: at}
	}
}

func (r *reader) readOutput(block *hcl.Block) {
	content := r.attributes(block, "description", "sensitive", "value", "depends_on", "ephemeral", "deprecated", "type")
	output := &Output{Name: block.Labels[0], Place: place(block.DefRange)}
	if known, ok := r.outputs[output.Name]; ok {
		if !isOverride(output.File) {
			r.duplicate("output", output.Name, known.Place, block.DefRange)
			return
		}
		output = known
	} else {
		r.outputs[output.Name] = output
		r.module.Outputs = append(r.module.Outputs, output)
	}
	if attribute, ok := content["description"]; ok {
		output.Description = r.text(attribute)
	}
	if attribute, ok := content["sensitive"]; ok {
		output.Sensitive = truth(attribute.Expr, true)
	}
	if attribute, ok := content["deprecated"]; ok {
		output.Deprecated = r.text(attribute)
	}
}

func (r *reader) readCall(block *hcl.Block) {
	call := &Call{Name: block.Labels[0], Arguments: map[string]Argument{}, Place: place(block.DefRange)}
	content, rest, diags := block.Body.PartialContent(&hcl.BodySchema{
		Attributes: []hcl.AttributeSchema{{Name: "source"}, {Name: "version"}},
	})
	r.report(diags)
	if attribute, ok := content.Attributes["source"]; ok {
		call.Source = r.text(attribute)
	}
	if attribute, ok := content.Attributes["version"]; ok {
		call.Version = r.text(attribute)
	}
	arguments, _ := rest.JustAttributes()
	for name, attribute := range arguments {
		if !slices.Contains(metaArguments, name) {
			call.Arguments[name] = r.argument(attribute.Expr)
		}
	}
	r.module.Modules = append(r.module.Modules, call)
}

func (r *reader) argument(expression hcl.Expression) Argument {
	argument := Argument{Expression: r.source(expression), Value: json.RawMessage("null")}
	if len(argument.Expression) > longestExpression {
		argument.Expression = ""
	}
	if value, ok := constant(expression); ok && argument.Expression != "" {
		argument.Value = plain(value)
	}
	return argument
}

func (r *reader) readResource(block *hcl.Block) {
	mode := block.Type
	if mode == "resource" {
		mode = "managed"
	}
	key := [2]string{mode, block.Labels[0]}
	if _, known := r.resources[key]; !known {
		r.resources[key] = &Resource{Mode: mode, Type: block.Labels[0]}
	}
	r.resources[key].Count++
}

// attributes reads a block's attributes of the given names; unknown ones are worth a warning, for another Terraform may know them.
func (r *reader) attributes(block *hcl.Block, names ...string) hcl.Attributes {
	schema := &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "validation"}, {Type: "precondition"}, {Type: "postcondition"}}}
	for _, name := range names {
		schema.Attributes = append(schema.Attributes, hcl.AttributeSchema{Name: name})
	}
	content, rest, diags := block.Body.PartialContent(schema)
	r.report(diags)
	unknown, _ := rest.JustAttributes()
	for _, name := range sortedKeys(unknown) {
		if attribute := unknown[name]; !slices.Contains(names, name) {
			r.report(hcl.Diagnostics{{
				Severity: hcl.DiagWarning, Summary: "Unsupported argument", Subject: &attribute.NameRange,
				Detail: `An argument named "` + name + `" is not known in a ` + block.Type + ` block.`,
			}})
		}
	}
	return content.Attributes
}

func (r *reader) duplicate(kind, name string, first Place, at hcl.Range) {
	r.report(hcl.Diagnostics{{
		Severity: hcl.DiagError, Summary: "Duplicate " + kind + " declaration", Subject: &at,
		Detail: "A " + kind + ` named "` + name + `" was already declared at ` + first.text() + ".",
	}})
}

func (r *reader) report(diags hcl.Diagnostics) {
	for _, diag := range diags {
		severity := "ERROR"
		if diag.Severity == hcl.DiagWarning {
			severity = "WARNING"
		}
		entry := Diagnostic{Severity: severity, Summary: diag.Summary, Detail: diag.Detail}
		if diag.Subject != nil {
			entry.File, entry.Line, entry.Column = diag.Subject.Filename, diag.Subject.Start.Line, diag.Subject.Start.Column
		}
		r.module.Diagnostics = append(r.module.Diagnostics, entry)
	}
}

func (r *reader) finish() {
	for _, key := range r.resources {
		r.module.Resources = append(r.module.Resources, key)
	}
	sort.Slice(r.module.Resources, func(i, j int) bool {
		a, b := r.module.Resources[i], r.module.Resources[j]
		return a.Mode+"\x00"+a.Type < b.Mode+"\x00"+b.Type
	})
	for _, name := range sortedKeys(r.providers) {
		r.module.Providers = append(r.module.Providers, r.providers[name])
	}
}

// text evaluates an attribute that must be a constant string; what isn't one is reported and null.
func (r *reader) text(attribute *hcl.Attribute) *string {
	if text, ok := constantText(attribute.Expr); ok {
		return &text
	}
	if value, ok := constant(attribute.Expr); ok && value.IsNull() {
		return nil
	}
	at := attribute.Expr.Range()
	r.report(hcl.Diagnostics{{
		Severity: hcl.DiagError, Summary: "Unsuitable value type", Subject: &at,
		Detail: `"` + attribute.Name + `" must be a string without references.`,
	}})
	return nil
}

func place(at hcl.Range) Place {
	return Place{File: at.Filename, Line: at.Start.Line}
}

func (p Place) text() string {
	line, _ := json.Marshal(p.Line)
	return p.File + ":" + string(line)
}

func sortedKeys[V any](values map[string]V) []string {
	keys := make([]string, 0, len(values))
	for key := range values {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}
