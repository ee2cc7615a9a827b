package shipwaytest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Result is what a case gave in the production sandbox.
type Result struct {
	Name string `json:"name"`
	// Case is the path of the case file.
	Case string `json:"case"`
	Role string `json:"role"`
	// Passed tells whether everything that the case expects came true.
	Passed bool `json:"passed"`
	// Result is what the plugin returned, as JSON with the contract's names.
	Result json.RawMessage `json:"result"`
	// Failure is what the plugin failed with.
	Failure *Failure `json:"failure"`
	// Error is what ended the plugin: a trap, a limit.
	Error    *Error    `json:"error"`
	Log      []LogLine `json:"log"`
	Calls    []Call    `json:"calls"`
	Requests []Request `json:"requests"`
	// Mismatches say what the case expects and did not get.
	Mismatches []string `json:"mismatches"`
}

// Failure is a failure that the plugin returned.
type Failure struct {
	Code      string `json:"code"`
	Message   string `json:"message"`
	Retryable bool   `json:"retryable"`
}

// Error is what ended a plugin that did not return.
type Error struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
}

// LogLine is one line of the plugin's log.
type LogLine struct {
	Level   string `json:"level"`
	Message string `json:"message"`
}

// Call is one call of the host, with arguments and answer as JSON.
type Call struct {
	Call      string          `json:"call"`
	Arguments json.RawMessage `json:"arguments"`
	Answer    json.RawMessage `json:"answer"`
}

// Request is one request that left for the outside, as JSON.
type Request = json.RawMessage

// Decode reads what the plugin returned into a value.
func (r Result) Decode(t *testing.T, value any) {
	t.Helper()
	if err := json.Unmarshal(r.Result, value); err != nil {
		t.Fatalf("%s: the result is not the JSON expected: %v\n%s", r.Name, err, r.Result)
	}
}

// caseTime is how long one run of shipway may take, compiling included.
const caseTime = 5 * time.Minute

// Cases runs the case files that match these globs with a component in the
// production sandbox, as
//
//	shipway plugin test COMPONENT CASE…
//
// does, each as a subtest that fails where the case does, and gives their
// results for more assertions. The program shipway is that of the variable
// SHIPWAY_PROGRAM, or on the PATH. Where there is none, or no component yet, the
// test is skipped and says so.
func Cases(t *testing.T, component string, globs ...string) []Result {
	t.Helper()
	program := shipwayProgram(t)
	if _, err := os.Stat(component); err != nil {
		t.Skipf("not run: there is no %s yet; make it with `shipway plugin build`", component)
	}
	results, err := runCases(t.Context(), program, component, caseFiles(t, globs))
	if err != nil {
		t.Fatal(err)
	}
	for _, result := range results {
		t.Run(result.Name, func(t *testing.T) { report(t, result) })
	}
	return results
}

func shipwayProgram(t *testing.T) string {
	t.Helper()
	if program := os.Getenv("SHIPWAY_PROGRAM"); program != "" {
		return program
	}
	program, err := exec.LookPath("shipway")
	if err != nil {
		t.Skip("not run: there is no shipway on the PATH; set SHIPWAY_PROGRAM to where it is")
	}
	return program
}

func caseFiles(t *testing.T, globs []string) []string {
	t.Helper()
	var files []string
	for _, glob := range globs {
		found, err := filepath.Glob(glob)
		if err != nil {
			t.Fatalf("%s is no glob: %v", glob, err)
		}
		files = append(files, found...)
	}
	if len(files) == 0 {
		t.Fatalf("no case file matches %s", strings.Join(globs, ", "))
	}
	return files
}

func runCases(ctx context.Context, program, component string, files []string) ([]Result, error) {
	ctx, cancel := context.WithTimeout(ctx, caseTime)
	defer cancel()
	arguments := append([]string{"plugin", "test", "--json", component}, files...)
	command := exec.CommandContext(ctx, program, arguments...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	output, err := command.Output()
	// Exit code 1 says that a case did not pass, and the JSON says which.
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || len(output) == 0) {
		return nil, fmt.Errorf("%s: %w\n%s", command, err, stderr.String())
	}
	var answer struct {
		Cases []Result `json:"cases"`
	}
	if err := json.Unmarshal(output, &answer); err != nil {
		return nil, fmt.Errorf("%s printed no JSON: %w\n%s%s", command, err, output, stderr.String())
	}
	return answer.Cases, nil
}

func report(t *testing.T, result Result) {
	t.Helper()
	for _, line := range result.Log {
		t.Logf("%s: %s", line.Level, line.Message)
	}
	if result.Passed {
		return
	}
	for _, mismatch := range result.Mismatches {
		t.Error(mismatch)
	}
	if len(result.Mismatches) == 0 {
		t.Errorf("%s did not pass, and shipway does not say why", result.Case)
	}
}
