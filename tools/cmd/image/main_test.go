package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

func given(t *testing.T, folder string) options {
	t.Helper()
	o := options{
		binary: filepath.Join(folder, "program"), certificates: filepath.Join(folder, "roots.crt"),
		arch: "arm64", tag: "example.test/marquee:1", version: "1.2.3", revision: "abc", created: 1767225600,
	}
	for file, content := range map[string]string{o.binary: "a program", o.certificates: "roots"} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

func TestImage(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	archive := filepath.Join(folder, "out.tar")
	if err := write(given(t, folder), archive); err != nil {
		t.Fatal(err)
	}
	image, err := tarball.ImageFromPath(archive, nil)
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]any{
		"platform": config.OS + "/" + config.Architecture, "user": config.Config.User, "created": config.Created.Time,
		"entrypoint": config.Config.Entrypoint, "version": config.Config.Labels["org.opencontainers.image.version"],
	}
	want := map[string]any{
		"platform": "linux/arm64", "user": "65532:65532", "created": time.Unix(1767225600, 0).UTC(),
		"entrypoint": []string{"/marquee"}, "version": "1.2.3",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}

	files := map[string]string{}
	extracted := mutate.Extract(image)
	defer extracted.Close()
	for r := tar.NewReader(extracted); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if header.Typeflag == tar.TypeReg && header.Name != "etc/passwd" && header.Name != "etc/group" {
			files[header.Name] = header.FileInfo().Mode().String() + " " + string(content)
		}
	}
	wantFiles := map[string]string{"marquee": "-rwxr-xr-x a program", "etc/ssl/certs/ca-certificates.crt": "-rw-r--r-- roots"}
	if diff := cmp.Diff(wantFiles, files); diff != "" {
		t.Error(diff)
	}
}

// TestSameBytes: the archive tells nothing of the machine, the folder and the time it was made at.
func TestSameBytes(t *testing.T) {
	t.Parallel()
	var sums [2][sha256.Size]byte
	for i := range sums {
		folder := t.TempDir()
		archive := filepath.Join(folder, "out.tar")
		if err := write(given(t, folder), archive); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(archive)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(content, []byte(folder)) {
			t.Error("the folder's name is in the archive")
		}
		sums[i] = sha256.Sum256(content)
	}
	if sums[0] != sums[1] {
		t.Error("the same files made two archives")
	}
}

func TestFailsWhole(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	o := given(t, folder)
	o.certificates = filepath.Join(folder, "none")
	archive := filepath.Join(folder, "out.tar")
	if err := write(o, archive); err == nil {
		t.Error("an image without roots was written")
	}
	o.tag = "Not A Name"
	if err := write(o, archive); err == nil {
		t.Error("an image of no name was written")
	}
	if left, _ := filepath.Glob(filepath.Join(folder, "out*")); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}
