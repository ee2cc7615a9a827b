package abi_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/shipway/shipway/sdk/go/internal/abi"
	"github.com/shipway/shipway/sdk/go/internal/abi/abitest"
)

func TestFieldsAreAlignedByThemselves(t *testing.T) {
	memory := abitest.New()
	address := abi.NewLowering(memory).Record(func(w *abi.Writer) {
		w.Byte(1)
		w.Uint32(2)
		w.Bool(true)
		w.Bool(false)
		w.Uint32(3)
	})
	want := []byte{1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0}
	if got := memory.Slice(address, 16); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestReaderSeesWhatWasWritten(t *testing.T) {
	memory := abitest.New()
	address := abi.NewLowering(memory).Record(func(w *abi.Writer) {
		w.Byte(7)
		w.String("größe")
		abi.WriteList(w, []string{"a", "", "c"}, (*abi.Writer).String)
		w.Uint32(0xfffffffd)
	})
	r := abi.NewReader(memory, address)
	if got := r.Byte(); got != 7 {
		t.Errorf("byte: %d", got)
	}
	if got := r.String(); got != "größe" {
		t.Errorf("string: %q", got)
	}
	if got := abi.ReadList(r, (*abi.Reader).String); !slices.Equal(got, []string{"a", "", "c"}) {
		t.Errorf("list: %q", got)
	}
	if got := r.Int32(); got != -3 {
		t.Errorf("s32: %d", got)
	}
}

func TestAU64StandsAtAMultipleOfEight(t *testing.T) {
	memory := abitest.New()
	address := abi.NewLowering(memory).Record(func(w *abi.Writer) {
		w.Uint32(1)
		w.PadTo(8)
		w.Uint32(2)
		w.Uint32(3)
	})
	r := abi.NewReader(memory, address)
	r.Uint32()
	if got := r.Uint64(); got != 3<<32|2 {
		t.Errorf("got %x", got)
	}
}

func TestAStringThatIsNotUTF8IsMendedForTheHost(t *testing.T) {
	memory := abitest.New()
	span := abi.NewLowering(memory).String("a\xffb")
	if got := abi.LiftString(memory, span); got != "a\uFFFDb" {
		t.Errorf("got %q", got)
	}
}

func TestEmptyThingsTakeNoMemory(t *testing.T) {
	lowering := abi.NewLowering(abitest.New())
	if got := lowering.String(""); got != (abi.Span{}) {
		t.Errorf("string: %v", got)
	}
	if got := abi.List(lowering, nil, (*abi.Writer).String); got != (abi.Span{}) {
		t.Errorf("list: %v", got)
	}
	if abi.Aligned(0) != nil {
		t.Error("bytes are allocated for nothing")
	}
}

func TestWhatIsReadIsACopy(t *testing.T) {
	memory := abitest.New()
	address := abi.NewLowering(memory).Record(func(w *abi.Writer) {
		w.String("bytes")
		w.String("string")
	})
	r := abi.NewReader(memory, address)
	content, text := r.Bytes(), r.String()
	memory.Overwrite()
	if string(content) != "bytes" || text != "string" {
		t.Errorf("got %q and %q", content, text)
	}
}

func TestLongListsKeepTheirOrder(t *testing.T) {
	items := make([]string, 1000)
	for index := range items {
		items[index] = strings.Repeat("x", index%50)
	}
	memory := abitest.New()
	address := abi.NewLowering(memory).Record(func(w *abi.Writer) {
		abi.WriteList(w, items, (*abi.Writer).String)
	})
	if got := abi.ReadList(abi.NewReader(memory, address), (*abi.Reader).String); !slices.Equal(got, items) {
		t.Error("the list is another one")
	}
}
