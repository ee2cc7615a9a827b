package shipway

import "unsafe"

// take takes the next bytes of some room, of which as much as end tells is in
// use, and moves what stood at an old place there. It gives nil when the room
// does not do. The alignment is a power of two.
//
//go:nosplit
func take(
	room unsafe.Pointer, length uintptr, end *uintptr,
	alignment uintptr, old unsafe.Pointer, oldSize, size uintptr,
) unsafe.Pointer {
	padding := -(uintptr(room) + *end) & (alignment - 1)
	start := *end + padding
	if start > length || size > length-start {
		return nil
	}
	*end = start + size
	taken := unsafe.Add(room, start)
	for offset := range min(oldSize, size) {
		*(*byte)(unsafe.Add(taken, offset)) = *(*byte)(unsafe.Add(old, offset))
	}
	return taken
}
