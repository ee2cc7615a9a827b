package shipway

import (
	"runtime"
	"time"
	"unsafe"

	"github.com/shipway/shipway/sdk/go/internal/abi"
)

// imports are the component's imports.
type imports struct{}

//go:wasmimport shipway:plugin/settings@0.1.0 get
func settingsGet(name, nameLength uint32, result unsafe.Pointer)

//go:wasmimport shipway:plugin/variables@0.1.0 get
func variablesGet(name, nameLength uint32, result unsafe.Pointer)

//go:wasmimport shipway:plugin/log@0.1.0 write
func logWrite(level, message, messageLength uint32)

//go:wasmimport shipway:plugin/source@0.1.0 read
func sourceRead(path, pathLength uint32, result unsafe.Pointer)

//go:wasmimport shipway:plugin/source@0.1.0 find
func sourceFind(glob, globLength uint32, result unsafe.Pointer)

//go:wasmimport shipway:plugin/image@0.1.0 run
func imageRun(argv, argvLength, variables, variablesLength uint32, result unsafe.Pointer)

//go:wasmimport shipway:plugin/http@0.1.0 send
func httpSend(
	method, methodLength, url, urlLength, headers, headersLength, body, bodyLength uint32,
	hasTimeout, timeout, attributes, attributesLength uint32, result unsafe.Pointer,
)

//go:wasmimport shipway:plugin/candidate@0.1.0 endpoints
func candidateEndpoints(result unsafe.Pointer)

//go:wasmimport shipway:plugin/candidate@0.1.0 exec
func candidateExec(process, processLength, argv, argvLength uint32, result unsafe.Pointer)

// answerBytes is the size of the largest result of an import, that of a
// command.
const answerBytes = 36

// ask makes one call of the host: it hands over the arguments, and reads the
// answer before anything else can be handed over.
func ask[T any](call func(*abi.Lowering, unsafe.Pointer), read func(*abi.Reader) T) T {
	lowering := abi.NewLowering(linear{})
	answer := abi.Aligned(answerBytes)
	call(lowering, unsafe.Pointer(unsafe.SliceData(answer)))
	runtime.KeepAlive(lowering)
	defer forgetHandedOver()
	result := read(abi.NewReader(linear{}, linear{}.Address(answer)))
	runtime.KeepAlive(answer)
	return result
}

// answered is result<T, failure>.
type answered[T any] struct {
	value T
	err   error
}

// try is ask for a call that may fail.
func try[T any](call func(*abi.Lowering, unsafe.Pointer), read func(*abi.Reader) T) (T, error) {
	answer := ask(call, func(r *abi.Reader) answered[T] {
		value, err := readResult(r, read)
		return answered[T]{value, err}
	})
	return answer.value, answer.err
}

func (imports) Setting(name string) (string, bool) {
	setting := ask(func(l *abi.Lowering, answer unsafe.Pointer) {
		text := l.String(name)
		settingsGet(text.Address, text.Count, answer)
	}, readOptional)
	return setting.value, setting.set
}

func (imports) Variable(name string) (string, bool, error) {
	variable, err := try(func(l *abi.Lowering, answer unsafe.Pointer) {
		text := l.String(name)
		variablesGet(text.Address, text.Count, answer)
	}, readOptional)
	return variable.value, variable.set, err
}

func (imports) Log(level Level, message string) {
	lowering := abi.NewLowering(linear{})
	text := lowering.String(message)
	logWrite(uint32(min(level, LevelError)), text.Address, text.Count)
	runtime.KeepAlive(lowering)
}

func (imports) ReadFile(path string) ([]byte, error) {
	return try(func(l *abi.Lowering, answer unsafe.Pointer) {
		text := l.String(path)
		sourceRead(text.Address, text.Count, answer)
	}, (*abi.Reader).Bytes)
}

func (imports) FindFiles(glob string) ([]string, error) {
	return try(func(l *abi.Lowering, answer unsafe.Pointer) {
		text := l.String(glob)
		sourceFind(text.Address, text.Count, answer)
	}, readStrings)
}

func (imports) RunImage(argv []string, variables Attributes) (*Output, error) {
	return try(func(l *abi.Lowering, answer unsafe.Pointer) {
		words := abi.List(l, argv, (*abi.Writer).String)
		pairs := abi.List(l, variables, writePair)
		imageRun(words.Address, words.Count, pairs.Address, pairs.Count, answer)
	}, readOutput)
}

func (imports) Send(request HTTPRequest) (*HTTPResponse, error) {
	return try(func(l *abi.Lowering, answer unsafe.Pointer) {
		method, url := l.String(request.Method), l.String(request.URL)
		headers := abi.List(l, request.Headers, writePair)
		body := l.Bytes(request.Body)
		timeout := wholeUnits(request.Timeout, time.Millisecond)
		attributes := abi.List(l, request.Attributes, writePair)
		httpSend(
			method.Address, method.Count, url.Address, url.Count,
			headers.Address, headers.Count, body.Address, body.Count,
			min(timeout, 1), timeout, attributes.Address, attributes.Count, answer,
		)
	}, readResponse)
}

func (imports) Endpoints() []Endpoint {
	return ask(func(_ *abi.Lowering, answer unsafe.Pointer) {
		candidateEndpoints(answer)
	}, func(r *abi.Reader) []Endpoint {
		return abi.ReadList(r, readEndpoint)
	})
}

func (imports) Exec(process string, argv []string) (*Output, error) {
	return try(func(l *abi.Lowering, answer unsafe.Pointer) {
		text := l.String(process)
		words := abi.List(l, argv, (*abi.Writer).String)
		candidateExec(text.Address, text.Count, words.Address, words.Count, answer)
	}, readOutput)
}
