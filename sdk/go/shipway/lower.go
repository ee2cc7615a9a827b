package shipway

import (
	"cmp"
	"math"
	"time"

	"github.com/shipway/shipway/sdk/go/internal/abi"
)

// The contract's records as the host reads them, in the order of their fields
// in the WIT text.

func writeAttributes(w *abi.Writer, attributes Attributes) {
	abi.WriteList(w, attributes, writePair)
}

func writePair(w *abi.Writer, pair [2]string) {
	w.String(pair[0])
	w.String(pair[1])
}

func writeStrings(w *abi.Writer, items []string) {
	abi.WriteList(w, items, (*abi.Writer).String)
}

func writeManifest(w *abi.Writer, manifest Manifest) {
	w.String(manifest.Name)
	w.String(manifest.Version)
	w.String(manifest.Summary)
	abi.WriteList(w, manifest.Settings, writeSetting)
	abi.WriteList(w, manifest.Requests, writeRequest)
	writeAttributes(w, manifest.Attributes)
}

func writeSetting(w *abi.Writer, setting Setting) {
	w.String(setting.Name)
	w.String(setting.Summary)
	w.Bool(setting.Required)
	w.Bool(setting.Secret)
	writeStrings(w, setting.Places)
	writeAttributes(w, setting.Attributes)
}

func writeRequest(w *abi.Writer, request Request) {
	w.String(string(request.Capability))
	writeStrings(w, request.Targets)
	w.String(request.Reason)
	writeAttributes(w, request.Attributes)
}

// resultSize is the size of the largest result of an export, that of collect.
const resultSize = 36

// writeResult writes result<T, failure>.
func writeResult(w *abi.Writer, err error, write func()) {
	w.Bool(err != nil)
	w.Align(4)
	if err != nil {
		writeFailure(w, asFailure(err))
	} else {
		write()
	}
	w.PadTo(resultSize)
}

func writeFailure(w *abi.Writer, failure *Failure) {
	w.String(string(failure.Code))
	w.String(failure.Message)
	w.Bool(failure.Retryable)
	writeAttributes(w, failure.Attributes)
}

func writeCollected(w *abi.Writer, collected *Collected) {
	abi.WriteList(w, collected.Commands, writeCommand)
	abi.WriteList(w, collected.Skipped, writeSkipped)
	writeStrings(w, collected.Warnings)
	writeAttributes(w, collected.Attributes)
}

func writeCommand(w *abi.Writer, command Command) {
	w.String(labelOf(command))
	writeInvocation(w, command.Run)
	w.String(string(cmp.Or(command.Phase, PhaseRelease)))
	w.String(string(cmp.Or(command.Entrypoint, EntrypointBypass)))
	w.Bool(command.Timeout > 0)
	w.Uint32(wholeUnits(command.Timeout, time.Second))
	w.String(string(cmp.Or(command.When, WhenAlways)))
	w.Bool(command.Undo != nil)
	w.Align(4)
	writeInvocation(w, command.Undo)
	writeProvenance(w, command.Provenance)
	writeAttributes(w, command.Attributes)
}

func labelOf(command Command) string {
	if command.Label == "" && command.Run != nil {
		return command.Run.String()
	}
	return command.Label
}

// writeInvocation writes a nil as an empty shell string: the host refuses that
// with the command's label, and reads it not at all where it is no undo.
func writeInvocation(w *abi.Writer, invocation Invocation) {
	switch run := invocation.(type) {
	case Argv:
		w.Byte(1)
		w.Align(4)
		writeStrings(w, run)
	case Shell:
		w.Byte(0)
		w.String(string(run))
	default:
		w.Byte(0)
		w.String("")
	}
}

func writeProvenance(w *abi.Writer, provenance Provenance) {
	w.String(provenance.File)
	w.String(provenance.Place)
}

func writeSkipped(w *abi.Writer, skipped Skipped) {
	w.String(skipped.What)
	w.String(skipped.Reason)
	writeProvenance(w, skipped.Provenance)
	writeAttributes(w, skipped.Attributes)
}

func writeReport(w *abi.Writer, report *Report) {
	abi.WriteList(w, report.Checks, writeCheck)
	writeAttributes(w, report.Attributes)
}

func writeCheck(w *abi.Writer, check Check) {
	w.String(check.Name)
	w.Byte(uint8(min(check.Outcome, Skip)))
	w.String(check.Message)
	w.Uint32(uint32(min(max(check.Duration.Milliseconds(), 0), math.MaxUint32)))
	writeAttributes(w, check.Attributes)
}

// wholeUnits counts a duration in whole units, rounded up, so that a short one
// is not none.
func wholeUnits(duration, unit time.Duration) uint32 {
	if duration <= 0 {
		return 0
	}
	units := (duration-1)/unit + 1
	return uint32(min(units, math.MaxUint32))
}
