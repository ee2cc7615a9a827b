package shipway

import "github.com/shipway/shipway/sdk/go/internal/abi"

// The component's exports. The core module has those of every role; what
// shipway-plugin.toml does not name is left out of the component.

// lastAnswer keeps what the last call returned: the host reads it after the
// call.
var lastAnswer *abi.Lowering

//go:wasmexport shipway:plugin/manifest@0.1.0#describe
func exportDescribe() uint32 {
	return answer(func(w *abi.Writer) { writeManifest(w, exported.Manifest) })
}

//go:wasmexport shipway:release/commands@0.1.0#collect
func exportCollect(
	id, idLength, app, appLength, environment, environmentLength, commit, commitLength,
	reference, referenceLength, attributes, attributesLength uint32,
) uint32 {
	deployment := liftDeployment([6]abi.Span{
		{Address: id, Count: idLength}, {Address: app, Count: appLength},
		{Address: environment, Count: environmentLength}, {Address: commit, Count: commitLength},
		{Address: reference, Count: referenceLength}, {Address: attributes, Count: attributesLength},
	})
	collected, err := exported.Collect(NewHost(imports{}), deployment)
	return answer(func(w *abi.Writer) {
		writeResult(w, err, func() { writeCollected(w, collected) })
	})
}

//go:wasmexport shipway:notify/notifier@0.1.0#deliver
func exportDeliver(event uint32) uint32 {
	lifted := readEvent(abi.NewReader(linear{}, event))
	forgetHandedOver()
	err := exported.Deliver(NewHost(imports{}), lifted)
	return answer(func(w *abi.Writer) {
		writeResult(w, err, func() {})
	})
}

//go:wasmexport shipway:self-test/checks@0.1.0#run
func exportRun(
	id, idLength, app, appLength, environment, environmentLength, commit, commitLength,
	reference, referenceLength, attributes, attributesLength uint32,
) uint32 {
	deployment := liftDeployment([6]abi.Span{
		{Address: id, Count: idLength}, {Address: app, Count: appLength},
		{Address: environment, Count: environmentLength}, {Address: commit, Count: commitLength},
		{Address: reference, Count: referenceLength}, {Address: attributes, Count: attributesLength},
	})
	report, err := exported.RunSelfTest(NewHost(imports{}), deployment)
	return answer(func(w *abi.Writer) {
		writeResult(w, err, func() { writeReport(w, report) })
	})
}

// liftDeployment takes the fields of a deployment as they come flat.
func liftDeployment(fields [6]abi.Span) Deployment {
	defer forgetHandedOver()
	text := func(field int) string { return abi.LiftString(linear{}, fields[field]) }
	return Deployment{
		ID:          text(0),
		App:         text(1),
		Environment: text(2),
		Commit:      text(3),
		Reference:   text(4),
		Attributes:  abi.LiftList(linear{}, fields[5], readPair),
	}
}

func answer(write func(*abi.Writer)) uint32 {
	lastAnswer = abi.NewLowering(linear{})
	return lastAnswer.Record(write)
}
