//go:build wasip1

// The engine's door: exports over one linear memory. The host allocates, writes JSON, calls an export and releases both texts.
package main

import (
	"encoding/json"
	"fmt"
	"time"
	"unsafe"
)

// Buffers that the host holds an address of; the garbage collector must not take them.
var held = map[uint32][]byte{}

// Bundles that the host keeps here, by its own numbers.
var bundles = map[uint32]*Bundle{}

func main() {}

//go:wasmexport alloc
func alloc(size uint32) uint32 {
	if size == 0 {
		size = 1
	}
	return hold(make([]byte, size))
}

//go:wasmexport release
func release(address uint32) {
	delete(held, address)
}

// read takes {"number", "files": {name: text}, "data"} and answers {"packages"}, or {"problems"} where there is no bundle.
//
//go:wasmexport read
func read(address, size uint32) uint64 {
	return answered(address, size, func(asked request) any {
		bundle, found := Read(asked.Files, asked.Data)
		if bundle == nil {
			return map[string]any{"problems": found}
		}
		bundles[asked.Number] = bundle
		return map[string]any{"packages": bundle.Packages()}
	})
}

// evaluate takes {"number", "paths", "input", "now" in nanoseconds} and answers {"results": {path: {"value"} | {"error"} | {}}}.
//
//go:wasmexport evaluate
func evaluate(address, size uint32) uint64 {
	return answered(address, size, func(asked request) any {
		bundle := bundles[asked.Number]
		if bundle == nil {
			return map[string]any{"error": "there is no such bundle"}
		}
		results := map[string]any{}
		for _, path := range asked.Paths {
			value, defined, err := bundle.Evaluate(path, asked.Input, time.Unix(0, asked.Now).UTC())
			switch {
			case err != nil:
				results[path] = map[string]any{"error": err.Error()}
			case defined:
				results[path] = map[string]any{"value": value}
			default:
				results[path] = map[string]any{}
			}
		}
		return map[string]any{"results": results}
	})
}

// test takes {"number", "filter"} and answers {"tests"}.
//
//go:wasmexport test
func test(address, size uint32) uint64 {
	return answered(address, size, func(asked request) any {
		bundle := bundles[asked.Number]
		if bundle == nil {
			return map[string]any{"error": "there is no such bundle"}
		}
		results, err := bundle.Test(asked.Filter)
		if err != nil {
			return map[string]any{"error": err.Error()}
		}
		return map[string]any{"tests": results}
	})
}

//go:wasmexport drop
func drop(number uint32) {
	delete(bundles, number)
}

type request struct {
	Number uint32            `json:"number"`
	Files  map[string]string `json:"files"`
	Data   map[string]any    `json:"data"`
	Paths  []string          `json:"paths"`
	Input  json.RawMessage   `json:"input"`
	Now    int64             `json:"now"`
	Filter string            `json:"filter"`
}

func answered(address, size uint32, serve func(request) any) (packed uint64) {
	reply := func() (reply []byte) {
		defer func() {
			if problem := recover(); problem != nil {
				reply = failure(fmt.Sprint(problem))
			}
		}()
		var asked request
		if err := json.Unmarshal(held[address][:size], &asked); err != nil {
			return failure(err.Error())
		}
		reply, err := json.Marshal(serve(asked))
		if err != nil {
			return failure(err.Error())
		}
		return reply
	}()
	return uint64(hold(reply))<<32 | uint64(len(reply))
}

func hold(buffer []byte) uint32 {
	address := uint32(uintptr(unsafe.Pointer(&buffer[0])))
	held[address] = buffer
	return address
}

func failure(message string) []byte {
	reply, _ := json.Marshal(map[string]string{"error": message})
	return reply
}
