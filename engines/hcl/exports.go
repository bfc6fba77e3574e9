//go:build wasip1

// The engine's door: exports over one linear memory. The host allocates, writes JSON, calls parse and releases both texts.
package main

import (
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

// parse reads {"file name": "text"} and answers a Module as JSON: address in the high half, length in the low half.
//
//go:wasmexport parse
func parse(address, size uint32) uint64 {
	answer := answer(held[address][:size])
	return uint64(hold(answer))<<32 | uint64(len(answer))
}

// attributes reads {"file name": "text"} of one file and answers {"value": {...}} as JSON.
//
//go:wasmexport attributes
func attributes(address, size uint32) uint64 {
	answer := assignments(held[address][:size])
	return uint64(hold(answer))<<32 | uint64(len(answer))
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
	var files map[string]string
	if err := json.Unmarshal(request, &files); err != nil {
		return failure(err.Error())
	}
	reply, err := json.Marshal(ReadModule(files))
	if err != nil {
		return failure(err.Error())
	}
	return reply
}

func assignments(request []byte) (reply []byte) {
	defer func() {
		if problem := recover(); problem != nil {
			reply = failure(fmt.Sprint(problem))
		}
	}()
	var files map[string]string
	if err := json.Unmarshal(request, &files); err != nil {
		return failure(err.Error())
	}
	for name, text := range files {
		value, err := Attributes(name, text)
		if err != nil {
			return failure(err.Error())
		}
		reply, _ = json.Marshal(map[string]any{"value": value})
	}
	return reply
}

func failure(message string) []byte {
	reply, _ := json.Marshal(map[string]string{"error": message})
	return reply
}
