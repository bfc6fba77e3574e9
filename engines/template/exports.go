//go:build wasip1

// The engine's door: exports over one linear memory, and one import through which templates ask the host.
//
// The host writes JSON into memory that it allocated, once for many calls, calls, and reads the answer before it calls again. Data is
// sent once and rendered from many times, by its handle.
package main

import (
	"encoding/json"
	"fmt"
	"runtime/debug"
	"unsafe"
)

// Buffers that the host holds an address of; the garbage collector must not take them.
var held = map[uint32][]byte{}

// Collecting seldom costs memory, which is bounded here, and saves much time; the host retires an instance that has grown.
func init() {
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(96 << 20)
}

func main() {}

//go:wasmexport alloc
func alloc(size uint32) uint32 {
	return hold(make([]byte, max(size, 1)))
}

// free gives memory of alloc back.
//
//go:wasmexport free
func free(address uint32) {
	delete(held, address)
}

// The answer that the host reads next; it stays until there is another.
var last []byte

// keep reads a JSON value and answers nothing when it is kept under the handle that leads it (four bytes, little endian).
//
//go:wasmexport keep
func keep(address, size uint32) uint64 {
	request := held[address][:size]
	handle := uint32(request[0]) | uint32(request[1])<<8 | uint32(request[2])<<16 | uint32(request[3])<<24
	value, err := decode(request[4:])
	if err != nil {
		return answer(failed, err.Error())
	}
	kept[handle] = value
	return answer(done, "")
}

//go:wasmexport drop
func drop(handle uint32) {
	delete(kept, handle)
}

// render reads a Request and answers a status and a text.
//
//go:wasmexport render
func render(address, size uint32) uint64 {
	return guarded(held[address][:size], func(request []byte) (byte, string) {
		wanted, err := requested(request)
		if err != nil {
			return failed, err.Error()
		}
		return Render(wanted)
	})
}

// references reads a Request and answers the fields that the template refers to, as JSON, or null.
//
//go:wasmexport references
func references(address, size uint32) uint64 {
	return guarded(held[address][:size], func(request []byte) (byte, string) {
		wanted, err := requested(request)
		if err != nil {
			return failed, err.Error()
		}
		found, err := json.Marshal(References(wanted))
		if err != nil {
			return failed, err.Error()
		}
		return done, string(found)
	})
}

//go:wasmimport host call
func hostCall(address, size uint32) uint64

// ask hands a function and its arguments to the host; its answer is a status and JSON or a message.
func ask(function string, arguments ...any) (any, error) {
	if !current.Host {
		return nil, deferred{function}
	}
	request, err := json.Marshal(map[string]any{"function": function, "arguments": plain(arguments)})
	if err != nil {
		return nil, err
	}
	address := hold(request)
	packed := hostCall(address, uint32(len(request)))
	delete(held, address)
	reply := held[uint32(packed>>32)][:uint32(packed)]
	defer delete(held, uint32(packed>>32))
	status, text := reply[0], reply[1:]
	switch status {
	case done:
		return decode(text)
	case postponed:
		return nil, deferred{string(text)}
	default:
		return nil, fmt.Errorf("%s", text)
	}
}

func guarded(request []byte, serve func([]byte) (byte, string)) (reply uint64) {
	defer func() {
		if problem := recover(); problem != nil {
			reply = answer(failed, fmt.Sprint(problem))
		}
	}()
	status, text := serve(request)
	return answer(status, text)
}

// What the first byte of an answer says.
const (
	done      byte = 0
	failed    byte = 1
	postponed byte = 2
)

func answer(status byte, text string) uint64 {
	last = append(append(make([]byte, 0, len(text)+1), status), text...)
	return uint64(addressOf(last))<<32 | uint64(len(last))
}

func hold(buffer []byte) uint32 {
	address := addressOf(buffer)
	held[address] = buffer
	return address
}

func addressOf(buffer []byte) uint32 {
	return uint32(uintptr(unsafe.Pointer(&buffer[0])))
}
