package main

import (
	"fmt"

	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/zclconf/go-cty/cty"
)

// Attributes reads a file of assignments (`.tfvars`, or any HCL without blocks) as data. Fractions lose what follows the point, as they
// do where Atmos includes such a file.
func Attributes(name, text string) (map[string]any, error) {
	file, problems := hclparse.NewParser().ParseHCL([]byte(text), name)
	if problems.HasErrors() {
		return nil, problems
	}
	attributes, problems := file.Body.JustAttributes()
	if problems.HasErrors() {
		return nil, problems
	}
	result := make(map[string]any, len(attributes))
	for key, attribute := range attributes {
		value, problems := attribute.Expr.Value(nil)
		if problems.HasErrors() {
			return nil, problems
		}
		result[key] = data(value)
	}
	return result, nil
}

func data(value cty.Value) any {
	kind := value.Type()
	switch {
	case value.IsNull():
		return nil
	case kind == cty.String:
		return value.AsString()
	case kind == cty.Bool:
		return value.True()
	case kind == cty.Number:
		whole, _ := value.AsBigFloat().Int64()
		return whole
	case kind.IsObjectType() || kind.IsMapType():
		result := map[string]any{}
		for key, item := range value.AsValueMap() {
			result[key] = data(item)
		}
		return result
	case kind.IsTupleType() || kind.IsListType() || kind.IsSetType():
		result := []any{}
		for _, item := range value.AsValueSlice() {
			result = append(result, data(item))
		}
		return result
	}
	return fmt.Sprintf("%#v", value)
}
