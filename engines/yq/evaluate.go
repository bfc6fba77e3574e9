package main

import (
	"bytes"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/mikefarah/yq/v4/pkg/yqlib"
	logging "gopkg.in/op/go-logging.v1"
	"gopkg.in/yaml.v3"
)

type silence struct{}

func (silence) Log(logging.Level, int, *logging.Record) error { return nil }

func init() {
	debug.SetGCPercent(400) // memory is bounded here, and collecting takes time
	debug.SetMemoryLimit(96 << 20)
	logging.SetBackend(silence{})
	yqlib.InitExpressionParser()
}

// Evaluate applies a yq expression to a value, which yq sees as the YAML that Atmos would write. What yq prints is read again as YAML,
// but for one line that only looks like a map or a comment: an ARN that ends with colons, a text that begins with #.
func Evaluate(expression string, value any) (any, error) {
	var text bytes.Buffer
	writer := yaml.NewEncoder(&text)
	writer.SetIndent(2)
	if err := writer.Encode(value); err != nil {
		return nil, fmt.Errorf("EvaluateYqExpression: failed to convert data to YAML: %w", err)
	}
	preferences := yqlib.YamlPreferences{Indent: 2, LeadingContentPreProcessing: true, PrintDocSeparators: true, UnwrapScalar: true}
	printed, err := yqlib.NewStringEvaluator().Evaluate(
		expression, text.String(), yqlib.NewYamlEncoder(preferences), yqlib.NewYamlDecoder(preferences),
	)
	if err != nil {
		return nil, fmt.Errorf("EvaluateYqExpression: failed to evaluate YQ expression '%s': %w", expression, err)
	}
	line := strings.TrimSpace(printed)
	isLine := !strings.Contains(line, "\n")
	if isLine && line != "" && isText(line) {
		return line, nil
	}
	var result any
	if err := yaml.Unmarshal([]byte(printed), &result); err != nil {
		if isLine {
			return line, nil
		}
		return nil, fmt.Errorf("EvaluateYqExpression: failed to unmarshal result: %w", err)
	}
	if entries, ok := result.(map[string]any); ok && len(entries) == 1 {
		for key, item := range entries {
			if (item == nil || item == "") && (key+":" == line || key+"::" == line) {
				return line, nil
			}
		}
	}
	return result, nil
}

func isText(line string) bool {
	if strings.HasPrefix(line, "#") {
		return true
	}
	return !strings.HasPrefix(line, "{") && !strings.HasPrefix(line, "[") && strings.HasSuffix(line, ":") && !strings.Contains(line, ": ")
}
