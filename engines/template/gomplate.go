package main

import (
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"reflect"
	gostrings "strings"
	"text/template"

	"github.com/hairyhenderson/gomplate/v3/base64"
	"github.com/hairyhenderson/gomplate/v3/coll"
	"github.com/hairyhenderson/gomplate/v3/conv"
	"github.com/hairyhenderson/gomplate/v3/regexp"
	"github.com/hairyhenderson/gomplate/v3/test"
)

// gomplate binds the functions of gomplate v3's public packages to the names under which its documentation lists them. What reads
// files, the network or a cloud is asked of the host.
func gomplate() template.FuncMap {
	namespaces := map[string]any{
		"base64": Base64{}, "coll": Coll{}, "conv": Conv{}, "crypto": Crypto{}, "data": Data{}, "env": Env{}, "file": File{},
		"filepath": Filepath{}, "math": Math{}, "net": Net{}, "path": Path{}, "random": Random{}, "regexp": Regexp{},
		"strings": Strings{}, "test": Test{}, "time": clock(), "uuid": UUID{},
	}
	result := template.FuncMap{}
	for name, namespace := range namespaces {
		result[name] = func() any { return namespace }
	}
	for _, name := range []string{"aws", "gcp", "sockaddr"} {
		result[name] = func() (any, error) { return ask(name) }
	}
	for _, name := range []string{
		"ec2meta", "ec2dynamic", "ec2tag", "ec2tags", "ec2region", "datasource", "ds", "datasourceExists", "datasourceReachable", "defineDatasource", "include", "listDatasources",
	} {
		result[name] = func(arguments ...any) (any, error) { return ask(name, arguments...) }
	}
	add := func(namespace any, names map[string]string) {
		for name, method := range names {
			result[name] = reflect.ValueOf(namespace).MethodByName(method).Interface()
		}
	}
	add(Coll{}, map[string]string{
		"has": "Has", "slice": "Slice", "dict": "Dict", "keys": "Keys", "values": "Values", "append": "Append", "prepend": "Prepend",
		"uniq": "Uniq", "reverse": "Reverse", "merge": "Merge", "sort": "Sort", "jsonpath": "JSONPath", "flatten": "Flatten",
	})
	add(Conv{}, map[string]string{"urlParse": "URL", "bool": "Bool", "join": "Join", "default": "Default"})
	add(Data{}, map[string]string{
		"json": "JSON", "jsonArray": "JSONArray", "yaml": "YAML", "yamlArray": "YAMLArray", "toml": "TOML", "csv": "CSV",
		"csvByRow": "CSVByRow", "csvByColumn": "CSVByColumn", "toJSON": "ToJSON", "toJSONPretty": "ToJSONPretty", "toYAML": "ToYAML",
		"toTOML": "ToTOML", "toCSV": "ToCSV",
	})
	add(Env{}, map[string]string{"getenv": "Getenv"})
	add(Math{}, map[string]string{
		"add": "Add", "sub": "Sub", "mul": "Mul", "div": "Div", "rem": "Rem", "pow": "Pow", "seq": "Seq",
	})
	add(Strings{}, map[string]string{
		"replaceAll": "ReplaceAll", "title": "Title", "toUpper": "ToUpper", "toLower": "ToLower", "trimSpace": "TrimSpace",
		"indent": "Indent", "quote": "Quote", "shellQuote": "ShellQuote", "squote": "Squote",
	})
	result["contains"], result["hasPrefix"], result["hasSuffix"] = gostrings.Contains, gostrings.HasPrefix, gostrings.HasSuffix
	result["split"], result["splitN"], result["trim"] = gostrings.Split, gostrings.SplitN, gostrings.Trim
	add(Test{}, map[string]string{
		"assert": "Assert", "fail": "Fail", "required": "Required", "ternary": "Ternary", "kind": "Kind", "isKind": "IsKind",
	})
	return result
}

func miscounted(wanted string, got int) error {
	return fmt.Errorf("wrong number of args: %s, got %d", wanted, got)
}

