package main

import (
	"errors"
	"fmt"
	"reflect"
	gostrings "strings"
	"unicode/utf8"

	"github.com/Masterminds/goutils"
	"github.com/gosimple/slug"
	"github.com/hairyhenderson/gomplate/v3/conv"
	"github.com/hairyhenderson/gomplate/v3/strings"
	"golang.org/x/text/cases"
	"golang.org/x/text/language"
)

// Strings is gomplate's `strings`.
type Strings struct{}

func (Strings) ReplaceAll(old, by string, value any) string {
	return gostrings.ReplaceAll(text(value), old, by)
}
func (Strings) Contains(part string, value any) bool { return gostrings.Contains(text(value), part) }
func (Strings) HasPrefix(prefix string, value any) bool {
	return gostrings.HasPrefix(text(value), prefix)
}
func (Strings) HasSuffix(suffix string, value any) bool {
	return gostrings.HasSuffix(text(value), suffix)
}
func (Strings) Split(by string, value any) []string { return gostrings.Split(text(value), by) }
func (Strings) Trim(marks string, value any) string { return gostrings.Trim(text(value), marks) }
func (Strings) TrimPrefix(prefix string, value any) string {
	return gostrings.TrimPrefix(text(value), prefix)
}
func (Strings) TrimSuffix(suffix string, value any) string {
	return gostrings.TrimSuffix(text(value), suffix)
}
func (Strings) TrimSpace(value any) string         { return gostrings.TrimSpace(text(value)) }
func (Strings) Title(value any) string             { return cases.Title(language.Und).String(text(value)) }
func (Strings) ToUpper(value any) string           { return cases.Upper(language.Und).String(text(value)) }
func (Strings) ToLower(value any) string           { return cases.Lower(language.Und).String(text(value)) }
func (Strings) Trunc(length int, value any) string { return strings.Trunc(length, text(value)) }
func (Strings) Slug(value any) string              { return slug.Make(text(value)) }
func (Strings) Quote(value any) string             { return fmt.Sprintf("%q", text(value)) }
func (Strings) Squote(value any) string {
	return "'" + gostrings.ReplaceAll(text(value), "'", "''") + "'"
}
func (Strings) SnakeCase(value any) (string, error) { return strings.SnakeCase(text(value)), nil }
func (Strings) CamelCase(value any) (string, error) { return strings.CamelCase(text(value)), nil }
func (Strings) KebabCase(value any) (string, error) { return strings.KebabCase(text(value)), nil }
func (Strings) SplitN(by string, limit int, value any) []string {
	return gostrings.SplitN(text(value), by, limit)
}

func (Strings) RuneCount(values ...any) (int, error) {
	count := 0
	for _, value := range values {
		count += utf8.RuneCountInString(text(value))
	}
	return count, nil
}

func (Strings) Abbrev(arguments ...any) (string, error) {
	offset, last := 0, len(arguments)-1
	if last < 1 {
		return "", errors.New("abbrev requires a 'maxWidth' and 'input' argument")
	}
	if last == 2 {
		offset = conv.ToInt(arguments[0])
	}
	width, value := conv.ToInt(arguments[last-1]), text(arguments[last])
	if len(value) <= width {
		return value, nil
	}
	return goutils.AbbreviateFull(value, offset, width)
}

func (Strings) Repeat(count int, value any) (string, error) {
	repeated := text(value)
	if count < 0 {
		return "", fmt.Errorf("negative count %d", count)
	}
	if count > 0 && len(repeated)*count > 1<<26 {
		return "", fmt.Errorf("count %d too long: causes overflow", count)
	}
	return gostrings.Repeat(repeated, count), nil
}

func (Strings) Sort(list any) ([]string, error) {
	switch found := list.(type) {
	case []string:
		return strings.Sort(found), nil
	case []any:
		return strings.Sort(conv.ToStrings(found...)), nil
	}
	return nil, fmt.Errorf("wrong type for value; expected []string; got %T", list)
}

func (Strings) Indent(arguments ...any) (string, error) {
	last := len(arguments) - 1
	if last < 0 {
		return "", errors.New("indent: invalid arguments")
	}
	width, by, valid := 1, " ", true
	switch last {
	case 1:
		if mark, ok := arguments[0].(string); ok {
			by = mark
		} else {
			width, valid = arguments[0].(int)
		}
	case 2:
		var isText bool
		width, valid = arguments[0].(int)
		by, isText = arguments[1].(string)
		valid = valid && isText
	}
	if !valid {
		return "", errors.New("indent: invalid arguments")
	}
	return strings.Indent(width, by, text(arguments[last])), nil
}

func (Strings) ShellQuote(value any) string {
	found := reflect.ValueOf(value)
	if found.Kind() != reflect.Array && found.Kind() != reflect.Slice {
		return strings.ShellQuote(text(value))
	}
	quoted := make([]string, found.Len())
	for position := range quoted {
		quoted[position] = strings.ShellQuote(text(found.Index(position)))
	}
	return gostrings.Join(quoted, " ")
}

func (Strings) WordWrap(arguments ...any) (string, error) {
	options := strings.WordWrapOpts{}
	switch len(arguments) {
	case 1:
	case 2:
		if by, ok := arguments[0].(string); ok {
			options.LBSeq = by
		} else {
			options.Width = uint(conv.ToInt(arguments[0]))
		}
	case 3:
		options.Width, options.LBSeq = uint(conv.ToInt(arguments[0])), text(arguments[1])
	default:
		return "", fmt.Errorf("expected 1, 2, or 3 args, got %d", len(arguments))
	}
	return strings.WordWrap(text(arguments[len(arguments)-1]), options), nil
}
