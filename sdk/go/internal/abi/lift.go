package abi

import (
	"bytes"
	"encoding/binary"
)

// Reader reads the fields of a record, one after the other. What it returns
// is copied out of the memory.
type Reader struct {
	memory Memory
	at     uint32
}

// NewReader reads the record at an address.
func NewReader(memory Memory, address uint32) *Reader {
	return &Reader{memory: memory, at: address}
}

// Align moves on to a multiple of some bytes.
func (r *Reader) Align(to uint32) {
	r.at = roundUp(r.at, to)
}

// Byte reads a u8, or the case of a variant.
func (r *Reader) Byte() uint8 {
	return r.next(1)[0]
}

// Bool reads a bool, or whether an option has a value.
func (r *Reader) Bool() bool {
	return r.Byte() != 0
}

// Uint16 reads a u16.
func (r *Reader) Uint16() uint16 {
	return binary.LittleEndian.Uint16(r.next(2))
}

// Uint32 reads a u32.
func (r *Reader) Uint32() uint32 {
	return binary.LittleEndian.Uint32(r.next(4))
}

// Int32 reads an s32.
func (r *Reader) Int32() int32 {
	return int32(r.Uint32())
}

// Uint64 reads a u64.
func (r *Reader) Uint64() uint64 {
	return binary.LittleEndian.Uint64(r.next(8))
}

// Bytes reads a list of bytes.
func (r *Reader) Bytes() []byte {
	span := r.Span()
	return bytes.Clone(r.memory.Slice(span.Address, span.Count))
}

// String reads a string.
func (r *Reader) String() string {
	return LiftString(r.memory, r.Span())
}

// Span reads where a list or a string stands.
func (r *Reader) Span() Span {
	return Span{Address: r.Uint32(), Count: r.Uint32()}
}

// ReadList reads a list.
func ReadList[T any](r *Reader, read func(*Reader) T) []T {
	return LiftList(r.memory, r.Span(), read)
}

// LiftString copies a string out of the memory.
func LiftString(memory Memory, span Span) string {
	return string(memory.Slice(span.Address, span.Count))
}

// LiftList reads a list that stands somewhere.
func LiftList[T any](memory Memory, span Span, read func(*Reader) T) []T {
	if span.Count == 0 {
		return nil
	}
	reader := NewReader(memory, span.Address)
	items := make([]T, 0, span.Count)
	for range span.Count {
		items = append(items, read(reader))
	}
	return items
}

// next gives the bytes of a value whose alignment is its size.
func (r *Reader) next(size uint32) []byte {
	r.Align(size)
	bytes := r.memory.Slice(r.at, size)
	r.at += size
	return bytes
}
