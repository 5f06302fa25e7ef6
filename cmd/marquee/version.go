package main

import (
	"runtime"
	"runtime/debug"

	"github.com/aledotdev/marquee/internal/httpapi"
)

// programVersion is what /version tells of this program.
func programVersion() httpapi.Version {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{GoVersion: runtime.Version()}
	}
	return builtAs(info)
}

// builtAs is the version with what the build has recorded. That has no commit if it was built with -buildvcs=false, as images are.
func builtAs(info *debug.BuildInfo) httpapi.Version {
	v := httpapi.Version{Version: version, Go: info.GoVersion}
	dirty := false
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Commit = s.Value
		case "vcs.time":
			v.Date = s.Value
		case "vcs.modified":
			dirty = s.Value == "true"
		}
	}
	if dirty && v.Commit != "" {
		v.Commit += "+dirty"
	}
	return v
}
