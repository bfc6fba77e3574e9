package main

import "reflect"

// chancy wraps a function so that it is deferred while a pure rendering is asked for. Its signature grows an error where it has none.
func chancy(name string, inner any) any {
	function := reflect.ValueOf(inner)
	kind := function.Type()
	ins := make([]reflect.Type, kind.NumIn())
	for position := range ins {
		ins[position] = kind.In(position)
	}
	failure := reflect.TypeFor[error]()
	outs := []reflect.Type{kind.Out(0), failure}
	return reflect.MakeFunc(reflect.FuncOf(ins, outs, kind.IsVariadic()), func(arguments []reflect.Value) []reflect.Value {
		if current.Pure {
			problem := reflect.New(failure).Elem()
			problem.Set(reflect.ValueOf(deferred{name}))
			return []reflect.Value{reflect.Zero(kind.Out(0)), problem}
		}
		results := call(function, arguments)
		if len(results) == 1 {
			results = append(results, reflect.Zero(failure))
		}
		return results
	}).Interface()
}

func call(function reflect.Value, arguments []reflect.Value) []reflect.Value {
	if function.Type().IsVariadic() {
		return function.CallSlice(arguments)
	}
	return function.Call(arguments)
}