func text(value any) string { return conv.ToString(value) }

func octets(value any) []byte {
	switch found := value.(type) {
	case nil:
		return []byte{}
	case []byte:
		return found
	case interface{ Bytes() []byte }:
		return found.Bytes()
	}
	return []byte(text(value))
}

// Base64 is gomplate's `base64`.
type Base64 struct{}

func (Base64) Encode(value any) (string, error)      { return base64.Encode(octets(value)) }
func (Base64) DecodeBytes(value any) ([]byte, error) { return base64.Decode(text(value)) }
func (b Base64) Decode(value any) (string, error) {
	decoded, err := b.DecodeBytes(value)
	return string(decoded), err
}

// Coll is gomplate's `coll`.
type Coll struct{}

func (Coll) Slice(items ...any) []any                        { return coll.Slice(items...) }
func (Coll) Has(value any, key string) bool                  { return coll.Has(value, key) }
func (Coll) Dict(pairs ...any) (map[string]any, error)       { return coll.Dict(pairs...) }
func (Coll) Keys(values ...map[string]any) ([]string, error) { return coll.Keys(values...) }
func (Coll) Values(values ...map[string]any) ([]any, error)  { return coll.Values(values...) }
func (Coll) Append(item, list any) ([]any, error)            { return coll.Append(item, list) }
func (Coll) Prepend(item, list any) ([]any, error)           { return coll.Prepend(item, list) }
func (Coll) Uniq(list any) ([]any, error)                    { return coll.Uniq(list) }
func (Coll) Reverse(list any) ([]any, error)                 { return coll.Reverse(list) }
func (Coll) JSONPath(expression string, value any) (any, error) {
	return coll.JSONPath(expression, value)
}
func (Coll) Merge(to map[string]any, from ...map[string]any) (map[string]any, error) {
	return coll.Merge(to, from...)
}

func (Coll) Sort(arguments ...any) ([]any, error) {
	switch len(arguments) {
	case 1:
		return coll.Sort("", arguments[0])
	case 2:
		return coll.Sort(text(arguments[0]), arguments[1])
	}
	return nil, miscounted("wanted 1 or 2", len(arguments))
}

func (Coll) Flatten(arguments ...any) ([]any, error) {
	switch len(arguments) {
	case 1:
		return coll.Flatten(arguments[0], -1)
	case 2:
		return coll.Flatten(arguments[1], conv.ToInt(arguments[0]))
	}
	return nil, miscounted("wanted 1 or 2", len(arguments))
}

func (Coll) Pick(arguments ...any) (map[string]any, error) {
	from, keys, err := named(arguments)
	if err != nil {
		return nil, err
	}
	return coll.Pick(from, keys...), nil
}

func (Coll) Omit(arguments ...any) (map[string]any, error) {
	from, keys, err := named(arguments)
	if err != nil {
		return nil, err
	}
	return coll.Omit(from, keys...), nil
}

func named(arguments []any) (map[string]any, []string, error) {
	last := len(arguments) - 1
	if last < 1 {
		return nil, nil, miscounted("wanted 2 or more", len(arguments))
	}
	from, ok := arguments[last].(map[string]any)
	if !ok {
		return nil, nil, fmt.Errorf("wrong map type: must be map[string]interface{}, got %T", arguments[last])
	}
	keys := make([]string, last)
	for position, item := range arguments[:last] {
		if keys[position], ok = item.(string); !ok {
			return nil, nil, fmt.Errorf("wrong key type: must be string, got %T (%+v)", item, item)
		}
	}
	return from, keys, nil
}

// Conv is gomplate's `conv`.
type Conv struct{}

