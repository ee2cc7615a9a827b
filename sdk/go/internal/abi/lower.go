package abi

import (
	"encoding/binary"
	"strings"
	"unsafe"
)

// Lowering is what one call hands to the host. The garbage collector does not
// see addresses as references, so what they point to is kept here: the
// Lowering must live until the host has read it.
type Lowering struct {
	memory Memory
	kept   [][]byte
}

// NewLowering begins a call.
func NewLowering(memory Memory) *Lowering {
	return &Lowering{memory: memory}
}

// Bytes hands over bytes as they stand.
func (l *Lowering) Bytes(bytes []byte) Span {
	if len(bytes) == 0 {
		return Span{}
	}
	l.kept = append(l.kept, bytes)
	return Span{l.memory.Address(bytes), uint32(len(bytes))}
}

// String hands over a string. The host traps on anything but UTF-8, while a Go
// string holds any bytes: what is no UTF-8 becomes U+FFFD.
func (l *Lowering) String(text string) Span {
	text = strings.ToValidUTF8(text, "\uFFFD")
	return l.Bytes(unsafe.Slice(unsafe.StringData(text), len(text)))
}

// Record hands over one record or variant and tells its address.
func (l *Lowering) Record(write func(*Writer)) uint32 {
	writer := Writer{lowering: l}
	write(&writer)
	return l.place(writer.bytes)
}

// List hands over a list.
func List[T any](l *Lowering, items []T, write func(*Writer, T)) Span {
	if len(items) == 0 {
		return Span{}
	}
	address := l.Record(func(writer *Writer) {
		for _, item := range items {
			write(writer, item)
		}
	})
	return Span{address, uint32(len(items))}
}

func (l *Lowering) place(bytes []byte) uint32 {
	placed := Aligned(len(bytes))
	copy(placed, bytes)
	return l.Bytes(placed).Address
}

// Writer writes the fields of a record, one after the other.
type Writer struct {
	lowering *Lowering
	bytes    []byte
}

// Align moves on to a multiple of some bytes.
func (w *Writer) Align(to uint32) {
	w.PadTo(roundUp(uint32(len(w.bytes)), to))
}

// PadTo fills up with zeros until this offset.
func (w *Writer) PadTo(offset uint32) {
	if missing := int(offset) - len(w.bytes); missing > 0 {
		w.bytes = append(w.bytes, make([]byte, missing)...)
	}
}

// Byte writes a u8, or the case of a variant or an enum.
func (w *Writer) Byte(value uint8) {
	w.bytes = append(w.bytes, value)
}

// Bool writes a bool.
func (w *Writer) Bool(value bool) {
	if value {
		w.Byte(1)
	} else {
		w.Byte(0)
	}
}

// Uint32 writes a u32.
func (w *Writer) Uint32(value uint32) {
	w.Align(4)
	w.bytes = binary.LittleEndian.AppendUint32(w.bytes, value)
}

// Span writes a list or a string that was handed over.
func (w *Writer) Span(span Span) {
	w.Uint32(span.Address)
	w.Uint32(span.Count)
}

// String writes a string.
func (w *Writer) String(text string) {
	w.Span(w.lowering.String(text))
}

// WriteList writes a list.
func WriteList[T any](w *Writer, items []T, write func(*Writer, T)) {
	w.Span(List(w.lowering, items, write))
}
