package main

import (
	"fmt"
	"strings"

	"github.com/mikefarah/yq/v4/pkg/yqlib"
	logging "gopkg.in/op/go-logging.v1"
	"gopkg.in/yaml.v3"
)

type silence struct{}

func (silence) Log(logging.Level, int, *logging.Record) error { return nil }

func init() {
	logging.SetBackend(silence{})
	yqlib.InitExpressionParser()
}

// Evaluate applies a yq expression to a YAML text. What yq prints is read again as YAML, but for one line that only looks like a
// map or a comment: an ARN that ends with colons, a text that begins with #.
func Evaluate(expression, text string) (any, error) {
	preferences := yqlib.YamlPreferences{Indent: 2, LeadingContentPreProcessing: true, PrintDocSeparators: true, UnwrapScalar: true}
	printed, err := yqlib.NewStringEvaluator().Evaluate(
		expression, text, yqlib.NewYamlEncoder(preferences), yqlib.NewYamlDecoder(preferences),
	)
	if err != nil {
		return nil, fmt.Errorf("EvaluateYqExpression: failed to evaluate YQ expression '%s': %w", expression, err)
	}
	line := strings.TrimSpace(printed)
	isLine := !strings.Contains(line, "\n")
	if isLine && line != "" && isText(line) {
		return line, nil
	}
	var value any
	if err := yaml.Unmarshal([]byte(printed), &value); err != nil {
		if isLine {
			return line, nil
		}
		return nil, fmt.Errorf("EvaluateYqExpression: failed to unmarshal result: %w", err)
	}
	if entries, ok := value.(map[string]any); ok && len(entries) == 1 {
		for key, item := range entries {
			if item == nil && (key+":" == line || key+"::" == line) {
				return line, nil
			}
		}
	}
	return value, nil
}

func isText(line string) bool {
	if strings.HasPrefix(line, "#") {
		return true
	}
	return !strings.HasPrefix(line, "{") && !strings.HasPrefix(line, "[") && strings.HasSuffix(line, ":") && !strings.Contains(line, ": ")
}