func (Conv) Bool(value any) bool                       { return conv.Bool(text(value)) }
func (Conv) ToBool(value any) bool                     { return conv.ToBool(value) }
func (Conv) ToBools(values ...any) []bool              { return conv.ToBools(values...) }
func (Conv) Slice(items ...any) []any                  { return coll.Slice(items...) }
func (Conv) Has(value any, key string) bool            { return coll.Has(value, key) }
func (Conv) Dict(pairs ...any) (map[string]any, error) { return coll.Dict(pairs...) }
func (Conv) Join(list any, by string) (string, error)  { return conv.Join(list, by) }
func (Conv) URL(value any) (*url.URL, error)           { return url.Parse(text(value)) }
func (Conv) Atoi(value any) int                        { return conv.MustAtoi(text(value)) }
func (Conv) ParseInt(value any, base, size int) int64 {
	return conv.MustParseInt(text(value), base, size)
}
func (Conv) ParseUint(value any, base, size int) uint64 {
	return conv.MustParseUint(text(value), base, size)
}
func (Conv) ParseFloat(value any, size int) float64 { return conv.MustParseFloat(text(value), size) }
func (Conv) ToInt64(value any) int64                { return conv.ToInt64(value) }
func (Conv) ToInt(value any) int                    { return conv.ToInt(value) }
func (Conv) ToInt64s(values ...any) []int64         { return conv.ToInt64s(values...) }
func (Conv) ToInts(values ...any) []int             { return conv.ToInts(values...) }
func (Conv) ToFloat64(value any) float64            { return conv.ToFloat64(value) }
func (Conv) ToFloat64s(values ...any) []float64     { return conv.ToFloat64s(values...) }
func (Conv) ToString(value any) string              { return text(value) }
func (Conv) ToStrings(values ...any) []string       { return conv.ToStrings(values...) }
func (Conv) Default(otherwise, value any) any {
	if truth, ok := template.IsTrue(value); truth && ok {
		return value
	}
	return otherwise
}

// Env is gomplate's `env`; where sprig is on, its function of that name hides it.
type Env struct{}

func (Env) Getenv(key any, otherwise ...string) (string, error) {
	if current.Environment == nil {
		return "", deferred{"getenv"}
	}
	if value := current.Environment[text(key)]; value != "" {
		return value, nil
	}
	if file := current.Environment[text(key)+"_FILE"]; file != "" {
		found, err := ask("file.Read", file)
		return gostrings.TrimSpace(text(found)), err
	}
	if len(otherwise) == 0 {
		return "", nil
	}
	return otherwise[0], nil
}

func (e Env) ExpandEnv(value any) (string, error) {
	if current.Environment == nil {
		return "", deferred{"env.ExpandEnv"}
	}
	return bounded(template.FuncMap{})["expandenv"].(func(string) (string, error))(text(value))
}

// File is gomplate's `file`: a sandbox has none, so the host answers.
type File struct{}

func (File) Read(name any) (any, error)    { return ask("file.Read", text(name)) }
func (File) Exists(name any) (any, error)  { return ask("file.Exists", text(name)) }
func (File) IsDir(name any) (any, error)   { return ask("file.IsDir", text(name)) }
func (File) ReadDir(name any) (any, error) { return ask("file.ReadDir", text(name)) }
func (File) Walk(name any) (any, error)    { return ask("file.Walk", text(name)) }
func (File) Stat(name any) (any, error)    { return ask("file.Stat", text(name)) }

func (File) Write(name, content any) (any, error) {
	return ask("file.Write", text(name), string(octets(content)))
}

// Path is gomplate's `path`.
type Path struct{}

func (Path) Base(name any) string                  { return path.Base(text(name)) }
func (Path) Clean(name any) string                 { return path.Clean(text(name)) }
func (Path) Dir(name any) string                   { return path.Dir(text(name)) }
func (Path) Ext(name any) string                   { return path.Ext(text(name)) }
func (Path) IsAbs(name any) bool                   { return path.IsAbs(text(name)) }
func (Path) Join(parts ...any) string              { return path.Join(conv.ToStrings(parts...)...) }
func (Path) Match(pattern, name any) (bool, error) { return path.Match(text(pattern), text(name)) }
func (Path) Split(name any) []string {
	directory, file := path.Split(text(name))
	return []string{directory, file}
}

// Filepath is gomplate's `filepath`.
type Filepath struct{}

