// Package abi lays values out as the component model's canonical ABI wants
// them in linear memory, and reads them back.
//
// [Lowering] and [Writer] hand values to the host, [Reader] takes them from
// it. Both work on any [Memory], so that the layouts are tested without a
// component. Fields follow each other in the order in which they are written
// or read; each is aligned by itself, and only a variant's payload needs a
// call of Align.
//
// Nothing here knows a type of the contract.
package abi

import "unsafe"

// Memory is the linear memory of a component.
type Memory interface {
	// Address tells where bytes stand. They stay there while they are
	// referenced.
	Address(bytes []byte) uint32
	// Slice gives the bytes at an address. They may change with the next call
	// of the host: copy what is kept.
	Slice(address, length uint32) []byte
}

// Span is where a list or a string stands, and its number of elements.
type Span struct {
	Address, Count uint32
}

// alignment is the largest alignment of any value of the contract, a u64's.
const alignment = 8

// Aligned allocates zeroed bytes that begin at a multiple of eight.
func Aligned(length int) []byte {
	if length == 0 {
		return nil
	}
	words := make([]uint64, (length+alignment-1)/alignment)
	return unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), length)
}

func roundUp(offset, to uint32) uint32 {
	return (offset + to - 1) / to * to
}
