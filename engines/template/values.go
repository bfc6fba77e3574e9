package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Values that templates are rendered from, by the handle under which the host sent them.
var kept = map[uint32]any{}

// decode reads JSON as yaml.v3 would give it: whole numbers are int or uint64, others float64. It trusts what the host writes, and
// texts without escapes share the memory of the whole.
func decode(text []byte) (value any, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("the host sent what isn't JSON")
		}
	}()
	return (&reader{text: string(text)}).value(), nil
}

type reader struct {
	text string
	at   int
}

// next gives the first mark of the next token.
func (r *reader) next() byte {
	for r.text[r.at] <= ' ' || r.text[r.at] == ',' || r.text[r.at] == ':' {
		r.at++
	}
	return r.text[r.at]
}

func (r *reader) value() any {
	switch r.next() {
	case '{':
		return r.entries()
	case '[':
		r.at++
		items := []any{}
		for r.next() != ']' {
			items = append(items, r.value())
		}
		r.at++
		return items
	case '"':
		return r.string()
	case 't':
		r.at += len("true")
		return true
	case 'f':
		r.at += len("false")
		return false
	case 'n':
		r.at += len("null")
		return nil
	}
	start := r.at
	for r.at < len(r.text) && strings.IndexByte("+-.0123456789eE", r.text[r.at]) >= 0 {
		r.at++
	}
	if r.at == start {
		panic("no value")
	}
	return number(r.text[start:r.at])
}

func (r *reader) entries() any {
	r.at++
	result := map[string]any{}
	references := 0
	for r.next() != '}' {
		key := r.string()
		r.next()
		item := r.value()
		if _, ok := item.(Reference); ok {
			references++
		}
		result[key] = item
	}
	r.at++
	if len(result) == 1 {
		if marked, ok := unusual(result); ok {
			return marked
		}
	}
	if references > 0 && references == len(result) {
		return versions(result)
	}
	return result
}

func (r *reader) string() string {
	r.at++
	start := r.at
	for r.text[r.at] != '"' {
		if r.text[r.at] == '\\' {
			return r.escaped(start)
		}
		r.at++
	}
	r.at++
	return r.text[start : r.at-1]
}

var escapes = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escaped reads on from the first escape of a text that began at start. The host escapes no more than it must: \u names control marks.
func (r *reader) escaped(start int) string {
	result := append(make([]byte, 0, 2*(r.at-start)+32), r.text[start:r.at]...)
	for r.text[r.at] != '"' {
		mark := r.text[r.at]
		r.at++
		if mark == '\\' {
			mark = r.text[r.at]
			r.at++
			if mark == 'u' {
				code, err := strconv.ParseUint(r.text[r.at:r.at+4], 16, 16)
				if err != nil {
					panic(err)
				}
				r.at += 4
				result = utf8.AppendRune(result, rune(code))
				continue
			}
			mark = escapes[mark]
		}
		result = append(result, mark)
	}
	r.at++
	return string(result)
}

// unusual gives what JSON has no form for, marked by a key that begins with a NUL.
func unusual(found map[string]any) (any, bool) {
	for key, value := range found {
		switch written, _ := value.(string); key {
		case "\x00time":
			parsed, err := time.Parse(time.RFC3339Nano, written)
			return parsed, err == nil
		case "\x00float":
			fraction, err := strconv.ParseFloat(written, 64)
			return fraction, err == nil
		case "\x00version":
			entry, ok := value.(map[string]any)
			return reference(entry), ok
		}
	}
	return nil, false
}

// Reference is a managed version: in text it is its digest where it is pinned to one, its version elsewhere.
type Reference struct {
	Version string `yaml:"version" json:"version"`
	Digest  string `yaml:"digest,omitempty" json:"digest,omitempty"`
	Pin     string `yaml:"pin,omitempty" json:"pin,omitempty"`
}

func (r Reference) String() string {
	if r.Pin == "digest" && r.Digest != "" {
		return r.Digest
	}
	return r.Version
}

func reference(entry map[string]any) Reference {
	part := func(key string) string {
		found, _ := entry[key].(string)
		return found
	}
	return Reference{part("version"), part("digest"), part("pin")}
}

// versions gives a map of references its own type, as templates see it.
func versions(found map[string]any) map[string]Reference {
	result := make(map[string]Reference, len(found))
	for key, item := range found {
		result[key] = item.(Reference)
	}
	return result
}

func number(text string) any {
	if whole, err := strconv.Atoi(text); err == nil {
		return whole
	}
	if !strings.ContainsAny(text, ".eE") {
		if whole, err := strconv.ParseUint(text, 10, 64); err == nil {
			return whole
		}
	}
	fraction, _ := strconv.ParseFloat(text, 64)
	return fraction
}

// copied gives a value that shares no map and no list with the one it was made from.
func copied(value any) any {
	switch found := value.(type) {
	case map[string]any:
		result := make(map[string]any, len(found))
		for key, item := range found {
			result[key] = copied(item)
		}
		return result
	case []any:
		result := make([]any, len(found))
		for position, item := range found {
			result[position] = copied(item)
		}
		return result
	}
	return value
}

// plain turns what JSON can't hold into text, so that any argument reaches the host.
func plain(value any) any {
	switch found := value.(type) {
	case nil, bool, string, int, int64, uint64, float64:
		return value
	case map[string]any:
		result := make(map[string]any, len(found))
		for key, item := range found {
			result[key] = plain(item)
		}
		return result
	case []any:
		result := make([]any, len(found))
		for position, item := range found {
			result[position] = plain(item)
		}
		return result
	case []string:
		return value
	default:
		return fmt.Sprint(value)
	}
}
