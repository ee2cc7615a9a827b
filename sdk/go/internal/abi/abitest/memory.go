// Package abitest has a linear memory for tests.
package abitest

// Memory is a linear memory in which things are placed one after the other.
type Memory struct {
	bytes []byte
}

// start is where the first thing is placed, so that zero is no address.
const start = 16

// New makes an empty memory.
func New() *Memory {
	return &Memory{bytes: make([]byte, start)}
}

// Address copies bytes into the memory, at a multiple of eight.
func (m *Memory) Address(bytes []byte) uint32 {
	for len(m.bytes)%8 != 0 {
		m.bytes = append(m.bytes, 0xaa)
	}
	address := len(m.bytes)
	m.bytes = append(m.bytes, bytes...)
	return uint32(address)
}

// Slice gives the bytes at an address.
func (m *Memory) Slice(address, length uint32) []byte {
	return m.bytes[address : address+length]
}

// Overwrite spoils the whole memory, as the host's next answer does.
func (m *Memory) Overwrite() {
	for index := range m.bytes {
		m.bytes[index] = 0xee
	}
}