func (Filepath) Base(name any) string       { return filepath.Base(text(name)) }
func (Filepath) Clean(name any) string      { return filepath.Clean(text(name)) }
func (Filepath) Dir(name any) string        { return filepath.Dir(text(name)) }
func (Filepath) Ext(name any) string        { return filepath.Ext(text(name)) }
func (Filepath) FromSlash(name any) string  { return filepath.FromSlash(text(name)) }
func (Filepath) ToSlash(name any) string    { return filepath.ToSlash(text(name)) }
func (Filepath) IsAbs(name any) bool        { return filepath.IsAbs(text(name)) }
func (Filepath) VolumeName(name any) string { return filepath.VolumeName(text(name)) }
func (Filepath) Join(parts ...any) string   { return filepath.Join(conv.ToStrings(parts...)...) }
func (Filepath) Match(pattern, name any) (bool, error) {
	return filepath.Match(text(pattern), text(name))
}
func (Filepath) Rel(base, target any) (string, error) { return filepath.Rel(text(base), text(target)) }
func (Filepath) Split(name any) []string {
	directory, file := filepath.Split(text(name))
	return []string{directory, file}
}

// Regexp is gomplate's `regexp`.
type Regexp struct{}

func (Regexp) Find(pattern, input any) (string, error) {
	return regexp.Find(text(pattern), text(input))
}
func (Regexp) Match(pattern, input any) bool { return regexp.Match(text(pattern), text(input)) }
func (Regexp) QuoteMeta(input any) string    { return regexp.QuoteMeta(text(input)) }
func (Regexp) Replace(pattern, by, input any) string {
	return regexp.Replace(text(pattern), text(by), text(input))
}

func (Regexp) ReplaceLiteral(pattern, by, input any) (string, error) {
	return regexp.ReplaceLiteral(text(pattern), text(by), text(input))
}

func (Regexp) FindAll(arguments ...any) ([]string, error) { return several(regexp.FindAll, arguments) }
func (Regexp) Split(arguments ...any) ([]string, error)   { return several(regexp.Split, arguments) }

func several(find func(string, int, string) ([]string, error), arguments []any) ([]string, error) {
	switch len(arguments) {
	case 2:
		return find(text(arguments[0]), -1, text(arguments[1]))
	case 3:
		return find(text(arguments[0]), conv.ToInt(arguments[1]), text(arguments[2]))
	}
	return nil, miscounted("want 2 or 3", len(arguments))
}

// Test is gomplate's `test`.
type Test struct{}

func (Test) Assert(arguments ...any) (string, error) {
	switch len(arguments) {
	case 1:
		return test.Assert(conv.ToBool(arguments[0]), "")
	case 2:
		message, ok := arguments[0].(string)
		if !ok {
			return "", fmt.Errorf("at <1>: expected string; found %T", arguments[0])
		}
		return test.Assert(conv.ToBool(arguments[1]), message)
	}
	return "", miscounted("want 1 or 2", len(arguments))
}

func (Test) Fail(arguments ...any) (string, error) {
	switch len(arguments) {
	case 0:
		return "", test.Fail("")
	case 1:
		return "", test.Fail(text(arguments[0]))
	}
	return "", miscounted("want 0 or 1", len(arguments))
}

func (Test) Required(arguments ...any) (any, error) {
	switch len(arguments) {
	case 1:
		return test.Required("", arguments[0])
	case 2:
		message, ok := arguments[0].(string)
		if !ok {
			return nil, fmt.Errorf("at <1>: expected string; found %T", arguments[0])
		}
		return test.Required(message, arguments[1])
	}
	return nil, miscounted("want 1 or 2", len(arguments))
}

func (Test) Ternary(yes, no, condition any) any {
	if conv.ToBool(condition) {
		return yes
	}
	return no
}

func (Test) Kind(value any) string { return reflect.ValueOf(value).Kind().String() }

func (t Test) IsKind(kind string, value any) bool {
	found := reflect.ValueOf(value).Kind()
	if kind == "number" {
		return found >= reflect.Int && found <= reflect.Complex128
	}
	return found.String() == kind
}
