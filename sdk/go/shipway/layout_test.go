package shipway

import (
	"encoding/binary"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/shipway/shipway/sdk/go/internal/abi"
	"github.com/shipway/shipway/sdk/go/internal/abi/abitest"
)

// The sizes of the contract's records, from its text: a string or a list takes
// eight bytes, and a record is as long as its fields with their alignment.
func TestRecordsAreAsLongAsTheContractSays(t *testing.T) {
	commands := []Command{{Label: "a", Run: Shell("b")}, {Label: "a", Run: Argv{"b"}, Undo: Argv{"c"}, Timeout: time.Minute}}
	cases := map[string]struct {
		size  uint32
		write func(*abi.Writer)
	}{
		"setting":         {36, func(w *abi.Writer) { writeSetting(w, Setting{Name: "a"}) }},
		"request":         {32, func(w *abi.Writer) { writeRequest(w, Request{}) }},
		"description":     {48, func(w *abi.Writer) { writeManifest(w, Manifest{}) }},
		"failure":         {28, func(w *abi.Writer) { writeFailure(w, &Failure{}) }},
		"release-command": {92, func(w *abi.Writer) { writeCommand(w, commands[0]) }},
		"with an undo":    {92, func(w *abi.Writer) { writeCommand(w, commands[1]) }},
		"skipped":         {40, func(w *abi.Writer) { writeSkipped(w, Skipped{}) }},
		"collected":       {32, func(w *abi.Writer) { writeCollected(w, &Collected{}) }},
		"check":           {32, func(w *abi.Writer) { writeCheck(w, Check{}) }},
		"report":          {16, func(w *abi.Writer) { writeReport(w, &Report{}) }},
		"a result":        {resultSize, func(w *abi.Writer) { writeResult(w, nil, func() {}) }},
	}
	for name, c := range cases {
		memory := abitest.New()
		// What is written next tells where the record ended.
		address := abi.NewLowering(memory).Record(func(w *abi.Writer) {
			c.write(w)
			w.Byte(0xcd)
		})
		if got := memory.Slice(address+c.size, 1)[0]; got != 0xcd {
			t.Errorf("%s does not take %d bytes", name, c.size)
		}
	}
}

