package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// decode reads JSON; whole numbers stay whole.
func decode(text []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	err := decoder.Decode(&value)
	return numbered(value), err
}

func numbered(value any) any {
	switch found := value.(type) {
	case map[string]any:
		for key, item := range found {
			found[key] = numbered(item)
		}
	case []any:
		for position, item := range found {
			found[position] = numbered(item)
		}
	case json.Number:
		if whole, err := strconv.Atoi(string(found)); err == nil {
			return whole
		}
		if whole, err := strconv.ParseUint(string(found), 10, 64); err == nil {
			return whole
		}
		fraction, _ := found.Float64()
		return fraction
	}
	return value
}

// encode writes a value as Python reads JSON: a fraction has a point or an exponent, and may be infinite or no number.
func encode(result *bytes.Buffer, value any) {
	switch found := value.(type) {
	case map[string]any:
		result.WriteByte('{')
		separator := ""
		for key, item := range found {
			result.WriteString(separator)
			encode(result, key)
			result.WriteByte(':')
			encode(result, item)
			separator = ","
		}
		result.WriteByte('}')
	case map[any]any:
		named := make(map[string]any, len(found))
		for key, item := range found {
			named[fmt.Sprint(key)] = item
		}
		encode(result, named)
	case []any:
		result.WriteByte('[')
		for position, item := range found {
			if position > 0 {
				result.WriteByte(',')
			}
			encode(result, item)
		}
		result.WriteByte(']')
	case float64:
		result.WriteString(fraction(found))
	case time.Time:
		encode(result, found.Format(time.RFC3339Nano))
	default:
		written, err := json.Marshal(found)
		if err != nil {
			written, _ = json.Marshal(fmt.Sprint(found))
		}
		result.Write(written)
	}
}

func fraction(value float64) string {
	switch {
	case math.IsNaN(value):
		return "NaN"
	case math.IsInf(value, 1):
		return "Infinity"
	case math.IsInf(value, -1):
		return "-Infinity"
	}
	written := strconv.FormatFloat(value, 'g', -1, 64)
	if !strings.ContainsAny(written, ".e") {
		written += ".0"
	}
	return written
}
