// Command image makes a container image of the program without a base image. It holds the program, the root certificates, a user and a
// folder for temporary files; time zones are in the program. `docker load` and `kind load image-archive` read the archive. From the
// same files and options comes the same archive, byte for byte.
//
//	image -binary marquee -arch amd64 -tag marquee:dev out.tar
package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// user is the user and group id, as in distroless images: one that no system gives to anybody else.
const user = 65532

// options say what goes into the image.
type options struct {
	binary, certificates         string // names of files
	arch, tag, version, revision string
	created                      int64 // Unix time, in seconds
}

func main() {
	var o options
	flag.StringVar(&o.binary, "binary", "", "the program, statically linked, for linux")
	flag.StringVar(&o.certificates, "certificates", "/etc/ssl/certs/ca-certificates.crt", "root certificates, PEM")
	flag.StringVar(&o.arch, "arch", "amd64", "architecture of the program")
	flag.StringVar(&o.tag, "tag", "marquee:dev", "name of the image")
	flag.StringVar(&o.version, "version", "dev", "version of the program")
	flag.StringVar(&o.revision, "revision", "", "commit that the program was built from")
	flag.Int64Var(&o.created, "created", 0, "when that was committed, as Unix time in seconds")
	flag.Parse()
	err := errors.New("want one argument: the archive to write")
	if flag.NArg() == 1 {
		err = write(o, flag.Arg(0))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

// write builds the image and writes the archive. An older archive of that name stays until the new one is complete.
func write(o options, archive string) error {
	tag, err := name.NewTag(o.tag)
	if err != nil {
		return err
	}
	image, err := build(o)
	if err != nil {
		return err
	}
	draft := archive + ".tmp"
	if err := tarball.WriteToFile(draft, tag, image); err != nil {
		return errors.Join(err, os.Remove(draft))
	}
	return os.Rename(draft, archive)
}

func build(o options) (v1.Image, error) {
	created := time.Unix(o.created, 0).UTC()
	content, err := layer(o, created)
	if err != nil {
		return nil, err
	}
	files, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil })
	if err != nil {
		return nil, err
	}
	image, err := mutate.AppendLayers(empty.Image, files)
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Created = "linux", o.arch, v1.Time{Time: created}
	config.Config = v1.Config{
		User:         fmt.Sprintf("%d:%d", user, user),
		Entrypoint:   []string{"/marquee"},
		Cmd:          []string{"serve"},
		Env:          []string{"PATH=/", "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"},
		WorkingDir:   "/",
		ExposedPorts: map[string]struct{}{"8080/tcp": {}, "9090/tcp": {}},
		// https://github.com/opencontainers/image-spec/blob/main/annotations.md
		Labels: map[string]string{
			"org.opencontainers.image.title":       "marquee",
			"org.opencontainers.image.description": "Event listings of many providers, one fast GraphQL API",
			"org.opencontainers.image.licenses":    "Apache-2.0",
			"org.opencontainers.image.source":      "https://github.com/aledotdev/marquee",
			"org.opencontainers.image.version":     o.version,
			"org.opencontainers.image.revision":    o.revision,
		},
	}
	return mutate.ConfigFile(image, config)
}

// layer is the image's only layer, as a tar.
func layer(o options, at time.Time) ([]byte, error) {
	program, err := os.ReadFile(o.binary)
	if err != nil {
		return nil, err
	}
	certificates, err := os.ReadFile(o.certificates)
	if err != nil {
		return nil, fmt.Errorf("%w; Debian has it in the package ca-certificates", err)
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, file := range []struct {
		name    string // a folder's ends with /
		mode    int64
		content []byte
	}{
		{"etc/", 0o755, nil},
		{"etc/group", 0o644, fmt.Appendf(nil, "root:x:0:\nmarquee:x:%d:\n", user)},
		{"etc/passwd", 0o644, fmt.Appendf(nil, "root:x:0:0:root:/:/nologin\nmarquee:x:%d:%[1]d:marquee:/:/nologin\n", user)},
		{"etc/ssl/", 0o755, nil},
		{"etc/ssl/certs/", 0o755, nil},
		{"etc/ssl/certs/ca-certificates.crt", 0o644, certificates},
		{"marquee", 0o755, program},
		{"tmp/", 0o1777, nil}, // snapshots are spooled here; with a read-only root a volume is mounted over it
	} {
		kind := byte(tar.TypeReg)
		if strings.HasSuffix(file.name, "/") {
			kind = tar.TypeDir
		}
		header := &tar.Header{Typeflag: kind, Name: path.Clean(file.name), Mode: file.mode, Size: int64(len(file.content)), ModTime: at, Format: tar.FormatUSTAR}
		if kind == tar.TypeDir {
			header.Name += "/"
		}
		if err := w.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := w.Write(file.content); err != nil {
			return nil, err
		}
	}
	err = w.Close()
	return b.Bytes(), err
}
