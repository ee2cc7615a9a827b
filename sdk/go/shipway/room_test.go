package shipway

import (
	"testing"
	"unsafe"
)

func TestWhatIsTakenIsAlignedAndApart(t *testing.T) {
	var words [8]uint64
	room, end := unsafe.Pointer(&words), uintptr(0)
	first := take(room, 64, &end, 1, nil, 0, 3)
	second := take(room, 64, &end, 8, nil, 0, 8)
	third := take(room, 64, &end, 4, nil, 0, 5)
	if first != room || second != unsafe.Add(room, 8) || third != unsafe.Add(room, 16) || end != 21 {
		t.Errorf("taken %v, %v, %v of %v, end %d", first, second, third, room, end)
	}
}

func TestARoomIsFullAtItsEnd(t *testing.T) {
	var words [2]uint64
	room, end := unsafe.Pointer(&words), uintptr(0)
	if take(room, 16, &end, 1, nil, 0, 16) == nil {
		t.Error("it does not give all it has")
	}
	if take(room, 16, &end, 1, nil, 0, 1) != nil || take(room, 16, &end, 1, nil, 0, ^uintptr(0)) != nil {
		t.Error("it gives more than it has")
	}
	end = 9
	if take(room, 16, &end, 8, nil, 0, 0) == nil || take(room, 16, &end, 8, nil, 0, 1) != nil {
		t.Error("it does not count what alignment takes")
	}
}

func TestWhatGrowsKeepsItsBytes(t *testing.T) {
	var words [4]uint64
	room, end := unsafe.Pointer(&words), uintptr(0)
	old := take(room, 32, &end, 1, nil, 0, 3)
	copy(unsafe.Slice((*byte)(old), 3), "abc")
	grown := take(room, 32, &end, 1, old, 3, 6)
	if got := string(unsafe.Slice((*byte)(grown), 3)); got != "abc" {
		t.Errorf("got %q", got)
	}
}
