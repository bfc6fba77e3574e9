//go:build wasip1

// The engine's door: exports over one linear memory. The host allocates, writes JSON, calls query and releases both texts.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unsafe"
)

// Buffers that the host holds an address of; the garbage collector must not take them.
var held = map[uint32][]byte{}

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

// query reads {"expression": ..., "value": ...} and answers {"value": ...} or {"error": "..."}.
//
//go:wasmexport query
func query(address, size uint32) uint64 {
	reply := answer(held[address][:size])
	return uint64(hold(reply))<<32 | uint64(len(reply))
}

func hold(buffer []byte) uint32 {
	address := uint32(uintptr(unsafe.Pointer(&buffer[0])))
	held[address] = buffer
	return address
}

func answer(request []byte) (reply []byte) {
	defer func() {
		if problem := recover(); problem != nil {
			reply = failure(fmt.Sprint(problem))
		}
	}()
	var asked struct {
		Expression string          `json:"expression"`
		Value      json.RawMessage `json:"value"`
	}
	if err := json.Unmarshal(request, &asked); err != nil {
		return failure(err.Error())
	}
	value, err := decode(asked.Value)
	if err != nil {
		return failure(err.Error())
	}
	found, err := Evaluate(asked.Expression, value)
	if err != nil {
		return failure(err.Error())
	}
	var result bytes.Buffer
	result.WriteString(`{"value":`)
	encode(&result, found)
	result.WriteByte('}')
	return result.Bytes()
}

func failure(message string) []byte {
	reply, _ := json.Marshal(map[string]string{"error": message})
	return reply
}
