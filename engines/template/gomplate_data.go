package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	gostrings "strings"

	"github.com/hairyhenderson/gomplate/v3/conv"
	"github.com/hairyhenderson/toml"
	"github.com/hairyhenderson/yaml"
	"github.com/ugorji/go/codec"
)

// Data is gomplate's `data`: texts to values and back, by the libraries that gomplate reads and writes with.
type Data struct{}

func parsedInto[T any](result T, kind, source string, parse func([]byte, any) error) (T, error) {
	if err := parse([]byte(source), &result); err != nil {
		var nothing T
		return nothing, fmt.Errorf("Unable to unmarshal %s %s: %w", kind, source, err)
	}
	return result, nil
}

func (Data) JSON(value any) (map[string]any, error) {
	found, err := parsedInto(map[string]any{}, "object", text(value), yaml.Unmarshal)
	if _, encrypted := found["_public_key"]; encrypted {
		return nil, deferred{"data.JSON"} // its key lies outside
	}
	return found, err
}

func (Data) JSONArray(value any) ([]any, error) {
	return parsedInto(make([]any, 1), "array", text(value), yaml.Unmarshal)
}

func (Data) YAML(value any) (map[string]any, error) {
	found := map[string]any{}
	err := firstDocument(text(value), func(decoder *yaml.Decoder) (bool, error) {
		err := decoder.Decode(&found)
		return found != nil, err
	})
	if err != nil {
		return nil, err
	}
	keyed(found)
	return found, nil
}

func (Data) YAMLArray(value any) ([]any, error) {
	found := make([]any, 1)
	err := firstDocument(text(value), func(decoder *yaml.Decoder) (bool, error) {
		err := decoder.Decode(&found)
		return found != nil, err
	})
	if err != nil {
		return nil, err
	}
	keyed(found)
	return found, nil
}

// firstDocument reads documents until one holds something.
func firstDocument(source string, read func(*yaml.Decoder) (bool, error)) error {
	decoder := yaml.NewDecoder(gostrings.NewReader(source))
	for {
		found, err := read(decoder)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil || found {
			return err
		}
	}
}

// keyed gives every map in a value keys of text.
func keyed(value any) any {
	switch found := value.(type) {
	case []any:
		for position, item := range found {
			found[position] = keyed(item)
		}
	case map[string]any:
		for key, item := range found {
			found[key] = keyed(item)
		}
	case map[any]any:
		result := make(map[string]any, len(found))
		for key, item := range found {
			result[conv.ToString(key)] = keyed(item)
		}
		return result
	}
	return value
}

func (Data) TOML(value any) (any, error) {
	return parsedInto(map[string]any{}, "object", text(value), toml.Unmarshal)
}

func (Data) ToJSON(value any) (string, error) {
	handle := &codec.JsonHandle{}
	handle.Canonical = true
	var result bytes.Buffer
	if err := codec.NewEncoder(&result, handle).Encode(value); err != nil {
		return "", fmt.Errorf("Unable to marshal %s: %w", value, err)
	}
	return result.String(), nil
}

func (d Data) ToJSONPretty(indent string, value any) (string, error) {
	written, err := d.ToJSON(value)
	if err != nil {
		return "", err
	}
	var result bytes.Buffer
	if err := json.Indent(&result, []byte(written), "", indent); err != nil {
		return "", fmt.Errorf("Unable to indent JSON %s: %w", written, err)
	}
	return result.String(), nil
}

func (Data) ToYAML(value any) (string, error) {
	var result bytes.Buffer
	encoder := yaml.NewEncoder(&result)
	encoder.SetIndent(2)
	if err := encoder.Encode(value); err != nil {
		return "", fmt.Errorf("Unable to marshal object %s: %w", value, err)
	}
	return result.String(), nil
}

func (Data) ToTOML(value any) (string, error) {
	var result bytes.Buffer
	if err := toml.NewEncoder(&result).Encode(value); err != nil {
		return "", fmt.Errorf("Unable to marshal %s: %w", value, err)
	}
	return result.String(), nil
}

// table reads CSV; of several arguments the last is the text. Of two, the first is a delimiter, an empty header or a header; of three
// the delimiter and the header.
func table(arguments []string) (rows [][]string, header []string, err error) {
	by, source := ",", ""
	switch len(arguments) {
	case 1:
		source = arguments[0]
	case 2:
		source = arguments[1]
		switch len(arguments[0]) {
		case 0:
			header = []string{}
		case 1:
			by = arguments[0]
		default:
			header = gostrings.Split(arguments[0], by)
		}
	case 3:
		by, source = arguments[0], arguments[2]
		header = gostrings.Split(arguments[1], by)
	}
	reader := csv.NewReader(gostrings.NewReader(source))
	reader.Comma = rune(by[0])
	if rows, err = reader.ReadAll(); err != nil || len(rows) == 0 {
		return nil, header, err
	}
	if header == nil {
		return rows[1:], rows[0], nil
	}
	if len(header) == 0 {
		for column := range rows[0] {
			header = append(header, columnName(column))
		}
	}
	return rows, header, nil
}

// columnName names columns without a header: A to Z, AA, BB, and so on.
func columnName(column int) string {
	return gostrings.Repeat(string(rune('A'+column%26)), column/26+1)
}

func (Data) CSV(arguments ...string) ([][]string, error) {
	rows, header, err := table(arguments)
	if err != nil {
		return nil, err
	}
	return append([][]string{header}, rows...), nil
}

func (Data) CSVByRow(arguments ...string) ([]map[string]string, error) {
	rows, header, err := table(arguments)
	var result []map[string]string
	for _, row := range rows {
		named := map[string]string{}
		for column, value := range row {
			named[header[column]] = value
		}
		result = append(result, named)
	}
	return result, err
}

func (Data) CSVByColumn(arguments ...string) (map[string][]string, error) {
	rows, header, err := table(arguments)
	result := map[string][]string{}
	for _, row := range rows {
		for column, value := range row {
			result[header[column]] = append(result[header[column]], value)
		}
	}
	return result, err
}

func (Data) ToCSV(arguments ...any) (string, error) {
	by := ","
	if len(arguments) == 2 {
		mark, ok := arguments[0].(string)
		if !ok {
			return "", fmt.Errorf("Can't parse ToCSV delimiter (%v) - must be string (is a %T)", arguments[0], arguments[0])
		}
		by, arguments = mark, arguments[1:]
	}
	rows := [][]string{}
	if len(arguments) == 1 {
		var ok bool
		if rows, ok = cells(arguments[0]); !ok {
			return "", fmt.Errorf("Can't parse ToCSV input - must be a two-dimensional array "+
				"(like [][]string or [][]interface{}) (was %T)", arguments[0])
		}
	}
	var result bytes.Buffer
	writer := csv.NewWriter(&result)
	writer.Comma, writer.UseCRLF = rune(by[0]), true
	if err := writer.WriteAll(rows); err != nil {
		return "", err
	}
	return result.String(), nil
}

func cells(value any) ([][]string, bool) {
	switch found := value.(type) {
	case [][]string:
		return found, true
	case []any:
		rows := make([][]string, len(found))
		for position, item := range found {
			row, ok := item.([]any)
			if !ok {
				return nil, false
			}
			rows[position] = conv.ToStrings(row...)
		}
		return rows, true
	}
	return nil, false
}
