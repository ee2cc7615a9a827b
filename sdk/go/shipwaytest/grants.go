package shipwaytest

import (
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/shipway/shipway/sdk/go/shipway"
)

// What the manifest asks for, taken as granted.

func (c calls) asks(capability shipway.Capability) bool {
	return slices.ContainsFunc(c.Plugin.Manifest.Requests, func(request shipway.Request) bool {
		return request.Capability == capability
	})
}

func (c calls) targets(capability shipway.Capability) []string {
	var targets []string
	for _, request := range c.Plugin.Manifest.Requests {
		if request.Capability == capability {
			targets = append(targets, request.Targets...)
		}
	}
	return targets
}

func (c calls) mayRead(file string) error {
	if slices.ContainsFunc(strings.Split(file, "/"), isNeverReadable) {
		return denied("%s is never readable", file)
	}
	for _, glob := range c.targets(shipway.CapabilityFiles) {
		if matches(glob, file) {
			return nil
		}
	}
	return denied("%s is in none of the globs that the manifest requests", file)
}

func isNeverReadable(name string) bool {
	switch name {
	case "", ".", "..", ".git":
		return true
	}
	return strings.HasPrefix(name, ".env")
}

func (c calls) maySend(request shipway.HTTPRequest) error {
	wanted, ok := origin(request.URL)
	if !ok {
		return shipway.Failuref(shipway.Invalid, "%s is no http:// or https:// URL", request.URL)
	}
	for _, endpoint := range c.Host.Endpoints {
		if granted, ok := origin(endpoint.URL); ok && granted == wanted {
			return nil
		}
	}
	for _, target := range c.targets(shipway.CapabilityHTTP) {
		methods, place := splitTarget(target)
		if name, isSetting := strings.CutPrefix(place, "setting:"); isSetting {
			place = c.Settings[name]
		}
		granted, ok := origin(place)
		if ok && granted == wanted && allows(methods, request.Method) {
			return nil
		}
	}
	return denied("the manifest does not request %s %s", request.Method, wanted)
}

// splitTarget takes the methods off the front of a target.
func splitTarget(target string) (methods []string, place string) {
	before, after, found := strings.Cut(target, " ")
	if !found {
		return nil, target
	}
	return strings.Split(before, ","), strings.TrimSpace(after)
}

func allows(methods []string, method string) bool {
	return methods == nil || slices.Contains(methods, strings.ToUpper(method))
}

// origin is scheme, host and port of a URL.
func origin(text string) (string, bool) {
	parsed, err := url.Parse(text)
	if err != nil || parsed.Hostname() == "" {
		return "", false
	}
	port := parsed.Port()
	switch {
	case parsed.Scheme == "http" && port == "":
		port = "80"
	case parsed.Scheme == "https" && port == "":
		port = "443"
	case parsed.Scheme != "http" && parsed.Scheme != "https":
		return "", false
	}
	return parsed.Scheme + "://" + strings.ToLower(parsed.Hostname()) + ":" + port, true
}

// matches tells whether a path matches a glob as the engine reads it: * and ?
// stay within one name, ** goes through folders.
func matches(glob, file string) bool {
	return matchNames(strings.Split(glob, "/"), strings.Split(file, "/"))
}

func matchNames(globs, names []string) bool {
	if len(globs) == 0 {
		return len(names) == 0
	}
	if globs[0] == "**" {
		for skipped := range len(names) + 1 {
			if matchNames(globs[1:], names[skipped:]) {
				return true
			}
		}
		return false
	}
	if len(names) == 0 {
		return false
	}
	matched, err := path.Match(globs[0], names[0])
	return err == nil && matched && matchNames(globs[1:], names[1:])
}

func validGlob(glob string) bool {
	_, err := path.Match(glob, "")
	return err == nil
}
