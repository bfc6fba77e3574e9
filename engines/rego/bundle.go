package main

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
)

// What reaches outside or says what machine this is: a policy that names one of these is refused when it is read.
var refused = []string{"http.send", "net.lookup_ip_addr", "opa.runtime"}

// Problem is what is wrong with a policy, in OPA's own words. Row and column count from 1; both are 0 where nothing is known.
type Problem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
}

// Package is one package of a bundle: its files, the names of its rules, and what the annotations of the package say.
type Package struct {
	Path        string         `json:"path"`
	Files       []string       `json:"files"`
	Rules       []string       `json:"rules"`
	Title       string         `json:"title"`
	Description string         `json:"description"`
	Custom      map[string]any `json:"custom"`
}

// Bundle is what is evaluated together: policies in files, and data.
type Bundle struct {
	modules  map[string]*ast.Module
	compiler *ast.Compiler
	store    storage.Store
	prepared map[string]rego.PreparedEvalQuery
}

func capabilities() *ast.Capabilities {
	known := ast.CapabilitiesForThisVersion()
	known.Builtins = slices.DeleteFunc(known.Builtins, func(builtin *ast.Builtin) bool {
		return slices.Contains(refused, builtin.Name)
	})
	known.AllowNet = []string{}
	return known
}

// Read parses and compiles policies. What doesn't parse or compile is named, and then there is no bundle.
func Read(files map[string]string, data map[string]any) (*Bundle, []Problem) {
	options := ast.ParserOptions{ProcessAnnotation: true, RegoVersion: ast.RegoV1, Capabilities: capabilities()}
	modules := make(map[string]*ast.Module, len(files))
	var found []Problem
	for _, name := range sorted(files) {
		module, err := ast.ParseModuleWithOpts(name, files[name], options)
		if err != nil {
			found = append(found, problems(err, name)...)
		} else if module != nil {
			modules[name] = module
		}
	}
	if len(found) > 0 {
		return nil, found
	}
	compiler := ast.NewCompiler().WithCapabilities(capabilities()).WithEnablePrintStatements(true)
	compiler.Compile(modules)
	if compiler.Failed() {
		return nil, problems(compiler.Errors, "")
	}
	if data == nil {
		data = map[string]any{}
	}
	return &Bundle{modules, compiler, inmem.NewFromObject(data), map[string]rego.PreparedEvalQuery{}}, nil
}

// Packages lists a bundle's packages by their paths, those of tests included.
func (bundle *Bundle) Packages() []Package {
	byPath := map[string]*Package{}
	for _, name := range sorted(bundle.modules) {
		module := bundle.modules[name]
		path := strings.TrimPrefix(module.Package.Path.String(), "data.")
		entry := byPath[path]
		if entry == nil {
			entry = &Package{Path: path, Files: []string{}, Rules: []string{}, Custom: map[string]any{}}
			byPath[path] = entry
		}
		entry.Files = append(entry.Files, name)
		for _, rule := range module.Rules {
			if called := rule.Head.Ref()[0].Value.String(); !slices.Contains(entry.Rules, strings.Trim(called, `"`)) {
				entry.Rules = append(entry.Rules, strings.Trim(called, `"`))
			}
		}
		for _, said := range module.Annotations {
			if said.Scope == "package" {
				entry.Title, entry.Description = said.Title, said.Description
				for key, value := range said.Custom {
					entry.Custom[key] = value
				}
			}
		}
	}
	result := make([]Package, 0, len(byPath))
	for _, path := range sorted(byPath) {
		slices.Sort(byPath[path].Rules)
		result = append(result, *byPath[path])
	}
	return result
}

// Evaluate returns the value of a package or rule, such as data.atmos.tags, for an input; nil and false where it is undefined. What a
// built-in function refuses is an error, and time and chance are what they are told to be, so that a decision can be made again.
func (bundle *Bundle) Evaluate(path string, input json.RawMessage, now time.Time) (any, bool, error) {
	ctx := context.Background()
	query, ok := bundle.prepared[path]
	if !ok {
		var err error
		query, err = rego.New(
			rego.Query("result = "+path), rego.Compiler(bundle.compiler), rego.Store(bundle.store),
			rego.StrictBuiltinErrors(true), rego.Capabilities(capabilities()),
		).PrepareForEval(ctx)
		if err != nil {
			return nil, false, err
		}
		bundle.prepared[path] = query
	}
	parsed, err := ast.ValueFromReader(strings.NewReader(string(input)))
	if err != nil {
		return nil, false, err
	}
	results, err := query.Eval(ctx, rego.EvalParsedInput(parsed), rego.EvalTime(now), rego.EvalSeed(zeros{}))
	if err != nil || len(results) == 0 {
		return nil, false, err
	}
	return results[0].Bindings["result"], true, nil
}

type zeros struct{}

func (zeros) Read(buffer []byte) (int, error) {
	clear(buffer)
	return len(buffer), nil
}

func problems(err error, file string) []Problem {
	var several ast.Errors
	var failed *ast.Error
	switch {
	case errors.As(err, &several):
		result := []Problem{}
		for _, one := range several {
			result = append(result, problem(one, file))
		}
		return result
	case errors.As(err, &failed):
		return []Problem{problem(failed, file)}
	}
	return []Problem{{Code: "rego_error", Message: err.Error(), File: file}}
}

func problem(one *ast.Error, file string) Problem {
	result := Problem{Code: one.Code, Message: one.Message, File: file}
	if one.Location != nil {
		result.Line, result.Column = one.Location.Row, one.Location.Col
		if one.Location.File != "" {
			result.File = one.Location.File
		}
	}
	return result
}

func sorted[V any](entries map[string]V) []string {
	names := make([]string, 0, len(entries))
	for name := range entries {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
