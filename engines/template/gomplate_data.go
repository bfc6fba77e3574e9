package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	gostrings "strings"

	"github.com/BurntSushi/toml"
	"gopkg.in/yaml.v3"
)

// Data is gomplate's `data`: texts to values and back. Its JSON functions use Go's own encoder.
type Data struct{}

func parsedAs[T any](format, source string, parse func([]byte, any) error) (T, error) {
	var result T
	if err := parse([]byte(source), &result); err != nil {
		return result, fmt.Errorf("unable to unmarshal %s %q: %w", format, source, err)
	}
	return result, nil
}

func (Data) JSON(value any) (map[string]any, error) {
	return parsedAs[map[string]any]("object", text(value), json.Unmarshal)
}

func (Data) JSONArray(value any) ([]any, error) {
	return parsedAs[[]any]("array", text(value), json.Unmarshal)
}

func (Data) YAML(value any) (map[string]any, error) {
	return parsedAs[map[string]any]("object", text(value), yaml.Unmarshal)
}

func (Data) YAMLArray(value any) ([]any, error) {
	return parsedAs[[]any]("array", text(value), yaml.Unmarshal)
}

func (Data) TOML(value any) (any, error) {
	return parsedAs[map[string]any]("object", text(value), toml.Unmarshal)
}

func (Data) ToJSON(value any) (string, error) {
	var result bytes.Buffer
	encoder := json.NewEncoder(&result)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "", fmt.Errorf("unable to marshal object: %w", err)
	}
	return gostrings.TrimSuffix(result.String(), "\n"), nil
}

func (d Data) ToJSONPretty(indent string, value any) (string, error) {
	written, err := d.ToJSON(value)
	if err != nil {
		return "", err
	}
	var result bytes.Buffer
	err = json.Indent(&result, []byte(written), "", indent)
	return result.String(), err
}

func (Data) ToYAML(value any) (string, error) {
	written, err := yaml.Marshal(value)
	return string(written), err
}

func (Data) ToTOML(value any) (string, error) {
	var result bytes.Buffer
	err := toml.NewEncoder(&result).Encode(value)
	return result.String(), err
}

// table reads CSV; of several arguments the last is the text, the first the delimiter, one between them the header.
func table(arguments []string) (rows [][]string, header []string, err error) {
	by, source := ",", ""
	switch len(arguments) {
	case 1:
		source = arguments[0]
	case 2:
		by, source = arguments[0], arguments[1]
	case 3:
		by, source = arguments[0], arguments[2]
		header = gostrings.Split(arguments[1], by)
		if arguments[1] == "" {
			header = []string{}
		}
	default:
		return nil, nil, miscounted("want 1, 2 or 3", len(arguments))
	}
	reader := csv.NewReader(gostrings.NewReader(source))
	if by != "" {
		reader.Comma = []rune(by)[0]
	}
	if rows, err = reader.ReadAll(); err != nil {
		return nil, nil, err
	}
	if header == nil && len(rows) > 0 {
		header, rows = rows[0], rows[1:]
	}
	if len(header) == 0 && len(rows) > 0 {
		for column := range rows[0] {
			header = append(header, columnName(column))
		}
	}
	return rows, header, nil
}

// columnName names a column as spreadsheets do: A to Z, AA, AB, and so on.
func columnName(column int) string {
	name := ""
	for column++; column > 0; column = (column - 1) / 26 {
		name = string(rune('A'+(column-1)%26)) + name
	}
	return name
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
	result := []map[string]string{}
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
	by, value := ",", any(nil)
	switch len(arguments) {
	case 1:
		value = arguments[0]
	case 2:
		mark, ok := arguments[0].(string)
		if !ok {
			return "", fmt.Errorf("can't parse ToCSV delimiter (%v) - must be string (is a %T)", arguments[0], arguments[0])
		}
		by, value = mark, arguments[1]
	default:
		return "", errors.New("ToCSV requires 1 or 2 arguments, got " + strconv.Itoa(len(arguments)))
	}
	lines, ok := value.([]any)
	if !ok {
		return "", fmt.Errorf("can't parse ToCSV input - must be of type [][]string (is a %T)", value)
	}
	var result bytes.Buffer
	writer := csv.NewWriter(&result)
	writer.Comma, writer.UseCRLF = []rune(by)[0], true
	for _, line := range lines {
		cells, ok := line.([]any)
		if !ok {
			return "", fmt.Errorf("can't parse ToCSV input - must be a two-dimensional array (is a %T)", value)
		}
		row := make([]string, len(cells))
		for column, cell := range cells {
			row[column] = text(cell)
		}
		if err := writer.Write(row); err != nil {
			return "", err
		}
	}
	writer.Flush()
	return result.String(), writer.Error()
}
