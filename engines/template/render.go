package main

import (
	"errors"
	"fmt"
	"strings"
	"text/template"
	"text/template/parse"
)

// Request is one rendering: the text, its name in errors, the handle of its data, and what templates may use.
//
// Environment is nil where asking for a variable is deferred. Pure defers what differs from one run to the next.
type Request struct {
	Text        string
	Name        string
	Data        uint32
	Sprig       bool
	Gomplate    bool
	Missing     string
	Left        string
	Right       string
	Environment map[string]string
	Pure        bool
	Host        bool
}

// requested reads a request as the host writes it: an object with the fields' names in lower case.
func requested(text []byte) (Request, error) {
	value, err := decode(text)
	fields, ok := value.(map[string]any)
	if err != nil || !ok {
		return Request{}, fmt.Errorf("no request: %w", err)
	}
	word := func(name string) string { found, _ := fields[name].(string); return found }
	isOn := func(name string) bool { return fields[name] == true }
	data, _ := fields["data"].(int)
	request := Request{
		Text: word("text"), Name: word("name"), Data: uint32(data), Sprig: isOn("sprig"), Gomplate: isOn("gomplate"),
		Missing: word("missing"), Left: word("left"), Right: word("right"), Pure: isOn("pure"), Host: isOn("host"),
	}
	if variables, ok := fields["environment"].(map[string]any); ok {
		request.Environment = make(map[string]string, len(variables))
		for name, item := range variables {
			request.Environment[name], _ = item.(string)
		}
	}
	return request, nil
}

// The request being served. Functions read it; a request that the host makes while it answers one puts it back.
var current Request

type deferred struct{ function string }

func (d deferred) Error() string { return d.function + " asks for what is not given here" }

type parsedKey struct {
	text, name, missing, left, right string
	sprig, gomplate                  bool
}

// Parsed templates; emptied when it has grown, which costs little against what it saves.
var parsed = map[parsedKey]*template.Template{}

const parsedLimit = 4000

// Render answers the rendered text, or Go's own words on what is wrong with it.
func Render(request Request) (byte, string) {
	before := current
	current = request
	defer func() { current = before }()
	program, err := parsedOnce(request)
	if err != nil {
		return failed, err.Error()
	}
	var result strings.Builder
	data := kept[request.Data]
	if strings.Contains(request.Text, "set") || strings.Contains(request.Text, "erge") {
		data = copied(data) // sprig's set, unset and merge change what they are given
	}
	if err := program.Execute(&result, data); err != nil {
		var postponedBy deferred
		if errors.As(err, &postponedBy) {
			return postponed, postponedBy.function
		}
		return failed, err.Error()
	}
	return done, result.String()
}

// Templates that others are made from, with their functions: registering hundreds of functions takes longer than parsing.
var prepared = map[parsedKey]*template.Template{}

// started gives an empty template. One that names no others shares its functions; one that may define or call others, which all
// that share would see, has its own.
func started(request Request) *template.Template {
	key := parsedKey{missing: request.Missing, sprig: request.Sprig, gomplate: request.Gomplate}
	base, ok := prepared[key]
	if !ok {
		base = template.New("").Funcs(functions(request.Sprig, request.Gomplate)).Option("missingkey=" + request.Missing)
		prepared[key] = base
	}
	for _, word := range []string{"define", "template", "block"} {
		if strings.Contains(request.Text, word) {
			base = template.Must(base.Clone())
			break
		}
	}
	return base.New(request.Name)
}

func parsedOnce(request Request) (*template.Template, error) {
	key := parsedKey{request.Text, request.Name, request.Missing, request.Left, request.Right, request.Sprig, request.Gomplate}
	if known, ok := parsed[key]; ok {
		return known, nil
	}
	program, err := started(request).Delims(request.Left, request.Right).Parse(request.Text)
	if err != nil {
		return nil, err
	}
	if len(parsed) >= parsedLimit {
		clear(parsed)
		clear(prepared)
	}
	parsed[key] = program
	return program, nil
}

// References answers the field paths of a template that needs no functions but Go's own; nil when it doesn't parse that way.
func References(request Request) [][]string {
	program, err := template.New(request.Name).Delims(request.Left, request.Right).Parse(request.Text)
	if err != nil || program.Tree == nil {
		return nil
	}
	found := [][]string{}
	collect(program.Tree.Root, &found)
	return found
}

// collect finds the plain fields, as Atmos does: neither `$.a.b` nor what lies in `(…).a` counts.
func collect(node parse.Node, found *[][]string) {
	switch n := node.(type) {
	case *parse.ListNode:
		if n == nil {
			return
		}
		for _, item := range n.Nodes {
			collect(item, found)
		}
	case *parse.ActionNode:
		collect(n.Pipe, found)
	case *parse.PipeNode:
		if n == nil {
			return
		}
		for _, command := range n.Cmds {
			collect(command, found)
		}
	case *parse.CommandNode:
		for _, argument := range n.Args {
			collect(argument, found)
		}
	case *parse.FieldNode:
		*found = append(*found, n.Ident)
	case *parse.IfNode:
		branch(&n.BranchNode, found)
	case *parse.RangeNode:
		branch(&n.BranchNode, found)
	case *parse.WithNode:
		branch(&n.BranchNode, found)
	case *parse.TemplateNode:
		collect(n.Pipe, found)
	}
}

func branch(node *parse.BranchNode, found *[][]string) {
	collect(node.Pipe, found)
	collect(node.List, found)
	collect(node.ElseList, found)
}
