package shipway

import (
	"runtime/debug"
	"unsafe"

	"github.com/shipway/shipway/sdk/go/internal/abi"
)

// linear is the component's own memory.
type linear struct{}

func (linear) Address(bytes []byte) uint32 {
	return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(bytes))))
}

func (linear) Slice(address, length uint32) []byte {
	return unsafe.Slice((*byte)(at(uintptr(address))), length)
}

// at is an address that the host gave as a pointer.
func at(address uintptr) unsafe.Pointer {
	return unsafe.Add(unsafe.Pointer(nil), address)
}

// What the host hands over it writes into memory that it asks cabi_realloc
// for, in the middle of a call, when the component may call nothing. An
// allocation on Go's heap can begin a garbage collection, which reads the
// clock and would trap. So it gets room of its own, which is free again with
// the next call: what was handed over is copied before.
//
// No byte of it stands in the file, and none is touched until it is used.
var (
	handedOver [handedOverBytes]byte
	handedEnd  uintptr
)

// handedOverBytes is more than the host hands over in one call, whose largest
// answer is the two streams of a command, 1 MiB each.
const handedOverBytes = 4 << 20

// forgetHandedOver frees the room. Call it when what was handed over is
// copied.
func forgetHandedOver() { handedEnd = 0 }

// realloc is the canonical ABI's. It must not be split: growing the stack may
// switch goroutines, and those may call the host.
//
//go:wasmexport cabi_realloc
//go:nosplit
func realloc(old unsafe.Pointer, oldSize, alignment, size uint32) unsafe.Pointer {
	return orTrap(take(unsafe.Pointer(&handedOver), handedOverBytes, &handedEnd,
		uintptr(alignment), old, uintptr(oldSize), uintptr(size)))
}

// The adapter from WASI preview 1 keeps its stack and its state, 64 KiB each,
// for the component's whole life. It asks for them at its first call, while
// the runtime of Go is not up yet.
var (
	adapter    [adapterBytes]byte
	adapterEnd uintptr
)

const adapterBytes = 3 << 16

// reallocForAdapter is what wit-component gives to the adapter.
//
//go:wasmexport cabi_realloc_adapter
//go:nosplit
func reallocForAdapter(old unsafe.Pointer, oldSize, alignment, size uint32) unsafe.Pointer {
	return orTrap(take(unsafe.Pointer(&adapter), adapterBytes, &adapterEnd,
		uintptr(alignment), old, uintptr(oldSize), uintptr(size)))
}

// orTrap ends the component where there is no room: to those who ask, nil is
// an address like any other.
//
//go:nosplit
func orTrap(taken unsafe.Pointer) unsafe.Pointer {
	if taken == nil {
		const outside = 1<<32 - 1
		*(*byte)(at(outside)) = 0
	}
	return taken
}

var _ abi.Memory = linear{}

// softLimit is where Go collects garbage harder, below the 128 MiB that a
// plugin may have unless its operator says otherwise.
const softLimit = 96 << 20

func init() { debug.SetMemoryLimit(softLimit) }
