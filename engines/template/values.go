package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Values that templates are rendered from, by the handle under which the host sent them.
var kept = map[uint32]any{}

// decode reads JSON as yaml.v3 would give it: whole numbers are int or uint64, others float64.
func decode(text []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	return numbered(value), nil
}

func numbered(value any) any {
	switch found := value.(type) {
	case map[string]any:
		if moment, ok := found["\x00time"].(string); ok && len(found) == 1 {
			if parsed, err := time.Parse(time.RFC3339Nano, moment); err == nil {
				return parsed
			}
		}
		for key, item := range found {
			found[key] = numbered(item)
		}
	case []any:
		for position, item := range found {
			found[position] = numbered(item)
		}
	case json.Number:
		return number(string(found))
	}
	return value
}

func number(text string) any {
	if !strings.ContainsAny(text, ".eE") {
		if whole, err := strconv.ParseInt(text, 10, 64); err == nil {
			return int(whole)
		}
		if whole, err := strconv.ParseUint(text, 10, 64); err == nil {
			return whole
		}
	}
	fraction, _ := strconv.ParseFloat(text, 64)
	return fraction
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
