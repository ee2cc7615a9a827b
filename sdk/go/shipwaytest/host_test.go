package shipwaytest_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/shipway/shipway/sdk/go/shipway"
	"github.com/shipway/shipway/sdk/go/shipwaytest"
)

// on runs a function as a plugin that asks for all there is.
func on(t *testing.T, host *shipwaytest.Host, run func(*shipway.Host)) {
	t.Helper()
	host.Plugin = shipway.Plugin{
		Manifest: shipway.Manifest{
			Settings: []shipway.Setting{{Name: "url"}, {Name: "token", Secret: true}},
			Requests: []shipway.Request{
				{Capability: shipway.CapabilityFiles, Targets: []string{"*.txt", "deep/**/*.md"}},
				{Capability: shipway.CapabilityVariables, Targets: []string{"STAGE", "NONE"}},
				{Capability: shipway.CapabilityHTTP, Targets: []string{"POST,PUT setting:url", "https://open.test"}},
				{Capability: shipway.CapabilityImage},
			},
		},
		Notifier: shipway.NotifierFunc(func(host *shipway.Host, _ shipway.Event) error {
			run(host)
			return nil
		}),
	}
	if err := host.Deliver(shipwaytest.Event("deployment.ended", "")); err != nil {
		t.Fatal(err)
	}
}

func TestFilesAreReadAsFarAsTheManifestAsks(t *testing.T) {
	host := &shipwaytest.Host{Files: map[string]string{
		"b.txt": "b", "a.txt": "a", "c.toml": "c", "x/a.txt": "x", "deep/r.md": "", "deep/er/r.md": "", "bad.txt": "\xff",
	}}
	on(t, host, func(h *shipway.Host) {
		if text, err := h.ReadText("a.txt"); err != nil || text != "a" {
			t.Errorf("got %q, %v", text, err)
		}
		for path, want := range map[string]shipway.Code{
			"none.txt": shipway.NotFound, "c.toml": shipway.Denied, "x/a.txt": shipway.Denied,
			"../a.txt": shipway.Denied, ".env.txt": shipway.Denied, "/a.txt": shipway.Denied, "bad.txt": shipway.Invalid,
		} {
			if _, err := h.ReadText(path); !errors.Is(err, want) {
				t.Errorf("%s: got %v, want %s", path, err, want)
			}
		}
		found, err := h.FindFiles("**")
		want := []string{"a.txt", "b.txt", "bad.txt", "deep/er/r.md", "deep/r.md"}
		if err != nil || !slices.Equal(found, want) {
			t.Errorf("found %v, %v", found, err)
		}
		if _, err := h.FindFiles("["); !errors.Is(err, shipway.Invalid) {
			t.Errorf("a broken glob: %v", err)
		}
	})
}

func TestASecretIsAPlaceholder(t *testing.T) {
	host := &shipwaytest.Host{Settings: map[string]string{"url": "https://a.test/x", "token": "s3cret", "blank": " "}}
	on(t, host, func(h *shipway.Host) {
		if value, set := h.Setting("token"); !set || value != "secret:token" {
			t.Errorf("got %q, %v", value, set)
		}
		if got := h.SettingOr("url", "x"); got != "https://a.test/x" {
			t.Errorf("got %q", got)
		}
		if got := h.SettingOr("blank", "else"); got != "else" {
			t.Errorf("got %q", got)
		}
		if _, err := h.RequireSetting("none"); !errors.Is(err, shipway.Invalid) || err.Error() != "the setting none is not set" {
			t.Errorf("got %v", err)
		}
	})
}

func TestVariablesAreGrantedByName(t *testing.T) {
	host := &shipwaytest.Host{Variables: map[string]string{"STAGE": "live", "OTHER": "x"}}
	on(t, host, func(h *shipway.Host) {
		if value, set, err := h.Variable("STAGE"); value != "live" || !set || err != nil {
			t.Errorf("got %q, %v, %v", value, set, err)
		}
		if _, set, err := h.Variable("NONE"); set || err != nil {
			t.Errorf("got %v, %v", set, err)
		}
		if _, _, err := h.Variable("OTHER"); !errors.Is(err, shipway.Denied) {
			t.Errorf("got %v", err)
		}
	})
}

func TestRequestsGoWhereTheManifestAsks(t *testing.T) {
	host := &shipwaytest.Host{
		Settings: map[string]string{"url": "https://a.test/x"},
		HTTP: func(shipway.HTTPRequest) (*shipway.HTTPResponse, error) {
			return shipwaytest.Response(204, ""), nil
		},
	}
	on(t, host, func(h *shipway.Host) {
		send := func(method, url string) error {
			_, err := h.Send(shipway.HTTPRequest{Method: method, URL: url})
			return err
		}
		for _, url := range []string{"https://a.test/y", "https://A.test:443/"} {
			if err := send("POST", url); err != nil {
				t.Errorf("%s: %v", url, err)
			}
		}
		if err := send("GET", "https://open.test/"); err != nil {
			t.Error(err)
		}
		for _, target := range [][2]string{
			{"GET", "https://a.test/"}, {"POST", "http://a.test/"}, {"POST", "https://a.test:8443/"}, {"POST", "https://b.test/"},
		} {
			if err := send(target[0], target[1]); !errors.Is(err, shipway.Denied) {
				t.Errorf("%v: %v", target, err)
			}
		}
		if err := send("GET", "file:///etc/passwd"); !errors.Is(err, shipway.Invalid) {
			t.Errorf("a file: %v", err)
		}
	})
	if len(host.Requests) != 3 {
		t.Errorf("sent %d requests", len(host.Requests))
	}
}

func TestCommandsRunInTheImageOnly(t *testing.T) {
	host := &shipwaytest.Host{}
	on(t, host, func(h *shipway.Host) {
		if _, err := h.RunImage([]string{"ls"}, nil); !errors.Is(err, shipway.Unavailable) {
			t.Errorf("without an image: %v", err)
		}
		if _, err := h.Exec("web", "ls"); !errors.Is(err, shipway.Denied) {
			t.Errorf("exec: %v", err)
		}
	})
	host.Image = func(command shipwaytest.Command) (*shipway.Output, error) {
		return &shipway.Output{Stdout: []byte(command.Argv[0])}, nil
	}
	on(t, host, func(h *shipway.Host) {
		output, err := h.RunImage([]string{"ls"}, shipway.Attributes{{"A", "b"}})
		if err != nil || string(output.Stdout) != "ls" {
			t.Errorf("got %+v, %v", output, err)
		}
	})
	if len(host.Commands) != 2 || host.Commands[1].Variables[0] != [2]string{"A", "b"} {
		t.Errorf("ran %+v", host.Commands)
	}
}
