package shipwaytest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// program writes a program that stands in for shipway.
func program(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "shipway")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheResultsOfCasesAreRead(t *testing.T) {
	shipway := program(t, `cat <<END
{"plugin":{},"cases":[{"name":"$5","case":"$5","role":"notifier","passed":false,
"result":{"commands":[]},"failure":{"code":"denied","message":"no","retryable":true},
"log":[{"level":"info","message":"hello"}],"calls":[{"call":"source.read","arguments":{"path":"a"},"answer":null}],
"requests":[{"method":"POST"}],"mismatches":["$1 $2 $3 $4"]}]}
END
exit 1
`)
	results, err := runCases(t.Context(), shipway, "a.wasm", []string{"tests/a.toml"})
	if err != nil {
		t.Fatal(err)
	}
	result := results[0]
	if result.Passed || result.Name != "tests/a.toml" || result.Failure.Code != "denied" || !result.Failure.Retryable {
		t.Errorf("got %+v", result)
	}
	if got := result.Mismatches[0]; got != "plugin test --json a.wasm" {
		t.Errorf("it was called with %s", got)
	}
	if result.Calls[0].Call != "source.read" || string(result.Calls[0].Arguments) != `{"path":"a"}` {
		t.Errorf("got the calls %+v", result.Calls)
	}
	var decoded struct{ Commands []any }
	result.Decode(t, &decoded)
}

func TestAProgramThatFailsSaysWhy(t *testing.T) {
	_, err := runCases(t.Context(), program(t, "echo 'no such component' >&2; exit 2\n"), "a.wasm", []string{"a.toml"})
	if err == nil || !strings.Contains(err.Error(), "no such component") {
		t.Errorf("got %v", err)
	}
	_, err = runCases(t.Context(), program(t, "echo hello\n"), "a.wasm", []string{"a.toml"})
	if err == nil || !strings.Contains(err.Error(), "printed no JSON") {
		t.Errorf("got %v", err)
	}
}
