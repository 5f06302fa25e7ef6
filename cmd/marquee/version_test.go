package main

import (
	"encoding/json"
	"net/http"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/aledotdev/marquee/internal/httpapi"
)

// TestVersion: /version tells what the build has recorded, which is always the version of Go.
func TestVersion(t *testing.T) {
	t.Parallel()
	api, _, _, _ := serving(t)
	response, err := http.Get(api + "/version")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var got httpapi.Version
	if err := json.NewDecoder(response.Body).Decode(&got); err != nil || got.Version != version || got.Go != runtime.Version() {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestBuiltAs(t *testing.T) {
	t.Parallel()
	setting := func(key, value string) debug.BuildSetting { return debug.BuildSetting{Key: key, Value: value} }
	for _, test := range []struct {
		settings []debug.BuildSetting
		want     httpapi.Version
	}{
		{nil, httpapi.Version{Version: version, Go: "go1.2"}},
		{
			[]debug.BuildSetting{setting("vcs.revision", "abc"), setting("vcs.time", "2026-11-28T20:00:00Z"), setting("vcs.modified", "false")},
			httpapi.Version{Version: version, Commit: "abc", Date: "2026-11-28T20:00:00Z", Go: "go1.2"},
		},
		{
			[]debug.BuildSetting{setting("vcs.modified", "true"), setting("vcs.revision", "abc")},
			httpapi.Version{Version: version, Commit: "abc+dirty", Go: "go1.2"},
		},
	} {
		if got := builtAs(&debug.BuildInfo{GoVersion: "go1.2", Settings: test.settings}); got != test.want {
			t.Errorf("%v: %+v, want %+v", test.settings, got, test.want)
		}
	}
}