func TestACommandReadsAsItWasWritten(t *testing.T) {
	command := Command{
		Label:      "Migrate",
		Run:        Argv{"./migrate", "--all"},
		Phase:      PhaseGate,
		Entrypoint: EntrypointKeep,
		Timeout:    1500 * time.Millisecond,
		When:       WhenOnce,
		Undo:       Shell("./migrate --back"),
		Provenance: Provenance{"Releasefile", "line 3"},
		Attributes: Attributes{{"a", "b"}},
	}
	want := command
	want.Timeout = 2 * time.Second
	if got := writtenAndRead(command); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestWhatACommandLeavesOutHasItsUsualValue(t *testing.T) {
	want := Command{
		Label:      "make a",
		Run:        Shell("make\n  a"),
		Phase:      PhaseRelease,
		Entrypoint: EntrypointBypass,
		When:       WhenAlways,
	}
	if got := writtenAndRead(Command{Run: Shell("make\n  a")}); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// writtenAndRead is a command as the host sees it.
func writtenAndRead(command Command) Command {
	memory := abitest.New()
	address := abi.NewLowering(memory).Record(func(w *abi.Writer) { writeCommand(w, command) })
	r := abi.NewReader(memory, address)
	read := Command{Label: r.String(), Run: readInvocation(r), Phase: Phase(r.String()), Entrypoint: Entrypoint(r.String())}
	hasTimeout, timeout := r.Bool(), r.Uint32()
	if hasTimeout {
		read.Timeout = time.Duration(timeout) * time.Second
	}
	read.When = When(r.String())
	hasUndo := r.Bool()
	r.Align(4)
	if undo := readInvocation(r); hasUndo {
		read.Undo = undo
	}
	read.Provenance = Provenance{r.String(), r.String()}
	read.Attributes = readAttributes(r)
	return read
}

func readInvocation(r *abi.Reader) Invocation {
	isArgv := r.Byte() == 1
	r.Align(4)
	if isArgv {
		return Argv(readStrings(r))
	}
	return Shell(r.String())
}

func TestAFailureComesBackAsItIs(t *testing.T) {
	want := &Failure{Code: "odd", Message: "no", Retryable: true, Attributes: Attributes{{"a", "b"}}}
	memory := abitest.New()
	address := abi.NewLowering(memory).Record(func(w *abi.Writer) {
		writeResult(w, want, func() { t.Error("a failure has no value") })
	})
	_, err := readResult(abi.NewReader(memory, address), readOutput)
	if !reflect.DeepEqual(err, want) {
		t.Errorf("got %+v", err)
	}
}

func TestAnEventIsReadWithItsDeployment(t *testing.T) {
	memory := abitest.New()
	address := abi.NewLowering(memory).Record(func(w *abi.Writer) {
		w.String("id")
		w.Uint32(7)
		w.Uint32(1)
		for _, text := range []string{"time", "kind", "deployment", "app", "environment", "commit", "reference"} {
			w.String(text)
		}
		writeAttributes(w, Attributes{{"of", "deployment"}})
		w.String("summary")
		w.String("{}")
		writeAttributes(w, Attributes{{"of", "event"}})
	})
	want := Event{
		ID: "id", Sequence: 1<<32 + 7, Time: "time", Kind: "kind",
		Deployment: Deployment{"deployment", "app", "environment", "commit", "reference", Attributes{{"of", "deployment"}}},
		Summary:    "summary", Data: "{}", Attributes: Attributes{{"of", "event"}},
	}
	if got := readEvent(abi.NewReader(memory, address)); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestAnswersOfTheHostAreRead(t *testing.T) {
	memory := abitest.New()
	lowering := abi.NewLowering(memory)
	response := lowering.Record(func(w *abi.Writer) {
		w.Bool(false)
		w.Align(4)
		w.Byte(0x94)
		w.Byte(1)
		writeAttributes(w, Attributes{{"Location", "/x"}})
		w.Span(lowering.Bytes([]byte("body")))
		writeAttributes(w, nil)
	})
	got, err := readResult(abi.NewReader(memory, response), readResponse)
	want := &HTTPResponse{Status: 404, Headers: Headers{{"Location", "/x"}}, Body: []byte("body")}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("response: %+v, %v", got, err)
	}

	output := lowering.Record(func(w *abi.Writer) {
		w.Uint32(math.MaxUint32)
		w.String("out")
		w.String("err")
		w.Bool(true)
		writeAttributes(w, nil)
	})
	wantOutput := &Output{ExitCode: -1, Stdout: []byte("out"), Stderr: []byte("err"), Truncated: true}
	if got := readOutput(abi.NewReader(memory, output)); !reflect.DeepEqual(got, wantOutput) {
		t.Errorf("output: %+v", got)
	}
}

func TestAnOptionIsSetOrNot(t *testing.T) {
	memory := abitest.New()
	lowering := abi.NewLowering(memory)
	set := lowering.Record(func(w *abi.Writer) { w.Bool(true); w.String("") })
	unset := lowering.Record(func(w *abi.Writer) { w.PadTo(12) })
	if got := readOptional(abi.NewReader(memory, set)); got != (optional{"", true}) {
		t.Errorf("set: %+v", got)
	}
	if got := readOptional(abi.NewReader(memory, unset)); got != (optional{}) {
		t.Errorf("unset: %+v", got)
	}
}

func TestShortDurationsAreNotNone(t *testing.T) {
	for duration, want := range map[time.Duration]uint32{
		-time.Second: 0, 0: 0, time.Nanosecond: 1, time.Second: 1, time.Second + 1: 2, math.MaxInt64: math.MaxUint32,
	} {
		if got := wholeUnits(duration, time.Second); got != want {
			t.Errorf("%v: got %d, want %d", duration, got, want)
		}
	}
}

// binary is little-endian in WebAssembly, whatever runs the tests.
func TestNumbersAreLittleEndian(t *testing.T) {
	memory := abitest.New()
	address := abi.NewLowering(memory).Record(func(w *abi.Writer) { w.Uint32(0x01020304) })
	if got := binary.BigEndian.Uint32(memory.Slice(address, 4)); got != 0x04030201 {
		t.Errorf("got %x", got)
	}
}
