package main

import (
	"context"

	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/tester"
)

// TestResult is how one test of a bundle came out: PASSED, FAILED, SKIPPED (its name begins with todo_) or ERROR, with what it printed.
type TestResult struct {
	Package      string  `json:"package"`
	Name         string  `json:"name"`
	File         string  `json:"file"`
	Line         int     `json:"line"`
	Outcome      string  `json:"outcome"`
	Message      string  `json:"message"`
	Printed      string  `json:"printed"`
	Milliseconds float64 `json:"milliseconds"`
}

// Test runs every test of a bundle, as `opa test` does.
func (bundle *Bundle) Test(filter string) ([]TestResult, error) {
	ctx := context.Background()
	transaction, err := bundle.store.NewTransaction(ctx, storage.TransactionParams{})
	if err != nil {
		return nil, err
	}
	defer bundle.store.Abort(ctx, transaction)
	runner := tester.NewRunner().SetCompiler(bundle.compiler).SetStore(bundle.store).SetModules(bundle.modules).
		CapturePrintOutput(true).RaiseBuiltinErrors(true).SetParallel(1).Filter(filter)
	found, err := runner.RunTests(ctx, transaction)
	if err != nil {
		return nil, err
	}
	results := []TestResult{}
	for one := range found {
		result := TestResult{
			Package: one.Package, Name: one.Name, Outcome: "PASSED", Printed: string(one.Output),
			Milliseconds: float64(one.Duration.Microseconds()) / 1000,
		}
		if one.Location != nil {
			result.File, result.Line = one.Location.File, one.Location.Row
		}
		switch {
		case one.Error != nil:
			result.Outcome, result.Message = "ERROR", one.Error.Error()
		case one.Skip:
			result.Outcome = "SKIPPED"
		case one.Fail:
			result.Outcome = "FAILED"
			if one.FailedAt != nil {
				result.Message = "failed at " + one.FailedAt.String()
			}
		}
		results = append(results, result)
	}
	return results, nil
}
